use std::io;
use std::path::PathBuf;

use content::Digest;

use super::pull::PullError;

/// Why a launch could not be carried out. What the launcher will not do is a
/// [`Refusal`](super::Refusal).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The image cannot be pulled.
    #[error("pulling image: {0}")]
    Pull(#[from] PullError),
    /// A layer cannot be unpacked.
    #[error("unpacking layer {digest}: {source}")]
    Unpack {
        /// The layer.
        digest: Digest,
        /// Why.
        source: Box<oci::Error>,
    },
    /// A layer's content is not the one that the configuration names.
    #[error("unpacking layer {digest}: expected diff id {expected}, found {actual}")]
    DiffId {
        /// The layer.
        digest: Digest,
        /// The diff ID in the configuration.
        expected: Digest,
        /// The diff ID of what was unpacked.
        actual: Digest,
    },
    /// The image is for another kind of machine.
    #[error("reading image: it is for {os}/{architecture}, and not for linux/amd64")]
    Platform {
        /// The operating system in the configuration.
        os: String,
        /// The architecture in the configuration.
        architecture: String,
    },
    /// A layer of a type that no launcher unpacks.
    #[error("reading image: layer {digest} is of type {media_type:?}")]
    LayerType {
        /// The layer.
        digest: Digest,
        /// The type in the manifest.
        media_type: String,
    },
    /// A layer that is not what its type says.
    #[error("unpacking layer {digest}: its bytes are not {media_type}")]
    LayerBytes {
        /// The layer.
        digest: Digest,
        /// The type in the manifest.
        media_type: String,
    },
    /// A variable of the image without `=`.
    #[error("reading image: its variable {0:?} has no value")]
    Variable(String),
    /// The launch cannot be measured.
    #[error("measuring launch: {0}")]
    Measure(#[source] confidential::Error),
    /// No default token can be had, without which no container is started.
    #[error("fetching default token: {0}")]
    Token(#[from] super::attest::AttestError),
    /// A file of the launcher's own cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that the operator names cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: content::ReadError,
    },
    /// The token socket cannot be served.
    #[error("serving token socket: {0}")]
    Socket(#[source] io::Error),
    /// The helper that becomes the container cannot be started or waited for.
    #[error("starting container: {0}")]
    Helper(#[source] io::Error),
    /// The helper could not make the container.
    #[error("starting container: {0}")]
    Container(String),
    /// The process cannot be told when to stop.
    #[error("listening for signals: {0}")]
    Signals(#[source] io::Error),
    /// A step that was given up from within.
    #[error("launching image: {0}")]
    Task(#[from] tokio::task::JoinError),
}

const IMAGE: &str = "this image runs nowhere; build it again";
const DISK: &str = "is the disk full? the folder for temporary files can be chosen by TMPDIR";

fn is_of_the_disk(error: &oci::Error) -> bool {
    matches!(error, oci::Error::Write { .. } | oci::Error::Read { .. })
}

impl From<remote::Error> for Error {
    fn from(error: remote::Error) -> Self {
        Self::Pull(error.into())
    }
}

impl Error {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Pull(error) => error.hint(),
            Self::Unpack { source, .. } if is_of_the_disk(source) => DISK,
            Self::Unpack { .. }
            | Self::DiffId { .. }
            | Self::LayerType { .. }
            | Self::LayerBytes { .. }
            | Self::Variable(_) => IMAGE,
            Self::Platform { .. } => {
                "machines of Confidential Space are linux/amd64: build it for them"
            }
            Self::Measure(_) => "the image's own variables must have names",
            Self::Token(_) => "is `emulator serve` running, and is --attestation its address?",
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => DISK,
            Self::Read { .. } | Self::Write { .. } => "check that the path exists and is yours",
            Self::Socket(_) => "a socket's path must be short; choose another --runtime",
            Self::Helper(_) | Self::Container(_) => {
                "a container needs user namespaces, and an image with that program and user"
            }
            Self::Signals(_) | Self::Task(_) => "try again",
        }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
