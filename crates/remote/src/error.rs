use std::error::Error as StdError;
use std::fmt::Display;
use std::time::Duration;

use content::at::At;
use content::{Digest, printable};
use oci::Repository;

use crate::CredentialFault;

/// The error of a request to a registry. Only [`Error::NotFound`] means that the content does not
/// exist.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials cannot be read, and the registry requires them.
    #[error("reading credentials for {registry}: {fault}")]
    Credentials {
        /// The registry's host and port.
        registry: String,
        /// The error of the credential store.
        fault: CredentialFault,
    },
    /// Authentication with the credentials found, or anonymously, failed.
    #[error("authenticating to {registry}: {source}")]
    Authenticate {
        /// The registry's host and port.
        registry: String,
        /// The error of the request for a challenge or a token.
        source: Box<Error>,
    },
    /// An operation reached its time limit.
    #[error("requesting from {registry}: not completed within {seconds} s")]
    Timeout {
        /// The registry's host and port.
        registry: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// A request failed at each of several tries.
    #[error("{source} (tried {tries} times)")]
    GaveUp {
        /// The number of tries.
        tries: u32,
        /// The error of the last try.
        source: Box<Error>,
    },
    /// The HTTP client cannot be built, a request got no answer, or the connection broke during the answer.
    #[error("{doing}: {}", chain(source))]
    Transport {
        /// What was being done, as a participle, with the registry or the URL requested.
        doing: String,
        /// The HTTP client's error.
        source: reqwest::Error,
    },
    /// An answer with an HTTP status other than success and 404.
    #[error("requesting {url}: status {status}{}{}", detail(.message), pause(.retry_after))]
    Status {
        /// The URL requested.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The registry's error codes and messages, escaped for printing; empty if it sent none.
        message: String,
        /// The pause that the registry asks for before the next try (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// The registry does not have the content.
    #[error("requesting {url}: not found")]
    NotFound {
        /// The URL requested.
        url: String,
    },
    /// Content with a different digest than requested.
    #[error("requesting {url}: expected {expected}, found {actual}")]
    DigestMismatch {
        /// The URL requested.
        url: String,
        /// The digest requested.
        expected: Digest,
        /// The digest of the content received.
        actual: Digest,
    },
    /// Content with a different size than its descriptor says.
    #[error("requesting {url}: expected {expected} bytes, found {actual}")]
    SizeMismatch {
        /// The URL requested.
        url: String,
        /// The size in the descriptor, in bytes.
        expected: u64,
        /// Bytes received, or the `Content-Length` of the answer.
        actual: u64,
    },
    /// Content that is larger than the limit for its kind.
    #[error("requesting {url}: larger than the limit of {limit} bytes")]
    Limit {
        /// The URL requested.
        url: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// More referrers, pages or signatures than the limit.
    #[error("requesting {url}: more than {limit} entries")]
    Entries {
        /// The URL requested.
        url: String,
        /// The limit, as a number of entries.
        limit: usize,
    },
    /// A manifest, index or image that cannot be parsed or written.
    #[error("requesting {repository}: {source}")]
    Image {
        /// The repository that it comes from.
        repository: Repository,
        /// The parser's error.
        source: Box<oci::Error>,
    },
    /// A blob cannot be uploaded.
    #[error("uploading {digest}: {source}")]
    Upload {
        /// The blob's digest.
        digest: Digest,
        /// The error of the upload's request.
        source: Box<Error>,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] At),
    /// An argument, a file or an answer is refused for another reason.
    #[error("{doing}: {fault}")]
    Refused {
        /// What was being done, as a participle and its object.
        doing: String,
        /// The rule that is violated.
        fault: String,
        /// What the user can do about it.
        hint: &'static str,
    },
}

impl Error {
    /// Whether the registry does not permit the request with these credentials: it answered 401 or 403, or grants no token.
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 401 | 403),
            Self::Authenticate { source, .. }
            | Self::GaveUp { source, .. }
            | Self::Upload { source, .. } => source.is_denied(),
            _ => false,
        }
    }

    pub(crate) fn refused(doing: String, fault: impl Display, hint: &'static str) -> Self {
        let fault = fault.to_string();
        Self::Refused { doing, fault, hint }
    }
}

/// The longest text shown of a dependency's error, in characters.
const SHOWN: usize = 1000;

/// The message of an error of the HTTP client with all its causes: the reason is two levels down. The
/// text is escaped for printing because the server chooses parts of it.
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    printable(&text, SHOWN)
}

fn pause(asked: &Option<Duration>) -> String {
    match asked {
        Some(pause) => format!("; the registry asks to wait {} s", pause.as_secs()),
        None => String::new(),
    }
}

fn detail(message: &str) -> String {
    match message.is_empty() {
        true => String::new(),
        false => format!(": {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_told_apart_from_other_failures() {
        let status = |status| Error::Status {
            url: "https://r.example/v2/".to_owned(),
            status,
            message: String::new(),
            retry_after: None,
        };
        let uploading = |status_of: u16| Error::Upload {
            digest: Digest::of(b"x"),
            source: Box::new(status(status_of)),
        };
        for denied in [401, 403] {
            assert!(status(denied).is_denied() && uploading(denied).is_denied());
        }
        for other in [400, 404, 429, 500] {
            assert!(!status(other).is_denied() && !uploading(other).is_denied());
        }
    }
}
