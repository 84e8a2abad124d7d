//! The hints for a registry's errors, which all programs share.

use std::io;

use crate::Error;

const LOG_IN: &str = "log in with `docker login`, with an account that has this permission; \
                      DOCKER_CONFIG names the directory of config.json";
const REACH: &str = "check that the registry is running; use --plain-http for a registry without \
                     TLS, --ca FILE for one with a private certificate authority";
const WAIT: &str = "the registry is busy: wait, and repeat the command";
const LATER: &str = "the registry fails: try again later, or ask its administrator";
const REFUSED: &str = "the registry refused the request with the message above";

impl Error {
    /// What the user can do about the error, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Connect { .. } | Self::Transport { .. } | Self::Timeout { .. } => REACH,
            Self::Authorities { .. } => "--ca takes a PEM file with one or more certificates",
            Self::Credentials { .. } => {
                "correct the Docker credential store, or log in again with `docker login`"
            }
            Self::Authenticate { source, .. } => unauthenticated(source),
            Self::Target { .. } => "push to a tag, or to the manifest's own digest",
            Self::Upload { source, .. } | Self::GaveUp { source, .. } => source.hint(),
            Self::Status { status, .. } => answered(*status),
            Self::NotFound { .. } => "check that it was pushed, and to this repository",
            Self::Foreign { .. } => {
                "this answer is not from a registry: check for a proxy or a login page in between"
            }
            Self::Header { .. } | Self::NoToken { .. } => LATER,
            Self::Entries { .. } => {
                "delete old signatures and referrers of this image from the registry"
            }
            Self::Contended { .. } => "repeat the command when the other clients have finished",
            Self::Write { source, .. } => unwritten(source),
            Self::Read { .. } => "check the path and the permissions of the file",
            Self::Content { .. } | Self::Layout(_) => {
                "pass an OCI image layout, as `builder build -o` writes it"
            }
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::Limit { .. } => {
                "the registry's content differs from what was pushed: check the registry, and any proxy in \
                                 between"
            }
            Self::Image { .. } | Self::Json(_) | Self::NoSubject => {
                "this image, or what is attached to it, cannot be used: build it again"
            }
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
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free some space, or set TMPDIR to another folder for temporary files"
        }
        _ => {
            "check that the folder exists and can be written; TMPDIR names the folder for temporary files"
        }
    }
}

#[cfg(test)]
mod tests {
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
        let full = Error::Write {
            path: "/tmp/layer".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        assert!(full.hint().contains("full"));
        let upload = Error::Upload {
            digest: content::Digest::of(b""),
            source: Box::new(refused(403)),
        };
        assert_eq!(upload.hint(), LOG_IN);
    }
}
