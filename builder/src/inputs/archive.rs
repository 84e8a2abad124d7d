//! Archives of toolchains: fetched by URL, checked by digest, and unpacked. The lock names the digest of the unpacked folder,
//! which is checked before each use.

mod format;
mod links;

use std::fs;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::progress::Meter;
use content::{Digest, Hasher};

use super::debian::{Downloads, Fault};
use super::normalize::normalize;
use super::store::{Key, Kind, Store, StoreError};
use super::supply::Supply;
use super::tree::{Tree, TreeError, holds};
use crate::at::At;
use crate::error::Error;
use crate::lock::archives::{ARCHIVE, Archive};
use crate::lock::{self, Lock};
use crate::spec::ArchiveSpec;
use crate::untrusted::shown;

/// Version of the rules by which archives are unpacked. Every change to them must raise it.
const RULES: u32 = 1;
/// Number of attempts at a download.
const TRIES: u32 = 3;

/// An unpacked archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mounted {
    /// The folder with its contents.
    pub folder: PathBuf,
    /// Its path in the sandbox.
    pub path: PathBuf,
}

/// Resolves the archives that `Image.toml` names, and fetches them into the store.
///
/// # Errors
/// An archive cannot be fetched, is another than named, or cannot be unpacked, or the work was interrupted.
pub(super) fn resolve(
    wanted: &[ArchiveSpec],
    earlier: Option<&Lock>,
    supply: &Supply<'_>,
) -> Result<Vec<Archive>, Error> {
    let earlier = earlier.map_or(&[][..], |lock| &lock.archives);
    let one = |spec: &ArchiveSpec| {
        let size = match supply.store.size(&key(spec))? {
            Some(size) => size,
            None => fetch(spec, supply)?,
        };
        let known = earlier
            .iter()
            .find(|one| one.url == spec.url && one.sha256 == spec.sha256);
        let noted = || supply.store.noted(&folder_of(spec, supply.store));
        let known = known.map(|one| one.tree).or_else(noted);
        let folder = folder_of(spec, supply.store);
        let tree = match known {
            Some(known) if holds(&folder, &known, supply.interrupt).map_err(unread)? => {
                supply.store.used(folder);
                known
            }
            _ => unpack(spec, size, supply)?,
        };
        Ok(Archive {
            url: spec.url.clone(),
            sha256: spec.sha256,
            size,
            tree,
        })
    };
    wanted.iter().map(one).collect()
}

/// The folders of the archives that a lock names, which must be those that `Image.toml` names. They are fetched and unpacked if
/// they are missing or have changed.
///
/// # Errors
/// An archive cannot be fetched, or is another than locked, or the work was interrupted.
pub(super) fn prepare(
    wanted: &[ArchiveSpec],
    locked: &[Archive],
    supply: &Supply<'_>,
) -> Result<Vec<Mounted>, Error> {
    let pairs = pairs(wanted, locked)?;
    pairs
        .map(|(spec, locked)| prepare_one(spec, locked, supply))
        .collect()
}

/// Fetches the locked archives that the store does not have. A build does not need those that it has unpacked.
///
/// # Errors
/// An archive cannot be fetched, or is another than locked, or the work was interrupted.
pub(super) fn complete(
    wanted: &[ArchiveSpec],
    locked: &[Archive],
    supply: &Supply<'_>,
) -> Result<(), Error> {
    for (spec, locked) in pairs(wanted, locked)? {
        if supply.store.size(&key(spec))? != Some(locked.size) {
            fetch(spec, supply)?;
        }
    }
    Ok(())
}

/// The archives of `Image.toml` with those of the lock, which must be the same.
fn pairs<'a>(
    wanted: &'a [ArchiveSpec],
    locked: &'a [Archive],
) -> Result<impl Iterator<Item = (&'a ArchiveSpec, &'a Archive)>, Hinted> {
    let named = wanted.iter().map(|one| (&one.url, one.sha256));
    if !named.eq(locked.iter().map(|one| (&one.url, one.sha256))) {
        let other = Hinted::new("checking Image.lock: its archives are not those of Image.toml");
        return Err(other.hinting(lock::AGAIN));
    }
    Ok(wanted.iter().zip(locked))
}

fn prepare_one(
    spec: &ArchiveSpec,
    locked: &Archive,
    supply: &Supply<'_>,
) -> Result<Mounted, Error> {
    let store = supply.store;
    let folder = folder_of(spec, store);
    let holds = || holds(&folder, &locked.tree, supply.interrupt).map_err(unread);
    let mounted = |folder: PathBuf| Mounted {
        folder: store.used(folder),
        path: spec.path.clone(),
    };
    if holds()? {
        return Ok(mounted(folder));
    }
    let _alone = store.alone(&store.unpacked(), supply.interrupt)?;
    // Another process may have unpacked it in the meantime.
    if holds()? {
        return Ok(mounted(folder));
    }
    store.discard(&folder)?;
    if store.size(&key(spec))? != Some(locked.size) {
        fetch(spec, supply)?;
    }
    let found = unpack(spec, locked.size, supply)?;
    if found != locked.tree {
        let (url, expected) = (shown(&spec.url), locked.tree);
        return Err(Hinted::new(format_args!(
            "checking unpacked archive {url}: expected {expected}, found {found}"
        ))
        .hinting(lock::AGAIN)
        .into());
    }
    match holds()? {
        true => Ok(mounted(folder)),
        false => Err(StoreError::disturbed("unpacked archive", &folder).into()),
    }
}

