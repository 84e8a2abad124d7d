use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use content::json::JsonError;
use content::{CheckError, Digest, printable};
use oci::{Repository, Tag};

use crate::CredentialFault;

/// The error of a request to a registry. Only [`Error::NotFound`] means that the content does not
/// exist.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of certificate authorities holds no certificate or an invalid one.
    #[error("reading certificate authorities {}: {reason}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        reason: String,
    },
    /// The HTTP client cannot be built.
    #[error("connecting to {registry}: {}", chain(source))]
    Connect {
        /// The registry's host and port.
        registry: String,
        /// The client's error.
        source: reqwest::Error,
    },
    /// The credentials cannot be read, and the registry requires them.
    #[error("reading credentials for {registry}: {fault}")]
    Credentials {
        /// The registry's host and port.
        registry: String,
        /// The error of the credential store.
        fault: Arc<CredentialFault>,
    },
    /// The token service's answer contains no token.
    #[error("requesting {url}: the answer contains no token")]
    NoToken {
        /// The token service's URL, without its query.
        url: String,
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
    /// A request got no answer, or the connection broke during the answer.
    #[error("requesting {url}: {}", chain(source))]
    Transport {
        /// The URL requested.
        url: String,
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
    /// An answer lacks a required header, or the header is malformed.
    #[error("requesting {url}: header {header} is missing or malformed")]
    Header {
        /// The URL requested.
        url: String,
        /// The header's name.
        header: &'static str,
    },
    /// An answer that does not come from a registry, for example the login page of a proxy.
    #[error("requesting {url}: expected {expected}, found {found}")]
    Foreign {
        /// The URL requested.
        url: String,
        /// The kind of content expected.
        expected: &'static str,
        /// The media type or the beginning of the answer, escaped for printing.
        found: String,
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
    /// The manifest to push does not have the digest that the target names.
    #[error("pushing to {repository}@{expected}: the manifest has the digest {actual}")]
    Target {
        /// The repository.
        repository: Repository,
        /// The digest that the target names.
        expected: Digest,
        /// The digest of the manifest.
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
    /// A manifest or list is not strict JSON and cannot be changed.
    #[error("changing manifest: {0}")]
    Json(#[from] JsonError),
    /// A manifest without `subject` cannot be attached as a referrer.
    #[error("attaching referrer: manifest has no subject")]
    NoSubject,
    /// Other clients keep writing the same tag.
    #[error("changing {repository}:{tag}: other clients keep changing it (read {looks} times)")]
    Contended {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// How many times the tag was read.
        looks: u32,
    },
    /// A blob cannot be uploaded.
    #[error("uploading {digest}: {source}")]
    Upload {
        /// The blob's digest.
        digest: Digest,
        /// The error of the upload's request.
        source: Box<Error>,
    },
    /// A file differs from its descriptor in size or digest.
    #[error("uploading {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The expected and the actual size or digest.
        source: CheckError,
    },
    /// A file cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An OCI image layout cannot be read.
    #[error("reading layout: {0}")]
    Layout(#[source] Box<oci::Error>),
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
