//! Updates of a trusted root from a repository of The Update Framework (TUF, specification 1.0), as each Sigstore instance
//! publishes one: root, timestamp, snapshot and targets metadata, each verified before the next is fetched.
//!
//! The metadata is verified by `sigstore-tuf`. What this module adds: an error of the store is not an empty store, a store
//! that does not descend from the given root is refused, and no name in metadata becomes the name of a file.

mod store;

use std::error::Error as StdError;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Metadata, Repository, Root, Updater};

pub use store::{FILES, Files, LARGEST, ROOTS, in_order, is_stored};
use store::{Memory, is_earlier_root, root_file};

/// The target with the keys and certificates of a Sigstore instance.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// The target with the addresses of a Sigstore instance's services.
pub const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// A file of a repository; `None` if the repository does not have it.
pub type Fetched<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, Unfetched>> + Send + 'a>>;

/// Fetches the files of a repository.
pub trait Mirror: Send + Sync {
    /// Fetches the file at `path`, which is relative to the repository, of at most `limit` bytes.
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetched<'a>;
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum Unfetched {
    /// It is larger than the limit.
    #[error("larger than {0} bytes")]
    Large(u64),
    /// The repository cannot be reached, or does not answer.
    #[error(transparent)]
    Failed(Box<dyn StdError + Send + Sync>),
}

/// Why there is no update.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// What the repository has does not verify, has expired, is older than what is known, or is not what was asked for.
    #[error("{0}")]
    Refused(String),
    /// The repository did not answer, or does not have a file that each repository has.
    #[error("{0}")]
    Unfetched(String),
    /// The store cannot be that of this repository.
    #[error("{0}")]
    Store(String),
}

/// What is known after an update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Updated {
    /// The version of the root metadata.
    pub root: u64,
    /// The version of the timestamp metadata.
    pub timestamp: u64,
    /// When the timestamp metadata expires (RFC 3339).
    pub expires: String,
    /// The targets that were asked for, in that order.
    pub targets: Vec<Vec<u8>>,
}

/// Updates the metadata as of `now`, beginning with the trusted `root` and with what earlier updates have left in `files`, and
/// fetches the `wanted` targets. Afterwards `files` has all metadata that was verified, also if there is an error: it must be kept
/// for the next update, which refuses older metadata.
///
/// # Errors
/// See [`UpdateError`].
pub async fn update(
    root: &[u8],
    files: &mut Files,
    mirror: impl Mirror + 'static,
    wanted: &[&str],
    now: DateTime<Utc>,
) -> Result<Updated, UpdateError> {
    let known = known_root(files)?;
    if let Some((version, bytes)) = &known {
        // The process that wrote it may have ended before it wrote it once more.
        let kept = files.entry(root_file(*version));
        kept.or_insert_with(|| bytes.clone());
    }
    let memory = Memory::new(files.clone());
    let updater = Updater::new(Adapter(mirror), root);
    let updater = updater.map_err(|error| {
        UpdateError::Refused(format!("verifying the given root: {}", chain(&error)))
    })?;
    let updater = updater.with_store(memory.clone());
    descends(known, &updater)?;
    let updated = run(updater, wanted, now).await;
    *files = memory.files();
    updated
}

/// The version and bytes of the root that earlier updates have left.
fn known_root(files: &Files) -> Result<Option<(u64, Vec<u8>)>, UpdateError> {
    let Some(bytes) = files.get("root.json") else {
        // Earlier roots alone are what a process leaves that ended while it wrote a new store.
        return match files.keys().find(|name| !is_earlier_root(name)) {
            Some(name) => Err(UpdateError::Store(format!(
                "it has {name}, but no root.json"
            ))),
            None => Ok(None),
        };
    };
    for (name, bytes) in files {
        let parsed = content::json::parse::<serde_json::Value>(bytes, LARGEST);
        parsed.map_err(|error| UpdateError::Store(format!("{name}: {error}")))?;
    }
    let root = Metadata::<Root>::from_slice(bytes);
    let root = root.map_err(|error| UpdateError::Store(format!("root.json: {}", chain(&error))))?;
    Ok(Some((root.signed().version, bytes.clone())))
}

/// Refuses a store whose root was not reached from the given one: its other files would not verify, and would be forgotten.
fn descends(known: Option<(u64, Vec<u8>)>, updater: &Updater) -> Result<(), UpdateError> {
    let (trusted, bytes) = (
        updater.trusted().root().version,
        updater.trusted().root_bytes(),
    );
    match known {
        Some((version, _)) if version > trusted => Err(UpdateError::Store(format!(
            "its root has version {version}, which does not follow from version {trusted}, the given one"
        ))),
        Some((version, known)) if version == trusted && known != bytes => Err(UpdateError::Store(
            format!("its root of version {version} is another than the given one"),
        )),
        _ => Ok(()),
    }
}

async fn run(
    mut updater: Updater,
    wanted: &[&str],
    now: DateTime<Utc>,
) -> Result<Updated, UpdateError> {
    let now = now.to_rfc3339();
    let now = now
        .parse()
        .map_err(|error| UpdateError::Unfetched(format!("reading the time {now}: {error}")))?;
    updater.refresh(now).await.map_err(sorted)?;
    let mut targets = Vec::new();
    for name in wanted {
        let found = updater.get_target_info(name, now).await.map_err(sorted)?;
        let found =
            found.ok_or_else(|| UpdateError::Refused(format!("the repository has no {name}")))?;
        targets.push(
            updater
                .download_target(&found, name)
                .await
                .map_err(sorted)?,
        );
    }
    let trusted = updater.trusted();
    let timestamp = trusted.timestamp();
    Ok(Updated {
        root: trusted.root().version,
        timestamp: timestamp.map_or(0, |timestamp| timestamp.version),
        expires: timestamp.map_or_else(String::new, |timestamp| timestamp.expires.to_string()),
        targets,
    })
}

/// An attacker who controls the mirror can cause every error except those of the connection.
fn sorted(error: Error) -> UpdateError {
    let Error::Transport { message, source } = &error else {
        return UpdateError::Refused(chain(&error));
    };
    let cause = source.as_ref().and_then(|source| source.downcast_ref());
    match cause {
        Some(large @ Unfetched::Large(_)) => UpdateError::Refused(format!("{message}: {large}")),
        Some(failed @ Unfetched::Failed(_)) => UpdateError::Unfetched(failed.to_string()),
        None => UpdateError::Unfetched(message.clone()),
    }
}

/// The message of an error with those of its causes.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// A mirror as the library asks for files.
struct Adapter<M>(M);

impl<M: Mirror> Adapter<M> {
    fn fetch<'a>(&'a self, path: String, limit: u64) -> FetchFuture<'a> {
        Box::pin(async move {
            let fetched = self.0.fetch(&path, limit).await;
            let large = |bytes: &Vec<u8>| bytes.len() as u64 > limit;
            match fetched {
                Ok(Some(bytes)) if large(&bytes) => Err(Unfetched::Large(limit)),
                other => other,
            }
            .map_err(|cause| Error::transport_with_source(format!("fetching {path}"), cause))
        })
    }
}

impl<M: Mirror> Repository for Adapter<M> {
    fn fetch_metadata<'a>(&'a self, name: &'a str, limit: u64) -> FetchFuture<'a> {
        self.fetch(name.to_owned(), limit)
    }

    fn fetch_target<'a>(&'a self, path: &'a str, limit: u64) -> FetchFuture<'a> {
        self.fetch(format!("targets/{path}"), limit)
    }
}
