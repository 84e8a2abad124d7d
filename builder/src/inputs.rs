//! `Image.lock`: every input from outside, by path, size and digest. Committed beside `Image.toml`; the
//! source itself is named when it is built, since a lock cannot name the commit that holds it.

pub mod cargo;
pub mod debian;
pub mod git;
pub(crate) mod normalize;
pub mod store;
mod supply;
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use content::{Digest, limits};
use serde::{Deserialize, Serialize};

use crate::interrupt::Interrupted;
use crate::lock::crates::{Crate, Named};
use crate::lock::index::SignedIndex;
use crate::lock::packages::Package;
use crate::lock::time::Time;
use crate::spec::{RootSpec, Spec};
use crate::told;
use cargo::{CargoLock, CrateError, RegistryCheck};
use debian::root::{self, RootError};
use debian::{Archive, ArchiveError, ChainError, Evidence, chain, obtain};
use git::SourceError;
pub use supply::Supply;

/// File names beside each other.
pub const SPEC: &str = "Image.toml";
pub(crate) const LOCK: &str = "Image.lock";
pub(crate) const CARGO_LOCK: &str = "Cargo.lock";
const HEAD: &str =
    "# Every input of the image, by digest. Written by `builder lock`; not to be edited.\n\n";

/// Version of the format. Version 1 did not say which index its packages are from.
const VERSION: u32 = 2;

/// Every input from outside.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of this format: 2.
    pub version: u32,
    /// Digest of the `Image.toml` that this lock resolves.
    pub spec: Digest,
    /// Digest of the `Cargo.lock` whose crates these are.
    pub cargo_lock: Digest,
    /// Digest of the unpacked build root.
    pub root: Digest,
    /// The signed package index that names the packages.
    pub index: SignedIndex,
    /// The packages that make the build root, by name.
    #[serde(rename = "package")]
    pub packages: Vec<Package>,
    /// The crates, by name and version.
    #[serde(rename = "crate")]
    pub crates: Vec<Crate>,
}

