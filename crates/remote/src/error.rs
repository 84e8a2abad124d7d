use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use content::json::JsonError;
use content::{CheckError, Digest, printable};
use oci::{Repository, Tag};

use crate::CredentialFault;

/// Why a registry could not be asked, or what is wrong with its answer. Only [`Error::NotFound`]
/// says that something is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of certificate authorities that has none, or what is none.
    #[error("reading certificate authorities {}: {reason}", path.display())]
    Authorities {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A client that cannot be made.
    #[error("connecting to {registry}: {}", chain(source))]
    Connect {
        /// The registry.
        registry: String,
        /// Why.
        source: reqwest::Error,
    },
    /// Credentials that cannot be read, for a registry that wants some.
    #[error("reading credentials for {registry}: {fault}")]
    Credentials {
        /// The registry.
        registry: String,
        /// Why.
        fault: Arc<CredentialFault>,
    },
    /// A token service whose answer holds no token.
    #[error("requesting {url}: the answer holds no token")]
    NoToken {
        /// The service.
        url: String,
    },
    /// A registry that takes neither our credentials nor none.
    #[error("authenticating to {registry}: {source}")]
    Authenticate {
        /// The registry.
        registry: String,
        /// Why.
        source: Box<Error>,
    },
    /// Something that took too long.
    #[error("asking {registry}: not done in {seconds} s")]
    Timeout {
        /// The registry.
        registry: String,
        /// Seconds waited.
        seconds: u64,
    },
    /// Something that failed each time it was tried.
    #[error("{source} (tried {tries} times)")]
    GaveUp {
        /// How often it was tried.
        tries: u32,
        /// The last failure.
        source: Box<Error>,
    },
    /// A request without an answer, or an answer that breaks off.
    #[error("requesting {url}: {}", chain(source))]
    Transport {
        /// What was requested.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// An answer that is neither yes nor "not there".
    #[error("requesting {url}: status {status}{}{}", detail(.message), pause(.retry_after))]
    Status {
        /// What was requested.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the registry says about it, fit to print.
        message: String,
        /// How long the registry asks to wait before another try.
        retry_after: Option<Duration>,
    },
    /// The registry says that this is not there.
    #[error("requesting {url}: not found")]
    NotFound {
        /// What was requested.
        url: String,
    },
    /// An answer without a header that it must have, or with an unreadable one.
    #[error("requesting {url}: header {header} is missing or malformed")]
    Header {
        /// What was requested.
        url: String,
        /// The header.
        header: &'static str,
    },
    /// An answer from something that is no registry: a proxy's page, say.
    #[error("requesting {url}: expected {expected}, found {found}")]
    Foreign {
        /// What was requested.
        url: String,
        /// What should have come.
        expected: &'static str,
        /// What the answer says that it is, or how it begins; fit to print.
        found: String,
    },
    /// Content of another digest.
    #[error("requesting {url}: expected {expected}, found {actual}")]
    DigestMismatch {
        /// What was requested.
        url: String,
        /// The digest that it should have.
        expected: Digest,
        /// The digest that it has.
        actual: Digest,
    },
    /// Something to be pushed to a digest that it does not have.
    #[error("pushing to {repository}@{expected}: this is {actual}")]
    Target {
        /// The repository.
        repository: Repository,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of what would be pushed.
        actual: Digest,
    },
    /// Content of another size.
    #[error("requesting {url}: expected {expected} bytes, found {actual}")]
    SizeMismatch {
        /// What was requested.
        url: String,
        /// Bytes announced.
        expected: u64,
        /// Bytes seen, some of them perhaps only announced.
        actual: u64,
    },
    /// Content larger than anything of its kind may be.
    #[error("requesting {url}: larger than the limit of {limit} bytes")]
    Limit {
        /// What was requested.
        url: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// More referrers or signatures than anyone needs.
    #[error("requesting {url}: more than {limit} entries")]
    Entries {
        /// What was requested.
        url: String,
        /// Entries allowed.
        limit: usize,
    },
    /// Manifests, indexes and images that cannot be read or written.
    #[error("requesting {repository}: {source}")]
    Image {
        /// Where it is from.
        repository: Repository,
        /// Why.
        source: Box<oci::Error>,
    },
    /// A manifest that cannot be changed as JSON.
    #[error("changing manifest: {0}")]
    Json(#[from] JsonError),
    /// A referrer without a subject.
    #[error("attaching referrer: manifest has no subject")]
    NoSubject,
    /// Other clients keep writing the same tag.
    #[error("changing {repository}:{tag}: others keep changing it, seen in {looks} looks")]
    Contended {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// Looks at it.
        looks: u32,
    },
    /// A blob that cannot be uploaded.
    #[error("uploading {digest}: {source}")]
    Upload {
        /// The blob.
        digest: Digest,
        /// Why.
        source: Box<Error>,
    },
    /// A file that is not what its descriptor says.
    #[error("uploading {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckError,
    },
    /// A file that cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A layout that cannot be read.
    #[error("reading layout: {0}")]
    Layout(#[source] Box<oci::Error>),
}

/// Characters of an error from a dependency that are repeated.
const SHOWN: usize = 1000;

/// An error with all its causes, since HTTP clients keep the reason two levels down. Registries
/// choose parts of the text, so it is made fit to print.
fn chain(error: &dyn StdError) -> String {
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
