//! Signs a statement about an image that is in a registry.

use std::path::Path;

use attest::PredicateType;
use attest::predicate::Purpose;
use chrono::{DateTime, SecondsFormat, Utc};
use console::hint::Hinted;
use content::limits;
use oci::ImageRef;
use remote::Transport;
use serde_json::Value;
use signer::{Certified, CertifiedSigner, Published, Signer};

use super::sign::{find, refused, unsigned};
use crate::at;
use crate::error::Error;

/// Signs a statement with a predicate about an image in the registry, in both layouts.
///
/// # Errors
/// The image is not in the registry, the registry fails, or the signer refuses.
pub async fn attest(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
    kind: &PredicateType,
    predicate: Value,
) -> Result<Published, Error> {
    let registry = find(image, transport).await?;
    let attested = signer::attest_image(&registry, image, signer, kind.clone(), predicate).await;
    Ok(attested.map_err(|error| refused("signing", image, error))?)
}

/// Signs a statement with a certified key, in a bundle.
///
/// # Errors
/// As [`attest()`]; or what a service of the signer answers does not verify.
pub async fn attest_certified(
    image: &ImageRef,
    transport: &Transport,
    signer: &CertifiedSigner,
    kind: &PredicateType,
    predicate: Value,
) -> Result<Certified, Error> {
    let registry = find(image, transport).await?;
    let attested =
        signer::attest_image_certified(&registry, image, signer, kind.clone(), predicate);
    attested.await.map_err(|error| unsigned(image, error))
}

/// Reads a predicate of this type. `now` is the time in predicates that have no other place for one.
///
/// # Errors
/// The file cannot be read, or is not such a predicate.
pub fn read(kind: &PredicateType, path: &Path, now: DateTime<Utc>) -> Result<Value, Error> {
    let bytes = at::read(path, limits::STATEMENT)?;
    let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    let predicate = kind.predicate(&bytes, &now).map_err(|error| {
        let doing = format_args!("reading predicate {}", path.display());
        Hinted::doing(doing, error).hinting(hint(kind))
    });
    Ok(predicate?)
}

fn hint(kind: &PredicateType) -> &'static str {
    match kind.known() {
        Some(known) if known.purpose == Purpose::Verdict => {
            "pass a verification summary, as `verifier authorize` signs it"
        }
        Some(_) => "pass a predicate of this --type that `builder build` wrote",
        None => "pass a JSON object, or use --type custom for any text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attest::{Provenance, Sbom};

    fn read_as(kind: &str, contents: &[u8]) -> Result<Value, Error> {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("predicate");
        std::fs::write(&path, contents).unwrap();
        read(&kind.parse().unwrap(), &path, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_predicate_is_parsed_as_the_named_type() {
        let sbom = Sbom::new().to_bytes().unwrap();
        assert!(read_as(Sbom::PREDICATE.cosign_name, &sbom).is_ok());
        let error = read_as(Provenance::PREDICATE.cosign_name, &sbom).unwrap_err();
        assert!(
            error.to_string().starts_with("reading predicate "),
            "{error}"
        );
        let hint = "pass a predicate of this --type that `builder build` wrote";
        assert_eq!(error.hint(), Some(hint));
        let error = read_as("https://slsa.dev/verification_summary/v1", b"{}").unwrap_err();
        let hint = "pass a verification summary, as `verifier authorize` signs it";
        assert_eq!(error.hint(), Some(hint));
        let error = read_as("https://example.com/x", b"text").unwrap_err();
        let hint = "pass a JSON object, or use --type custom for any text";
        assert_eq!(error.hint(), Some(hint));
    }

    #[test]
    fn a_custom_predicate_has_the_time() {
        let read = read_as("custom", b"text").unwrap();
        assert_eq!(read["Timestamp"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_fraction_can_be_signed() {
        let text = br#"{"buildDefinition":{"buildType":"t","externalParameters":{"a":1.5}},"runDetails":{"builder":{"id":"b"}}}"#;
        let read = read_as(Provenance::PREDICATE.cosign_name, text).unwrap();
        assert_eq!(read["buildDefinition"]["externalParameters"]["a"], 1.5);
    }
}