/// A lock that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A file.
    #[error("reading {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no lock.
    #[error("reading {}: there is no lock", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// A file that does not say what it should.
    #[error("parsing {}: {}", path.display(), told::toml(source))]
    Parse {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: toml::de::Error,
    },
    /// A lock of a version that we do not know.
    #[error("reading Image.lock: expected version 2, found {found}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// The lock is older than what it locks.
    #[error("checking Image.lock: it locks another {file}: expected {expected}, found {found}")]
    Stale {
        /// What has changed since.
        file: &'static str,
        /// The digest in the lock.
        expected: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// The lock names other crates than `Cargo.lock`.
    #[error("checking Image.lock: its crates are not those of Cargo.lock: {first}")]
    Other {
        /// The first that one of them lacks.
        first: Named,
    },
    /// A lock that cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A lock that cannot be worded.
    #[error("writing Image.lock: {0}")]
    Text(#[from] toml::ser::Error),
    /// The package archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive has not signed what is locked.
    #[error(transparent)]
    Chain(ChainError),
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Crates.
    #[error(transparent)]
    Crates(#[from] CrateError),
    /// The build root.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl LockError {
    /// The same, with a file below `top` named from there: what was staged from a commit is gone when
    /// somebody reads this.
    #[must_use]
    pub fn named_from(mut self, top: &Path) -> Self {
        if let Self::File { path, .. } | Self::Missing { path } | Self::Parse { path, .. } =
            &mut self
            && let Ok(within) = path.strip_prefix(top)
        {
            *path = within.to_owned();
        }
        self
    }
}

/// What stands in a folder with `Image.toml`.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// `Image.toml`, parsed.
    pub spec: Spec,
    spec_digest: Digest,
    cargo_lock: String,
}

impl Wanted {
    /// Reads `Image.toml` in `folder`, and the `Cargo.lock` that cargo reads for the crate there.
    ///
    /// # Errors
    /// They are missing or cannot be read.
    pub fn read(folder: &Path, cargo_lock: &Path) -> Result<Self, LockError> {
        let path = folder.join(SPEC);
        let text = read(&path)?;
        let spec = Spec::parse(&text).map_err(|source| LockError::Parse { path, source })?;
        let cargo_lock = read(cargo_lock)?;
        Ok(Self {
            spec,
            spec_digest: Digest::of(text.as_bytes()),
            cargo_lock,
        })
    }
}

impl Lock {
    /// Resolves every input of the folder: the packages by the archive's signed index, the crates by
    /// `Cargo.lock`. All are fetched into the store, and the build root is unpacked, since its
    /// digest is locked too, unless an earlier lock has the same one. The index must be valid at `now`.
    ///
    /// # Errors
    /// Something cannot be found, fetched, believed or kept, or somebody interrupted.
    pub fn resolve(folder: &Path, supply: &Supply<'_>, now: Time) -> Result<Self, LockError> {
        let wanted = Wanted::read(folder, &git::cargo_lock(folder)?)?;
        let cargo_lock = CargoLock::parse(&wanted.cargo_lock)?;
        let root = &wanted.spec.root;
        let archive = Archive::find(&supply.archive, root)?;
        supply.step("reading the archive's signed index")?;
        let found = archive.resolve(root, supply.archive.signers, now, supply.interrupt)?;
        let packages = found.index.closure(&root.packages);
        let packages = packages.map_err(|error| ArchiveError::from(ChainError::from(error)))?;
        let earlier = earlier(folder);
        let index = SignedIndex::of(&found.evidence, found.signatures, now)
            .dated_as(earlier.as_ref().map(|lock| &lock.index));
        obtain::keep(&found.evidence, &index, root, supply)?;
        supply.fetch(&supply.missing(&packages)?, &archive)?;
        supply.step("fetching crates")?;
        let crates = cargo::fetch(&cargo_lock, supply)?;
        supply.step("unpacking the build root")?;
        let known = earlier.filter(|lock| lock.packages == packages);
        let known = known.map(|lock| lock.root);
        let root = root::resolve(known.as_ref(), &packages, supply)?;
        Ok(Self {
            version: VERSION,
            spec: wanted.spec_digest,
            cargo_lock: Digest::of(wanted.cargo_lock.as_bytes()),
            root,
            index,
            packages,
            crates,
        })
    }

    /// Reads the lock in `folder`, which must lock what stands there.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it locks something else.
    pub fn read(folder: &Path, wanted: &Wanted) -> Result<Self, LockError> {
        let path = folder.join(LOCK);
        let text = read(&path).map_err(|error| match error {
            LockError::File { path, source } if source.kind() == io::ErrorKind::NotFound => {
                LockError::Missing { path }
            }
            other => other,
        })?;
        let parse = |source| LockError::Parse {
            path: path.clone(),
            source,
        };
        // What another version has otherwise is not a mistake in it.
        let Versioned { version } = toml::from_str(&text).map_err(parse)?;
        if version != VERSION {
            return Err(LockError::Version { found: version });
        }
        let lock: Self = toml::from_str(&text).map_err(parse)?;
        lock.check(wanted)?;
        Ok(lock)
    }

    /// Checks, without a network if the files of the signed index are at hand, that the archive has signed
    /// each package of this lock. Gives those files.
    ///
    /// # Errors
    /// [`LockError::Chain`] if it has not, or the files cannot be had.
    pub fn verify(&self, root: &RootSpec, supply: &Supply<'_>) -> Result<Evidence, LockError> {
        let signers = supply.archive.signers;
        supply.step("checking the archive's signature on the packages")?;
        // A lock that names strangers makes nothing be fetched.
        chain::trusted(&self.index, signers).map_err(LockError::Chain)?;
        let evidence = obtain::obtain(&self.index, root, supply)?;
        chain::check(&evidence, &self.index, &self.packages, root, signers)
            .map_err(LockError::Chain)?;
        Ok(evidence)
    }

    fn check(&self, wanted: &Wanted) -> Result<(), LockError> {
        let cargo_lock = Digest::of(wanted.cargo_lock.as_bytes());
        let files = [
            (SPEC, self.spec, wanted.spec_digest),
            (CARGO_LOCK, self.cargo_lock, cargo_lock),
        ];
        for (file, expected, found) in files {
            if expected != found {
                return Err(LockError::Stale {
                    file,
                    expected,
                    found,
                });
            }
        }
        self.check_crates(&wanted.cargo_lock)
    }

    /// Cargo asks for what `Cargo.lock` names, and what is said about a build is what this lock names.
    fn check_crates(&self, cargo_lock: &str) -> Result<(), LockError> {
        let own: BTreeSet<_> = self.crates.iter().map(Crate::named).collect();
        let wanted: BTreeSet<_> = CargoLock::parse(cargo_lock)?.crates.into_iter().collect();
        match own.symmetric_difference(&wanted).next() {
            None => Ok(()),
            Some(first) => Err(LockError::Other {
                first: first.clone(),
            }),
        }
    }

    /// The lock as text; the same inputs are always the same text.
    ///
    /// # Errors
    /// None that can happen; a lock holds text and numbers.
    pub fn to_text(&self) -> Result<String, LockError> {
        Ok(format!("{HEAD}{}", toml::to_string(self)?))
    }

    /// Writes the lock into `folder`, whole or not at all.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, LockError> {
        let text = self.to_text()?;
        let path = folder.join(LOCK);
        let failed = |source| LockError::Write {
            path: path.clone(),
            source,
        };
        let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        fs::write(file.path(), text).map_err(failed)?;
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        fs::set_permissions(file.path(), readable).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(path)
    }

    /// Fetches what the store does not have, and compares the crates with the registry.
    ///
    /// # Errors
    /// Something cannot be fetched, or is another than locked, or somebody interrupted.
    pub fn fetch(&self, wanted: &Wanted, supply: &Supply<'_>) -> Result<RegistryCheck, LockError> {
        let cargo_lock = CargoLock::parse(&wanted.cargo_lock)?;
        let missing = supply.missing(&self.packages)?;
        if !missing.is_empty() {
            let archive = Archive::find(&supply.archive, &wanted.spec.root)?;
            supply.fetch(&missing, &archive)?;
        }
        let absent = supply.absent(&self.crates)?;
        supply.step(match absent.is_empty() {
            true => "comparing crates with the registry",
            false => "fetching crates",
        })?;
        Ok(cargo::obtain(&cargo_lock, &absent, supply)?)
    }
}

