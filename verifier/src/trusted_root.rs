//! Updates a trusted root from the TUF repository of a Sigstore instance. Only the command for it does so: a verdict is always by
//! the root that the policy names.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use chrono::{DateTime, Utc};
use console::at::{self, At, shown};
use console::hint::Hinted;
use console::text;
use content::Digest;
use keyless::TrustRoot;
use keyless::signing::SigningConfig;
use keyless::update::{
    self, Fetched, Files, LARGEST, ROOTS, SIGNING_CONFIG, TRUSTED_ROOT, Unfetched, UpdateError,
};
use remote::Mirror;
use scratch::Scratch;
use serde_json::{Value, json};

use crate::Error;
use crate::place::Cause;

/// The most files of earlier roots in a store.
const MOST_ROOTS: usize = 1024;
/// A file that is locked while an update reads and writes the store.
const LOCK: &str = ".lock";

/// An update.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The trusted root metadata of the repository.
    pub root: &'a Path,
    /// The digest that the root metadata must have.
    pub checksum: Option<Digest>,
    /// The directory that keeps what was verified, so that older metadata is refused.
    pub store: &'a Path,
    /// The file to write the trusted root to.
    pub output: &'a Path,
    /// The file to write the signing config to.
    pub signing_config: Option<&'a Path>,
    /// The time for which metadata must not have expired.
    pub now: DateTime<Utc>,
}

/// What an update has written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// The digest of the trusted root.
    pub digest: Digest,
    /// The version of the root metadata.
    pub root: u64,
    /// The version of the timestamp metadata.
    pub timestamp: u64,
    /// When the timestamp metadata expires (RFC 3339).
    pub expires: String,
}

impl Report {
    /// What was verified, on one line.
    pub fn line(&self) -> String {
        let (root, timestamp) = (self.root, self.timestamp);
        let line = format!(
            "root {root}, timestamp {timestamp}, which expires at {}",
            self.expires
        );
        text::line(&line)
    }
}

/// An update as JSON.
pub fn to_json(updated: &Result<Report, String>) -> Value {
    match updated {
        Ok(report) => json!({
            "updated": true,
            "digest": report.digest.to_string(),
            "root": report.root,
            "timestamp": report.timestamp,
            "expires": report.expires,
        }),
        Err(reason) => json!({"updated": false, "reason": reason}),
    }
}

/// Updates the store from the mirror, and writes the trusted root. The inner result is a refusal: what the mirror has does not
/// verify, has expired or is older than what the store has.
///
/// # Errors
/// A file cannot be read or written, the mirror does not answer, or the store is of another repository.
pub async fn update(
    mirror: Mirror,
    request: &Request<'_>,
) -> Result<Result<Report, String>, Error> {
    let root = at::read(request.root, LARGEST)?;
    if let Some(expected) = request.checksum
        && expected != Digest::of(&root)
    {
        let found = Digest::of(&root);
        let path = shown(request.root);
        return Ok(Err(format!(
            "reading {path}: expected {expected}, found {found}"
        )));
    }
    fs::create_dir_all(request.store).map_err(At::writing(request.store))?;
    let _held = hold(request.store)?;
    let mut files = read(request.store)?;
    let before = files.clone();
    let config = request.signing_config.map(|_| SIGNING_CONFIG);
    let wanted: Vec<&str> = [TRUSTED_ROOT].into_iter().chain(config).collect();
    let updated = update::update(&root, &mut files, Server(mirror), &wanted, request.now).await;
    write(request.store, &before, &files)?;
    let updated = match updated {
        Ok(updated) => updated,
        Err(UpdateError::Refused(reason)) => return Ok(Err(reason)),
        Err(error) => return Err(failed(request.store, &error).into()),
    };
    let mut targets = updated.targets.into_iter();
    let trusted = targets.next().unwrap_or_default();
    if let Err(refusal) = TrustRoot::parse(&trusted) {
        return Ok(Err(format!("{TRUSTED_ROOT}: {refusal}")));
    }
    let config = request.signing_config.zip(targets.next());
    if let Some((_, config)) = &config
        && let Err(error) = SigningConfig::parse(config)
    {
        return Ok(Err(format!("{SIGNING_CONFIG}: {error}")));
    }
    replace(request.output, &trusted)?;
    if let Some((path, config)) = config {
        replace(path, &config)?;
    }
    Ok(Ok(Report {
        digest: Digest::of(&trusted),
        root: updated.root,
        timestamp: updated.timestamp,
        expires: updated.expires,
    }))
}

