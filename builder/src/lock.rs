//! `Image.lock`: every input from outside, by path, size and digest. Committed beside `Image.toml`; the
//! source itself is named when it is built, since a lock cannot name the commit that holds it.

pub mod crates;
pub mod packages;
pub mod source;
mod supply;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use content::{Digest, limits};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::archive::{Archive, ArchiveError};
use crate::interrupt::Interrupted;
use crate::root::{self, RootError};
use crate::spec::Spec;
use crate::told;
use crates::{CargoLock, Crate, CrateError, Named, RegistryCheck};
use packages::Package;
use source::SourceError;
pub use supply::Supply;

/// A size in a lock, which is whoever's it is: `LIMIT` bytes at the most.
fn at_most<'de, const LIMIT: u64, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    match size <= LIMIT {
        true => Ok(size),
        false => Err(D::Error::custom(format!("more than {LIMIT} bytes"))),
    }
}

/// File names beside each other.
pub const SPEC: &str = "Image.toml";
pub(crate) const LOCK: &str = "Image.lock";
pub(crate) const CARGO_LOCK: &str = "Cargo.lock";
const HEAD: &str =
    "# Every input of the image, by digest. Written by `builder lock`; not to be edited.\n\n";

/// Every input from outside.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of this format: 1.
    pub version: u32,
    /// Digest of the `Image.toml` that this lock resolves.
    pub spec: Digest,
    /// Digest of the `Cargo.lock` whose crates these are.
    pub cargo_lock: Digest,
    /// Digest of the unpacked build root.
    pub root: Digest,
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
    #[error("reading Image.lock: expected version 1, found {found}")]
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
    pub fn resolve(folder: &Path, supply: &Supply<'_>, now: SystemTime) -> Result<Self, LockError> {
        let wanted = Wanted::read(folder, &source::cargo_lock(folder)?)?;
        let cargo_lock = CargoLock::parse(&wanted.cargo_lock)?;
        let archive = Archive::find(supply.archive, &wanted.spec.root)?;
        supply.step("reading the archive's signed index")?;
        let index = archive.index(&wanted.spec.root, now, supply.interrupt)?;
        let packages = index
            .closure(&wanted.spec.root.packages)
            .map_err(ArchiveError::from)?;
        supply.fetch(&supply.missing(&packages)?, &archive)?;
        supply.step("fetching crates")?;
        let crates = crates::fetch(&cargo_lock, supply)?;
        supply.step("unpacking the build root")?;
        let known = known_root(folder, &packages);
        let root = root::resolve(known.as_ref(), &packages, supply)?;
        Ok(Self {
            version: 1,
            spec: wanted.spec_digest,
            cargo_lock: Digest::of(wanted.cargo_lock.as_bytes()),
            root,
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
        let lock: Self =
            toml::from_str(&text).map_err(|source| LockError::Parse { path, source })?;
        lock.check(wanted)?;
        Ok(lock)
    }

    fn check(&self, wanted: &Wanted) -> Result<(), LockError> {
        if self.version != 1 {
            return Err(LockError::Version {
                found: self.version,
            });
        }
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
            let archive = Archive::find(supply.archive, &wanted.spec.root)?;
            supply.fetch(&missing, &archive)?;
        }
        let absent = supply.absent(&self.crates)?;
        supply.step(match absent.is_empty() {
            true => "comparing crates with the registry",
            false => "fetching crates",
        })?;
        Ok(crates::obtain(&cargo_lock, &absent, supply)?)
    }
}

/// The root of the lock that is there, if it is of the same packages. One that cannot be read is about to be
/// replaced.
fn known_root(folder: &Path, packages: &[Package]) -> Option<Digest> {
    let lock: Lock = toml::from_str(&read(&folder.join(LOCK)).ok()?).ok()?;
    (lock.version == 1 && lock.packages == packages).then_some(lock.root)
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
mod tests {
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
    fn a_root_is_known_for_the_same_packages_only() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"x");
        let package = Package {
            name: "p".into(),
            version: "1".into(),
            path: "p".parse().unwrap(),
            sha256: digest,
            size: 1,
        };
        let packages = vec![package.clone()];
        let lock = Lock {
            version: 1,
            spec: digest,
            cargo_lock: digest,
            root: digest,
            packages: packages.clone(),
            crates: Vec::new(),
        };
        assert_eq!(known_root(folder.path(), &packages), None);
        lock.write(folder.path()).unwrap();
        assert_eq!(known_root(folder.path(), &packages), Some(digest));
        let newer = Package {
            version: "2".into(),
            ..package
        };
        assert_eq!(known_root(folder.path(), &[newer]), None);
    }
}
