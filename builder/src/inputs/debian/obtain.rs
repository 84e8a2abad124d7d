//! The files of the locked index: from the store, from `--evidence`, or from the archive while it still has them.

use std::io;
use std::path::Path;

use console::hint::Hinted;
use content::Digest;

use super::{ArchiveError, Archives, Evidence, evidence};
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::store::{Key, Kind};
use crate::lock::index::{IndexFile, SignedIndex};
use crate::spec::Section;

/// A file of the locked index.
struct Wanted<'a> {
    /// The suite, if the lock names several.
    suite: Option<&'a str>,
    name: &'static str,
    sha256: Digest,
    size: u64,
}

impl<'a> Wanted<'a> {
    fn new<const LIMIT: u64>(
        locked: &'a SignedIndex,
        name: &'static str,
        file: IndexFile<LIMIT>,
    ) -> Self {
        let IndexFile { sha256, size } = file;
        Self {
            suite: locked.suite.as_deref(),
            name,
            sha256,
            size,
        }
    }

    fn release(locked: &'a SignedIndex) -> Self {
        Self::new(locked, evidence::RELEASE, locked.release)
    }

    fn packages(locked: &'a SignedIndex) -> Self {
        Self::new(locked, evidence::PACKAGES, locked.packages)
    }

    fn keyring(locked: &'a SignedIndex) -> Self {
        Self::new(locked, evidence::KEYRING, locked.keyring)
    }

    /// Its key in the store.
    fn key<'b>(&self, suite: &'b str) -> Key<'b> {
        Key {
            kind: Kind::Index,
            name: self.name,
            version: suite,
            digest: self.sha256,
        }
    }
}

/// The files of the locked index. The store keeps them.
///
/// # Errors
/// A file cannot be found, or differs from the locked one.
pub(super) fn obtain(
    locked: &SignedIndex,
    section: Section<'_>,
    supply: &Supply<'_>,
) -> Result<Evidence, ArchiveError> {
    let interrupt = supply.interrupt;
    let sha256 = locked.packages.sha256;
    let release = |archive: &Archives| archive.release(section, interrupt);
    let packages = |archive: &Archives| archive.list_with(section, &sha256, interrupt);
    Ok(Evidence {
        release: bring(&Wanted::release(locked), section, supply, release)?,
        packages: bring(&Wanted::packages(locked), section, supply, packages)?,
        keyring: bring(&Wanted::keyring(locked), section, supply, Archives::keyring)?,
    })
}

fn bring(
    wanted: &Wanted<'_>,
    section: Section<'_>,
    supply: &Supply<'_>,
    fetch: impl Fn(&Archives) -> Fetched,
) -> Fetched {
    match local(wanted, section, supply)? {
        Some(bytes) => Ok(bytes),
        None => served(wanted, section, supply, fetch),
    }
}

/// Keeps the files of an index that was just resolved.
///
/// # Errors
/// The store cannot be used.
pub(super) fn keep(
    evidence: &Evidence,
    locked: &SignedIndex,
    section: Section<'_>,
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    let wanted = [
        Wanted::release(locked),
        Wanted::packages(locked),
        Wanted::keyring(locked),
    ];
    for (wanted, (_, bytes)) in wanted.iter().zip(evidence.files()) {
        keep_one(wanted, bytes, section, supply)?;
    }
    Ok(())
}

fn keep_one(
    wanted: &Wanted<'_>,
    bytes: &[u8],
    section: Section<'_>,
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    let key = wanted.key(section.suite);
    Ok(supply.store.keep(&key, bytes, wanted.size)?)
}

type Fetched = Result<Vec<u8>, ArchiveError>;

/// The file from the store or from `--evidence`.
fn local(
    wanted: &Wanted<'_>,
    section: Section<'_>,
    supply: &Supply<'_>,
) -> Result<Option<Vec<u8>>, ArchiveError> {
    let key = wanted.key(section.suite);
    if supply.store.size(&key)? == Some(wanted.size) {
        return Ok(Some(supply.store.read(&key, wanted.size)?));
    }
    let Some(folder) = supply.archive.evidence else {
        return Ok(None);
    };
    let found = provided(wanted, &evidence::folder_of(folder, wanted.suite))?;
    if let Some(bytes) = &found {
        keep_one(wanted, bytes, section, supply)?;
    }
    Ok(found)
}

