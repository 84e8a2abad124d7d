//! The hints for a registry's errors, which all programs share.

use std::io;

use content::at;
use content::json::JsonError;

use crate::Error;

const LOG_IN: &str = "log in with `docker login`, with an account that has this permission; \
                      DOCKER_CONFIG names the directory of config.json";
const REACH: &str = "check that the registry is running; use --plain-http for a registry without \
                     TLS, --ca FILE for one with a private certificate authority";
const WAIT: &str = "the registry is busy: wait, and repeat the command";
pub(crate) const LATER: &str = "the registry fails: try again later, or ask its administrator";
pub(crate) const FOREIGN: &str =
    "this answer is not from a registry: check for a proxy or a login page in between";
pub(crate) const LAYOUT: &str = "pass an OCI image layout, as `builder build -o` writes it";
pub(crate) const UNUSABLE: &str =
    "this image, or what is attached to it, cannot be used: build it again";
pub(crate) const REALM: &str = "check the address of the registry, and any proxy in between; if this token service is \
                                the right one, store a token for the registry itself, as `registrytoken` in config.json";
const REFUSED: &str = "the registry refused the request with the message above";

impl Error {
    /// A manifest or list that is not strict JSON and cannot be changed.
    pub(crate) fn unchanged(fault: JsonError) -> Self {
        Self::refused("changing manifest".to_owned(), fault, UNUSABLE)
    }

    /// An answer that lacks a required header, or in which it is malformed.
    pub(crate) fn header(url: &str, header: &str) -> Self {
        let fault = format!("header {header} is missing or malformed");
        Self::refused(format!("requesting {url}"), fault, LATER)
    }

    /// What the user can do about the error, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Transport { .. } | Self::Timeout { .. } => REACH,
            Self::Refused { hint, .. } => hint,
            Self::Credentials { .. } => {
                "correct the Docker credential store, or log in again with `docker login`"
            }
            Self::Authenticate { source, .. } => unauthenticated(source),
            Self::Upload { source, .. } | Self::GaveUp { source, .. } => source.hint(),
            Self::Status { status, .. } => answered(*status),
            Self::NotFound { .. } => "check that it was pushed, and to this repository",
            Self::Entries { .. } => {
                "delete old signatures and referrers of this image from the registry"
            }
            Self::File(at) if at.doing == "writing" => unwritten(&at.source),
            Self::File(_) => "check the path and the permissions of the file",
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::Limit { .. } => {
                "the registry's content differs from what was pushed: check the registry, and any proxy in \
                                 between"
            }
            Self::Image { .. } => UNUSABLE,
        }
    }
}

/// A token service that answers 404 or with too many bytes is misconfigured.
fn unauthenticated(source: &Error) -> &'static str {
    match source {
        Error::NotFound { .. } | Error::Limit { .. } => LATER,
        other => other.hint(),
    }
}

fn answered(status: u16) -> &'static str {
    match status {
        401 | 403 => LOG_IN,
        429 => WAIT,
        500.. => LATER,
        _ => REFUSED,
    }
}

fn unwritten(source: &io::Error) -> &'static str {
    match at::is_full(source) {
        true => {
            "the disk is full: free some space, or set TMPDIR to another folder for temporary files"
        }
        false => {
            "check that the folder exists and can be written; TMPDIR names the folder for temporary files"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use content::at::At;

    use super::*;

    fn refused(status: u16) -> Error {
        let (url, message) = (String::new(), String::new());
        Error::Status {
            url,
            status,
            message,
            retry_after: None,
        }
    }

    #[test]
    fn a_hint_fits_its_cause() {
        for (code, hint) in [(401, LOG_IN), (403, LOG_IN), (429, WAIT), (503, LATER)] {
            assert_eq!(refused(code).hint(), hint, "{code}");
        }
        assert!(refused(418).hint().contains("above"));
        let (registry, url) = (String::new(), String::new());
        let source = Box::new(Error::NotFound { url });
        assert_eq!(Error::Authenticate { registry, source }.hint(), LATER);
        let full = At::writing(Path::new("/tmp/layer"))(io::ErrorKind::StorageFull.into());
        assert!(Error::File(full).hint().starts_with("the disk is full"));
        let upload = Error::Upload {
            digest: content::Digest::of(b""),
            source: Box::new(refused(403)),
        };
        assert_eq!(upload.hint(), LOG_IN);
    }
}
