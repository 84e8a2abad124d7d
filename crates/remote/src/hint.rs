//! What helps when a registry fails us, in one place for every program.

use std::io;

use crate::Error;

const LOG_IN: &str = "log in with an account that may do this, as `docker login` does; \
                      DOCKER_CONFIG names the directory of config.json";
const REACH: &str = "is the registry there? --plain-http is for one without TLS, --ca FILE for one \
                     with an authority of its own";
const WAIT: &str = "the registry is busy: wait, and repeat the command";
const LATER: &str = "the registry fails: try again later, or ask who runs it";
const REFUSED: &str = "what the registry says is above: does it take what this command sends?";

impl Error {
    /// What the reader can do, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Connect { .. } | Self::Transport { .. } | Self::Timeout { .. } => REACH,
            Self::Authorities { .. } => "--ca takes a file of certificates in PEM, one or more",
            Self::Credentials { .. } => {
                "correct the Docker credential store, or log in again with `docker login`"
            }
            Self::Authenticate { source, .. } => unauthenticated(source),
            Self::Target { .. } => "push to a tag, or to the digest that it has",
            Self::Upload { source, .. } | Self::GaveUp { source, .. } => source.hint(),
            Self::Status { status, .. } => answered(*status),
            Self::NotFound { .. } => "was it pushed, and to this repository?",
            Self::Foreign { .. } => {
                "this is no registry's answer: is there a proxy or a login page in between?"
            }
            Self::Header { .. } | Self::NoToken { .. } => LATER,
            Self::Entries { .. } => {
                "delete old signatures and referrers of this image from the registry"
            }
            Self::Contended { .. } => "repeat the command when the others are done",
            Self::Write { source, .. } => unwritten(source),
            Self::Read { .. } => "is the path right, and is the file yours to read?",
            Self::Content { .. } | Self::Layout(_) => "a layout is what `builder build -o` writes",
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::Limit { .. } => {
                "what answers gives other bytes than were pushed: is it the registry?"
            }
            Self::Image { .. } | Self::Json(_) | Self::NoSubject => {
                "this image, or what hangs on it, is of no use: build it again"
            }
        }
    }
}

/// A service that knows nothing of what we ask for, or answers at length, is not the one for tokens.
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
            "is the disk full? the folder for temporary files can be chosen by TMPDIR"
        }
        _ => "is that place there, and yours to write? TMPDIR says where temporary files go",
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