/// The file from a folder of evidence; `None` if the folder does not have it.
fn provided(wanted: &Wanted<'_>, folder: &Path) -> Result<Option<Vec<u8>>, ArchiveError> {
    let path = folder.join(wanted.name);
    let file = match content::open_regular(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => {
            return Ok(None);
        }
        Err(source) => return Err(At::reading(&path)(source).into()),
    };
    let read = content::read_checked(file, wanted.sha256, wanted.size, wanted.size);
    Ok(Some(read.map_err(|error| {
        let checking = format!("checking {}", path.display());
        Hinted::doing(checking, error).hinting(
            "--evidence takes the directory `evidence` of a layout that was built with this lock",
        )
    })?))
}

/// The file that the archive serves now, or this machine has, if it is still the locked one.
fn served(
    wanted: &Wanted<'_>,
    section: Section<'_>,
    supply: &Supply<'_>,
    fetch: impl Fn(&Archives) -> Fetched,
) -> Fetched {
    supply.check_network(wanted.name)?;
    let bytes = supply.during(format_args!("fetch {}", wanted.name), |step| {
        let archive = Archives::find(&supply.archive, section)?.counting(&step.meter());
        fetch(&archive)
    })?;
    let found = Digest::of(&bytes);
    if found != wanted.sha256 {
        let moved = Hinted::new(format_args!(
            "fetching the locked {}: expected {}, found {found}",
            wanted.name, wanted.sha256
        ));
        let hint = "the archive now serves another index: pass the locked one, which is published with the image, \
                    with --evidence; or run `builder lock` again";
        return Err(moved.hinting(hint).into());
    }
    keep_one(wanted, &bytes, section, supply)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::debian::evidence::AllEvidence;
    use crate::inputs::store::Store;
    use std::fs;

    /// A locked index, and a folder with its files. The archive is unreachable.
    fn place() -> (tempfile::TempDir, SignedIndex, Section<'static>) {
        let place = tempfile::tempdir().unwrap();
        let evidence = Evidence {
            release: b"release".to_vec(),
            packages: b"packages".to_vec(),
            keyring: b"keyring".to_vec(),
        };
        let all = AllEvidence(vec![(None, evidence.clone())]);
        all.write(&place.path().join("evidence")).unwrap();
        let index = evidence.index(None, Vec::new(), "2026-07-07T00:00:00Z".parse().unwrap());
        let section = Section {
            suite: "test",
            component: "main",
            architecture: "amd64",
        };
        (place, index, section)
    }

    fn obtained(
        place: &Path,
        index: &SignedIndex,
        section: Section<'_>,
        store: &Store,
    ) -> Result<Evidence, ArchiveError> {
        let mut supply = Supply::of(store);
        supply.archive.url = Some("http://127.0.0.1:9");
        let folder = place.join("evidence");
        supply.archive.evidence = folder.is_dir().then_some(&folder);
        obtain(index, section, &supply)
    }

    #[test]
    fn files_are_kept() {
        let (place, index, section) = place();
        let store = Store::open(&place.path().join("store")).unwrap();
        let first = obtained(place.path(), &index, section, &store).unwrap();
        fs::remove_dir_all(place.path().join("evidence")).unwrap();
        let second = obtained(place.path(), &index, section, &store).unwrap();
        assert_eq!(first, second);
        assert_eq!(second.keyring, b"keyring");
    }

    #[test]
    fn missing_files_are_fetched() {
        let (place, index, section) = place();
        let store = Store::open(&place.path().join("store")).unwrap();
        fs::remove_file(place.path().join("evidence/Packages.xz")).unwrap();
        let error = obtained(place.path(), &index, section, &store).unwrap_err();
        let expected = "fetching dists/test/main/binary-amd64/by-hash/SHA256/";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn other_files_are_refused() {
        for name in ["InRelease", "Packages.xz", "keyring.gpg"] {
            for bytes in [&b"swapped"[..], b"longer than the lock says", b""] {
                let (place, index, section) = place();
                let store = Store::open(&place.path().join("store")).unwrap();
                let path = place.path().join("evidence").join(name);
                fs::write(&path, bytes).unwrap();
                let error = obtained(place.path(), &index, section, &store).unwrap_err();
                let start = format!("checking {}: ", path.display());
                assert!(error.to_string().starts_with(&start), "{error}");
            }
        }
    }
}
