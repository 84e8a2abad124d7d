//! What helps when a registry fails us, in one place for every program.

use std::io;

use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::Error;

const LOG_IN: &str = "log in with an account that may do this, as `docker login` does; \
                      DOCKER_CONFIG names the directory of config.json";
const REACH: &str = "is the registry there? --plain-http is for one without TLS, --ca FILE for one \
                     with an authority of its own";
const WAIT: &str = "the registry is busy: wait, and repeat the command";
const LATER: &str = "the registry fails: try again later, or ask who runs it";

impl Error {
    /// What the reader can do, in one line, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect { .. } | Self::Client { .. } | Self::Transport { .. } => Some(REACH),
            Self::Timeout { .. } => Some(REACH),
            Self::Credentials { .. } => Some(LOG_IN),
            Self::Authenticate { source, .. } => client_hint(source).or(Some(LOG_IN)),
            Self::Upload { source, .. } => client_hint(source),
            Self::Status { status, .. } => answered(*status),
            Self::NotFound { .. } => Some("was it pushed, and to this repository?"),
            Self::Foreign { .. } => {
                Some("this is no registry's answer: is there a proxy or a login page in between?")
            }
            Self::Header { .. } => Some(LATER),
            Self::Entries { .. } => Some("delete from the registry what nobody needs there"),
            Self::Contended { .. } => Some("repeat the command when the others are done"),
            Self::Write { source, .. } => Some(unwritten(source)),
            Self::Read { .. } => Some("is the path right, and is the file yours to read?"),
            Self::Content { .. } | Self::Layout(_) => {
                Some("a layout is what `builder build -o` writes")
            }
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::Limit { .. } => None,
            Self::Image { .. } | Self::Json(_) | Self::NoSubject => None,
        }
    }
}

fn answered(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => Some(LOG_IN),
        429 => Some(WAIT),
        500.. => Some(LATER),
        _ => None,
    }
}

/// For an answer to the client of uploads and tokens.
fn client_hint(error: &OciDistributionError) -> Option<&'static str> {
    use OciDistributionError as E;
    match error {
        E::UnauthorizedError { .. } | E::AuthenticationFailure(_) => Some(LOG_IN),
        E::ServerError { code, .. } => answered(*code),
        E::RequestError(_) => Some(REACH),
        E::RegistryError { envelope, .. } => {
            let mut codes = envelope.errors.iter().map(|error| &error.code);
            codes.find_map(|code| match code {
                OciErrorCode::Denied | OciErrorCode::Unauthorized => Some(LOG_IN),
                OciErrorCode::Toomanyrequests => Some(WAIT),
                _ => None,
            })
        }
        _ => None,
    }
}

fn unwritten(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space there; TMPDIR says where temporary files go"
        }
        _ => "is that place there, and yours to write? TMPDIR says where temporary files go",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Option<&'static str> {
        let (url, message) = (String::new(), String::new());
        let error = Error::Status {
            url,
            status,
            message,
        };
        error.hint()
    }

    #[test]
    fn the_cure_fits_the_illness() {
        for (code, hint) in [(401, LOG_IN), (403, LOG_IN), (429, WAIT), (503, LATER)] {
            assert_eq!(status(code), Some(hint), "{code}");
        }
        assert_eq!(status(418), None);
        let full = Error::Write {
            path: "/tmp/layer".into(),
            source: io::ErrorKind::StorageFull.into(),
        };
        assert!(full.hint().is_some_and(|hint| hint.contains("space")));
        let unauthorized = OciDistributionError::UnauthorizedError { url: String::new() };
        let upload = Error::Upload {
            digest: content::Digest::of(b""),
            source: Box::new(unauthorized),
        };
        assert_eq!(upload.hint(), Some(LOG_IN));
    }
}
