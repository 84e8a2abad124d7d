//! Why nothing was signed, or no key was made.

use std::path::PathBuf;

use content::json::JsonError;
use oci::ImageRef;

use crate::at::At;

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
