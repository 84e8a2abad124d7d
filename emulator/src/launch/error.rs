use std::io;
use std::path::PathBuf;

use console::hint;
use content::Digest;

use super::pull::PullError;
use crate::error::At;

/// Why a launch failed. An image that the launcher refuses to start is a [`Refusal`](super::Refusal)
/// instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image cannot be pulled.
    #[error("pulling image: {0}")]
    Pull(#[from] PullError),
    /// A layer cannot be unpacked.
    #[error("unpacking layer {digest}: {source}")]
    Unpack {
        /// The digest of the layer.
        digest: Digest,
        /// The cause.
        source: Box<oci::Error>,
    },
    /// A layer does not have its diff ID in the configuration.
    #[error("unpacking layer {digest}: expected diff id {expected}, found {actual}")]
    DiffId {
        /// The digest of the layer.
        digest: Digest,
        /// The diff ID in the configuration.
        expected: Digest,
        /// The diff ID of the unpacked content.
        actual: Digest,
    },
    /// The image is for another platform.
    #[error("reading image: expected platform linux/amd64, found {os}/{architecture}")]
    Platform {
        /// The operating system in the configuration.
        os: String,
        /// The architecture in the configuration.
        architecture: String,
    },
    /// The media type of a layer is not supported.
    #[error("reading image: layer {digest} has the unsupported media type {media_type:?}")]
    LayerType {
        /// The digest of the layer.
        digest: Digest,
        /// The media type in the manifest.
        media_type: String,
    },
    /// A layer does not have the format of its media type.
    #[error("unpacking layer {digest}: its bytes are not {media_type}")]
    LayerBytes {
        /// The digest of the layer.
        digest: Digest,
        /// The media type in the manifest.
        media_type: String,
    },
    /// An environment variable of the image has no `=`.
    #[error("reading image: the variable {0:?} has no value")]
    Variable(String),
    /// The launch cannot be measured.
    #[error("measuring launch: {0}")]
    Measure(#[source] confidential::Error),
    /// The default token, which is required to start a container, cannot be fetched.
    #[error("fetching default token: {0}")]
    Token(#[from] super::attest::AttestError),
    /// A file of the launcher cannot be written, or one that the operator names cannot be read.
    #[error(transparent)]
    File(#[from] At),
    /// The token socket cannot be served.
    #[error("serving token socket: {0}")]
    Socket(#[source] io::Error),
    /// The helper that becomes the container cannot be started or waited for.
    #[error("starting container: {0}")]
    Helper(#[source] io::Error),
    /// The helper could not make the container.
    #[error("starting container: {0}")]
    Container(String),
    /// Signal handlers cannot be installed.
    #[error("listening for signals: {0}")]
    Signals(#[source] io::Error),
    /// A task was cancelled or panicked.
    #[error("launching image: {0}")]
    Task(#[from] tokio::task::JoinError),
}

const IMAGE: &str = "this image cannot be run; build it again";

fn is_of_the_disk(error: &oci::Error) -> bool {
    matches!(error, oci::Error::File(_))
}

impl From<remote::Error> for Error {
    fn from(error: remote::Error) -> Self {
        Self::Pull(error.into())
    }
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Pull(error) => error.hint(),
            Self::Unpack { source, .. } if is_of_the_disk(source) => hint::TEMPORARY,
            Self::Unpack { .. }
            | Self::DiffId { .. }
            | Self::LayerType { .. }
            | Self::LayerBytes { .. }
            | Self::Variable(_) => IMAGE,
            Self::Platform { .. } => {
                "machines of Confidential Space are linux/amd64: build the image for them"
            }
            Self::Measure(_) => "every variable of the image must have a name",
            Self::Token(_) => "is `emulator serve` running, and is --attestation its address?",
            Self::File(at) if hint::is_full(&at.source) => hint::TEMPORARY,
            Self::File(at) => hint::of_file(&at.source),
            Self::Socket(_) => "the path of a socket must be short; choose another --runtime",
            Self::Helper(_) | Self::Container(_) => {
                "a container needs user namespaces, and an image with that program and user"
            }
            Self::Signals(_) | Self::Task(_) => "try again",
        }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let at = At::writing(&path.into());
        move |source| Self::File(at(source))
    }
}