fn key(spec: &ArchiveSpec) -> Key<'_> {
    Key {
        kind: Kind::Archive,
        name: &spec.url,
        version: "",
        digest: spec.sha256,
    }
}

fn folder_of(spec: &ArchiveSpec, store: &Store) -> PathBuf {
    let mut key = Hasher::new();
    let (sha256, strip) = (spec.sha256.hex(), spec.strip);
    key.update(format!("rules {RULES}\0{sha256} {strip} {}", spec.url).as_bytes());
    store.unpacked().join(key.finish().hex())
}

/// The folders of archives, which are unpacked.
pub(super) fn folders(wanted: &[ArchiveSpec], store: &Store) -> Vec<PathBuf> {
    let folders = wanted.iter().map(|spec| folder_of(spec, store));
    folders.collect()
}

fn unread(error: TreeError) -> Error {
    Hinted::doing("checking unpacked archive", error).into()
}

/// Fetches an archive into the store. Returns its size.
fn fetch(spec: &ArchiveSpec, supply: &Supply<'_>) -> Result<u64, Error> {
    let url = shown(&spec.url);
    supply.check_network(format_args!("archive {url}"))?;
    supply.during(format_args!("fetch archive {url}"), |step| {
        let bytes = download(spec, &step.meter(), supply)?;
        keep(spec, &bytes, supply)
    })
}

fn download(spec: &ArchiveSpec, meter: &Meter, supply: &Supply<'_>) -> Result<Vec<u8>, Error> {
    let url = shown(&spec.url);
    let downloads = Downloads::of_archives(supply.archive.runtime);
    let mut downloads = downloads.map_err(|error| {
        Hinted::new(format_args!("fetching archive {url}: {error}")).hinting(
            "HTTPS needs certificate authorities: install ca-certificates, or name them with SSL_CERT_FILE",
        )
    })?;
    downloads.count_one(meter);
    let mut tries = 1;
    loop {
        match downloads.get(&spec.url, ARCHIVE, supply.interrupt)? {
            Ok(bytes) => return Ok(bytes),
            Err(fault) if tries < TRIES && !fault.is_absence() => tries += 1,
            Err(fault) => {
                let hint = unfetched(&fault);
                let fault = Hinted::doing(format_args!("fetching archive {url}"), fault);
                return Err(fault.hinting(hint).into());
            }
        }
    }
}

/// Keeps an archive in the store, if it has the digest of `Image.toml`. Returns its size.
fn keep(spec: &ArchiveSpec, bytes: &[u8], supply: &Supply<'_>) -> Result<u64, Error> {
    let size = bytes.len() as u64;
    let kept = supply.store.keep(&key(spec), bytes, size);
    match kept {
        Ok(()) => Ok(size),
        Err(error @ StoreError::Came { .. }) => Err(Hinted::from_error(error)
            .hinting("compare sha256 in Image.toml with the digest that the publisher of the archive names")
            .into()),
        Err(error) => Err(error.into()),
    }
}

fn unfetched(fault: &Fault) -> &'static str {
    match fault.is_absence() {
        true => "check the URL in Image.toml; a --store that has the archive needs no network",
        false => "check the network and the proxy; a --store that has the archive needs no network",
    }
}

/// Unpacks an archive of the store into its folder. Returns the digest of the folder.
fn unpack(spec: &ArchiveSpec, size: u64, supply: &Supply<'_>) -> Result<Digest, Error> {
    let name = format!("unpack archive {}", shown(&spec.url));
    supply.during(name, |_| unpack_kept(spec, size, supply))
}

fn unpack_kept(spec: &ArchiveSpec, size: u64, supply: &Supply<'_>) -> Result<Digest, Error> {
    let store = supply.store;
    let bytes = store.read(&key(spec), size)?;
    let scratch = store.scratch()?;
    let folder = scratch.path().join("archive");
    fs::create_dir(&folder).map_err(At::writing(&folder))?;
    format::unpack(&bytes, spec.strip, &folder, supply.interrupt)
        .map_err(|fault| unusable(spec, fault))?;
    check(&folder).map_err(|reason| unusable(spec, super::unpack::Fault::Wrong(reason)))?;
    normalize(&folder).map_err(At::writing(&folder))?;
    let tree = Tree::of(&folder, supply.interrupt)
        .map_err(unread)?
        .digest();
    let place = folder_of(spec, store);
    store.publish(&folder, &place)?;
    store.note_digest(&place, &tree)?;
    Ok(tree)
}

/// Checks that something was unpacked, and that no link leads out of it.
fn check(folder: &Path) -> Result<(), String> {
    let mut entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    if entries.next().is_none() {
        return Err("no file is left: the value of strip in Image.toml is too large".to_owned());
    }
    links::check(folder)
}

fn unusable(spec: &ArchiveSpec, fault: super::unpack::Fault) -> Error {
    use super::unpack::Fault;
    match fault {
        Fault::Wrong(reason) => {
            let (url, reason) = (shown(&spec.url), shown(&reason));
            let wrong = format_args!("unpacking archive {url}: {reason}");
            Hinted::new(wrong)
                .hinting(
                    "an archive is tar, tar.gz, tar.xz or zip, and its links lead to its own files",
                )
                .into()
        }
        Fault::At(at) => at.into(),
        Fault::Interrupted(interrupted) => interrupted.into(),
    }
}
