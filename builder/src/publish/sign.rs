//! Signatures and statements about an image that is in a registry, and keys to make them with.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use attest::Predicate;
use content::json::{self, JsonError};
use content::limits;
use oci::ImageRef;
use remote::{Registry, Transport};
use serde_json::Value;
use signature::PrivateKey;
use signer::{Published, Signer};

use crate::at::{self, At};

/// Something that was not signed, or a key that was not made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The image is not in the registry, or the registry fails.
    #[error("reading {image}: {source}")]
    Image {
        /// The image.
        image: Box<ImageRef>,
        /// What the registry says.
        source: remote::Error,
    },
    /// The signer refuses.
    #[error("signing {image}: {source}")]
    Signer {
        /// The image.
        image: Box<ImageRef>,
        /// What the signer says.
        source: signer::Error,
    },
    /// The predicate is not of the type that it should have.
    #[error("reading predicate {}: {source}", path.display())]
    Predicate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: attest::Error,
    },
    /// A key cannot be made.
    #[error("making key: {0}")]
    Key(#[from] signature::Error),
    /// The predicate cannot be read, or the key cannot be written.
    #[error(transparent)]
    At(#[from] At),
}

impl SignError {
    /// What helps, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Image { source, .. } => Some(source.hint()),
            Self::Signer { source, .. } => Some(source.hint()),
            Self::Predicate { source, .. } => Some(predicate_hint(source)),
            Self::Key(_) | Self::At(_) => None,
        }
    }
}

fn predicate_hint(error: &attest::Error) -> &'static str {
    match error {
        attest::Error::Document {
            source: JsonError::Float(_),
            ..
        } => "write a number with a fraction as a string: not all programs write it alike",
        _ => "was it written by `builder build`, and for this --type?",
    }
}

/// Signs an image that is in the registry, in both layouts.
///
/// # Errors
/// See [`SignError`].
pub async fn sign(
    image: &ImageRef,
    transport: &Transport,
    signer: &Signer,
) -> Result<Published, SignError> {
    let registry = find(image, transport).await?;
    let signed = signer::sign_image(&registry, image, signer).await;
    signed.map_err(|source| refused(image, source))
}

/// Signs the predicate in a file about an image that is in the registry, in both layouts.
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

fn refused(image: &ImageRef, source: signer::Error) -> SignError {
    SignError::Signer {
        image: Box::new(image.clone()),
        source,
    }
}

/// Nothing is signed that is not in the registry.
async fn find(image: &ImageRef, transport: &Transport) -> Result<Registry, SignError> {
    let absent = |source| SignError::Image {
        image: Box::new(image.clone()),
        source,
    };
    let registry = Registry::connect(&image.repository, transport).map_err(absent)?;
    registry.image(&image.digest).await.map_err(absent)?;
    Ok(registry)
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
    // Signed as it will be written, so what cannot be written is told before the registry is asked.
    json::canonical(&parsed).map_err(unsigned)?;
    Ok(parsed)
}

/// Makes a key pair in the new files `PREFIX.key` and `PREFIX.pub`, and gives the paths.
///
/// # Errors
/// One of the files is there already, or cannot be written; then neither is left.
pub fn keygen(prefix: &Path) -> Result<(PathBuf, PathBuf), SignError> {
    let key = PrivateKey::generate()?;
    let (private, public) = (extended(prefix, ".key"), extended(prefix, ".pub"));
    let pem = key.to_pem()?;
    create(&private, 0o600, pem.as_bytes())?;
    if let Err(error) = create(&public, 0o644, key.public().to_pem().as_bytes()) {
        // Half a pair is of no use, and the error says what went wrong.
        let _ = std::fs::remove_file(&private);
        return Err(error);
    }
    Ok((private, public))
}

fn extended(prefix: &Path, extension: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

/// Whole or not at all, and never over a file that is there: it may be the only copy of a key.
fn create(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), SignError> {
    Ok(write(path, mode, bytes).map_err(At::writing(path))?)
}

fn write(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".partial-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.persist_noclobber(path)
        .map(drop)
        .map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use attest::{Provenance, Sbom};

    #[test]
    fn a_key_pair_is_made_once() {
        let scratch = tempfile::tempdir().unwrap();
        let prefix = scratch.path().join("a.b");
        let (private, public) = keygen(&prefix).unwrap();
        assert!(private.ends_with("a.b.key") && public.ends_with("a.b.pub"));
        let mode = std::fs::metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read(&private).unwrap();
        assert!(matches!(keygen(&prefix), Err(SignError::At(_))));
        assert_eq!(std::fs::read(&private).unwrap(), before);
        let key = PrivateKey::from_pem(std::str::from_utf8(&before).unwrap()).unwrap();
        assert_eq!(
            key.public().to_pem(),
            std::fs::read_to_string(&public).unwrap()
        );
    }

    #[test]
    fn a_predicate_is_read_as_what_it_is_said_to_be() {
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
    fn a_fraction_is_told_before_anything_is_signed() {
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
