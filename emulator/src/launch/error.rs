use std::fmt::Display;
use std::io;
use std::net::SocketAddr;

use console::hint::{self, Hinted};
use content::Digest;
use content::at::At;

use super::attest::AttestError;

/// Why a launch failed. An image that the launcher refuses to start is a [`Refusal`](super::Refusal)
/// instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry cannot be reached, or does not have the image.
    #[error("pulling image: {0}")]
    Registry(Box<remote::Error>),
    /// The default token, which is required to start a container, cannot be fetched.
    #[error("fetching default token: {0}")]
    Token(#[from] AttestError),
    /// A file of the launcher cannot be written, or one that the operator names cannot be read.
    #[error(transparent)]
    File(#[from] At),
    /// The image cannot be run, or the system has no more sockets, processes or signals.
    #[error(transparent)]
    Other(#[from] Hinted),
}

const IMAGE: &str = "this image cannot be run; build it again";
const CONTAINER: &str =
    "check that user namespaces are allowed, and that the image has this program and user";
const AGAIN: &str = "repeat the command";

impl From<remote::Error> for Error {
    fn from(error: remote::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::refused("launching image", error, AGAIN)
    }
}

impl Error {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Token(_) => {
                "check that `emulator serve` is running, and that --attestation is its address"
            }
            Self::File(at) if hint::is_full(&at.source) => hint::TEMPORARY,
            Self::File(at) => hint::of_file(&at.source),
            Self::Other(error) => error.hint().unwrap_or(AGAIN),
        }
    }

    /// What the operator of a machine can do about it, whose launcher logs in as the service account of the instance.
    pub fn machine_hint(&self) -> &'static str {
        match self {
            Self::Registry(error) if error.is_denied() => {
                "give the service account of the instance roles/artifactregistry.reader on the repository"
            }
            _ => self.hint(),
        }
    }

    pub(super) fn refused(doing: impl Display, fault: impl Display, hint: &'static str) -> Self {
        Hinted::new(format!("{doing}: {fault}"))
            .hinting(hint)
            .into()
    }

    fn system(doing: &str, source: io::Error, hint: &'static str) -> Self {
        Hinted::doing(doing, source).hinting(hint).into()
    }

    /// An image that cannot be run.
    pub(super) fn image(doing: impl Display, fault: impl Display) -> Self {
        Self::refused(doing, fault, IMAGE)
    }

    /// An image for another platform.
    pub(super) fn platform(doing: impl Display, fault: impl Display) -> Self {
        let hint = "machines of Confidential Space are linux/amd64: build the image for them";
        Self::refused(doing, fault, hint)
    }

    /// A layer that cannot be unpacked.
    pub(super) fn unpack(digest: &Digest, error: &oci::Error) -> Self {
        let hint = match error {
            oci::Error::File(_) => hint::TEMPORARY,
            _ => IMAGE,
        };
        Self::refused(format!("unpacking layer {digest}"), error, hint)
    }

    /// The token socket cannot be served.
    pub(super) fn socket(source: io::Error) -> Self {
        let hint = "the path of a socket must be short: choose a shorter one with --runtime";
        Self::system("serving token socket", source, hint)
    }

    /// The metadata server cannot listen.
    pub(super) fn metadata(address: SocketAddr, source: io::Error) -> Self {
        let hint = "choose a free address on loopback with --metadata-address";
        Self::system(&format!("serving metadata at {address}"), source, hint)
    }

    /// The helper that becomes the container cannot be started or waited for.
    pub(super) fn helper(source: io::Error) -> Self {
        Self::system("starting container", source, CONTAINER)
    }

    /// The helper has reported why it could not make the container.
    pub(super) fn container(report: &str) -> Self {
        Self::refused("starting container", report, CONTAINER)
    }

    pub(super) fn signals(source: io::Error) -> Self {
        Self::system("listening for signals", source, AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_let_in_by_its_service_account() {
        let answered = |status| {
            Error::from(remote::Error::Status {
                url: "https://r.example/v2/".to_owned(),
                status,
                message: String::new(),
                retry_after: None,
            })
        };
        assert!(answered(403).machine_hint().contains("service account"));
        assert!(answered(403).hint().contains("docker login"));
        assert_eq!(answered(500).machine_hint(), answered(500).hint());
    }
}