/// The lock that is there. One that cannot be read is about to be replaced.
fn earlier(folder: &Path) -> Option<Lock> {
    let lock: Lock = toml::from_str(&read(&folder.join(LOCK)).ok()?).ok()?;
    (lock.version == VERSION).then_some(lock)
}

/// What every version of a lock has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn read(path: &Path) -> Result<String, LockError> {
    let failed = |source| LockError::File {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(failed)?;
    let bytes = content::read_limited(file, limits::DOCUMENT);
    let bytes = bytes.map_err(|error| failed(io::Error::other(error)))?;
    String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn sizes_have_limits() {
        let package = |size: u64| {
            let sha256 = Digest::of(b"");
            let text = format!(
                "name = 'p'\nversion = '1'\npath = 'p'\nsha256 = '{sha256}'\nsize = {size}\n"
            );
            toml::from_str::<Package>(&text).map_err(|error| error.to_string())
        };
        assert_eq!(package(1 << 30).unwrap().size, 1 << 30);
        let error = package((1 << 30) + 1).unwrap_err();
        assert!(error.contains("more than 1073741824 bytes"), "{error}");
    }

    #[test]
    fn an_earlier_lock_is_one_of_this_version() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"x");
        let package = Package {
            name: "p".into(),
            version: "1".into(),
            path: "p".parse().unwrap(),
            sha256: digest,
            size: 1,
        };
        let lock = Lock {
            version: VERSION,
            spec: digest,
            cargo_lock: digest,
            root: digest,
            index: index("2026-07-11T10:17:11Z"),
            packages: vec![package],
            crates: Vec::new(),
        };
        assert_eq!(earlier(folder.path()), None);
        lock.write(folder.path()).unwrap();
        assert_eq!(earlier(folder.path()), Some(lock.clone()));
        let older = Lock { version: 1, ..lock };
        older.write(folder.path()).unwrap();
        assert_eq!(earlier(folder.path()), None);
    }

    pub(crate) fn index(date: &str) -> SignedIndex {
        let evidence = Evidence {
            release: b"release".to_vec(),
            packages: b"packages".to_vec(),
            keyring: b"keyring".to_vec(),
        };
        let signature = debian::Signature {
            key: "A".repeat(40).parse().unwrap(),
            time: "2026-07-11T10:17:11Z".parse().unwrap(),
        };
        SignedIndex::of(&evidence, vec![signature], date.parse().unwrap())
    }

    #[test]
    fn the_same_index_keeps_its_date() {
        let (first, later) = (index("2026-07-12T00:00:00Z"), index("2026-08-01T00:00:00Z"));
        assert_eq!(later.clone().dated_as(Some(&first)), first);
        assert_eq!(later.clone().dated_as(None), later);
        let mut other = first.clone();
        other.signatures.clear();
        assert_eq!(later.clone().dated_as(Some(&other)), later);
    }
}