fn failed(store: &Path, error: &UpdateError) -> Hinted {
    match error {
        UpdateError::Store(_) => Hinted::new(format_args!("reading store {}: {error}", shown(store))).hinting(
            "give the root and the store of one repository; an empty directory forgets which metadata was the newest",
        ),
        _ => Hinted::new(format_args!("updating the trusted root: {error}")).hinting(
            "check --mirror: it is the URL below which timestamp.json is",
        ),
    }
}

/// Locks a store until the file is dropped.
fn hold(store: &Path) -> Result<File, Error> {
    let path = store.join(LOCK);
    let file = File::create(&path).map_err(At::writing(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Hinted::new(format_args!(
            "locking store {}: another process updates it",
            shown(store)
        ))
        .hinting("wait until it has ended, and repeat the command")
        .into()),
        Err(TryLockError::Error(error)) => Err(At::doing("locking", &path)(error).into()),
    }
}

/// The files of a store. One that cannot be read is not absent.
fn read(store: &Path) -> Result<Files, Error> {
    let mut names: Vec<String> = update::FILES.map(str::to_owned).into();
    let roots = store.join(ROOTS);
    match fs::read_dir(&roots) {
        Ok(entries) => {
            for entry in entries {
                let name = entry.map_err(At::reading(&roots))?.file_name();
                names.push(format!("{ROOTS}/{}", name.to_string_lossy()));
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(At::reading(&roots)(error).into()),
    }
    names.retain(|name| update::is_stored(name));
    if names.len() > MOST_ROOTS {
        let many = Hinted::new(format_args!(
            "reading {}: more than {MOST_ROOTS} files",
            shown(&roots)
        ));
        return Err(many.into());
    }
    let mut files = Files::new();
    for name in names {
        match at::read(&store.join(&name), LARGEST) {
            Ok(bytes) => drop(files.insert(name, bytes)),
            Err(at) if at.source.kind() == ErrorKind::NotFound => {}
            Err(at) => return Err(at.into()),
        }
    }
    Ok(files)
}

/// Writes the files that have changed. If the process ends meanwhile, the next one can use the store.
fn write(store: &Path, before: &Files, files: &Files) -> Result<(), Error> {
    let roots = store.join(ROOTS);
    fs::create_dir_all(&roots).map_err(At::writing(&roots))?;
    for (name, bytes) in update::in_order(files) {
        if before.get(name).map(Vec::as_slice) != Some(bytes) {
            replace(&store.join(name), bytes)?;
        }
    }
    Ok(())
}

/// Replaces a file as a whole.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = || -> io::Result<()> {
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let scratch = Scratch::below(parent.unwrap_or(Path::new(".")))?;
        let making = scratch.path().join("new");
        fs::write(&making, bytes)?;
        File::open(&making)?.sync_all()?;
        fs::rename(&making, path)
    };
    Ok(written().map_err(At::writing(path))?)
}

/// A mirror that is asked by HTTP.
struct Server(Mirror);

impl update::Mirror for Server {
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetched<'a> {
        Box::pin(async move {
            self.0.get(path, limit).await.map_err(|error| match error {
                remote::Error::Limit { limit, .. } => Unfetched::Large(limit),
                other => Unfetched::Failed(Box::new(other)),
            })
        })
    }
}

/// Opens the mirror at an address.
///
/// # Errors
/// The address cannot be used, or the file of authorities cannot be read.
pub async fn mirror(address: &str, ca: Option<&Path>) -> Result<Mirror, Error> {
    let opened = async {
        let authorities = match ca {
            Some(path) => Some(remote::Authorities::read(path).await?),
            None => None,
        };
        Mirror::new(address, authorities.as_ref())
    };
    let opened = opened.await;
    Ok(opened.map_err(|error| Cause::Registry(error).doing("opening the mirror"))?)
}
