//! Signs a statement about an image that is in a registry.

use std::path::Path;

use attest::Predicate;
use console::hint::Hinted;
use content::json::JsonError;
use content::{json, limits};
use oci::ImageRef;
use remote::Transport;
use serde_json::Value;
use signer::{Published, Signer};

use super::sign::{find, refused};
use crate::at;
use crate::error::Error;

/// Signs a statement with the predicate in a file about an image in the registry, in both layouts.
///
/// # Errors
/// The file is not such a predicate, the image is not in the registry, the registry fails, or the signer refuses.
pub async fn attest(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
    kind: &Predicate,
    path: &Path,
) -> Result<Published, Error> {
    let predicate = read(kind, path)?;
    let registry = find(image, transport).await?;
    let attested = signer::attest_image(&registry, image, signer, kind, predicate).await;
    Ok(attested.map_err(|error| refused("signing", image, error))?)
}

pub(super) fn read(kind: &Predicate, path: &Path) -> Result<Value, Error> {
    let bytes = at::read(path, limits::STATEMENT)?;
    let wrong = |error: attest::Error| {
        let hint = hint(&error);
        Hinted::doing(format_args!("reading predicate {}", path.display()), error).hinting(hint)
    };
    (kind.parse)(&bytes).map_err(wrong)?;
    let unsigned = |source| {
        wrong(attest::Error::Document {
            what: "predicate",
            source,
        })
    };
    let parsed = json::parse(&bytes, limits::STATEMENT).map_err(unsigned)?;
    // The canonical form is signed. If there is none, the error is reported before any request to the registry.
    json::canonical(&parsed).map_err(unsigned)?;
    Ok(parsed)
}

fn hint(error: &attest::Error) -> &'static str {
    match error {
        attest::Error::Document {
            source: JsonError::Float(_),
            ..
        } => "write a number with a fraction as a string: not all programs write it the same way",
        _ => "pass a predicate of this --type that `builder build` wrote",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attest::{Provenance, Sbom};

    #[test]
    fn a_predicate_is_parsed_as_the_named_type() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(Sbom::PREDICATE.file);
        std::fs::write(&path, Sbom::new().to_bytes().unwrap()).unwrap();
        assert!(read(&Sbom::PREDICATE, &path).is_ok());
        let error = read(&Provenance::PREDICATE, &path).unwrap_err();
        let start = format!("reading predicate {}: ", path.display());
        assert!(error.to_string().starts_with(&start), "{error}");
        let hint = "pass a predicate of this --type that `builder build` wrote";
        assert_eq!(error.hint(), Some(hint));
    }

    #[test]
    fn a_fraction_is_refused_before_anything_is_signed() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(Provenance::PREDICATE.file);
        let text = r#"{"buildDefinition":{"buildType":"t","externalParameters":{"a":1.5}},"runDetails":{"builder":{"id":"b"}}}"#;
        std::fs::write(&path, text).unwrap();
        let error = read(&Provenance::PREDICATE, &path).unwrap_err();
        assert!(
            error.to_string().ends_with("1.5 is not an integer"),
            "{error}"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("fraction"), "{hint}");
    }
}
