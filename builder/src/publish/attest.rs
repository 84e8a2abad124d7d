//! Signs a statement about an image that is in a registry.

use std::path::Path;

use attest::Predicate;
use content::{json, limits};
use oci::ImageRef;
use remote::Transport;
use serde_json::Value;
use signer::{Published, Signer};

use super::error::SignError;
use super::sign::{find, refused};
use crate::at;

/// Signs a statement with the predicate in a file about an image in the registry, in both layouts.
///
/// # Errors
/// See [`SignError`].
pub async fn attest(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
    kind: &Predicate,
    path: &Path,
) -> Result<Published, SignError> {
    let predicate = read(kind, path)?;
    let registry = find(image, transport).await?;
    let attested = signer::attest_image(&registry, image, signer, kind, predicate).await;
    attested.map_err(|source| refused(image, source))
}

fn read(kind: &Predicate, path: &Path) -> Result<Value, SignError> {
    let bytes = at::read(path, limits::STATEMENT)?;
    let wrong = |source| SignError::Predicate {
        path: path.to_owned(),
        source,
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
        assert!(matches!(
            read(&Provenance::PREDICATE, &path),
            Err(SignError::Predicate { .. })
        ));
    }

    #[test]
    fn a_fraction_is_refused_before_anything_is_signed() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(Provenance::PREDICATE.file);
        let text = r#"{"buildDefinition":{"buildType":"t","externalParameters":{"a":1.5}},"runDetails":{"builder":{"id":"b"}}}"#;
        std::fs::write(&path, text).unwrap();
        let error = crate::error::Error::Sign(read(&Provenance::PREDICATE, &path).unwrap_err());
        assert!(
            error.to_string().ends_with("1.5 is not an integer"),
            "{error}"
        );
        let hint = error.hint().unwrap();
        assert!(hint.contains("fraction"), "{hint}");
    }
}
