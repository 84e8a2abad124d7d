//! Crate archives: named by `Cargo.lock`, fetched by cargo, checked and unpacked by us. Cargo itself
//! accepts a vendored folder whose files and checksums were both changed.

mod named;
mod vendor;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use content::{Digest, ReadError};
use serde::{Deserialize, Serialize};

use super::Supply;
use crate::host::{self, HostError};
use crate::interrupt::Interrupted;
use crate::store::{Store, StoreError};
pub use named::{CrateName, CrateVersion, InvalidCrate};
pub use vendor::vendor;

/// Bytes of one crate archive.
const ARCHIVE: u64 = 64 << 20;

/// One crate by checksum.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crate {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// SHA-256 of the `.crate`, as `Cargo.lock` has it.
    pub sha256: Digest,
    /// Bytes of the `.crate`.
    #[serde(deserialize_with = "super::at_most::<{ ARCHIVE }, _>")]
    pub size: u64,
}

impl Crate {
    /// What `Cargo.lock` says of it.
    pub fn named(&self) -> Named {
        Named {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: self.sha256,
        }
    }
}

/// A crate as `Cargo.lock` names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Named {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// SHA-256 of the `.crate`.
    pub sha256: Digest,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// A crate that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// Not a `Cargo.lock`.
    #[error("parsing Cargo.lock: {}", crate::told::toml(.0))]
    Lock(#[from] toml::de::Error),
    /// A name or a version that no registry has.
    #[error("parsing Cargo.lock: {0}")]
    Name(#[from] InvalidCrate),
    /// A crate that does not come from a registry, or has no checksum.
    #[error("locking crate {name} {version}: expected a registry and a checksum, found {found}")]
    Source {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// What it has instead.
        found: String,
    },
    /// cargo.
    #[error("fetching crates: {0}")]
    Host(#[from] HostError),
    /// cargo has fetched, but not this one.
    #[error("fetching crate {named}: cargo's own cache does not have it")]
    Missing {
        /// Which one.
        named: Named,
    },
    /// The store, or an archive that is another one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An archive that does not unpack to what a crate is.
    #[error("unpacking crate {named}: {reason}")]
    Archive {
        /// Which one.
        named: Named,
        /// What is wrong.
        reason: String,
    },
    /// A file.
    #[error("using {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<Digest0>,
}

/// A digest without its algorithm.
struct Digest0(Digest);

impl<'de> Deserialize<'de> for Digest0 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        Digest::from_hex(&hex)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// All crates that a `Cargo.lock` names, sorted. Crates of the source itself are no inputs.
///
/// # Errors
/// Not a lock, or a crate from elsewhere than a registry, without checksum, or with a name that is none.
pub fn named(cargo_lock: &str) -> Result<Vec<Named>, CrateError> {
    let lock: CargoLock = toml::from_str(cargo_lock)?;
    let packages = lock.package.into_iter();
    let named = packages.filter_map(|package| registered(package).transpose());
    let mut named = named.collect::<Result<Vec<_>, _>>()?;
    named.sort();
    Ok(named)
}

fn registered(package: CargoPackage) -> Result<Option<Named>, CrateError> {
    let Some(source) = package.source else {
        return Ok(None);
    };
    let registry = source.starts_with("registry+") || source.starts_with("sparse+");
    match package.checksum {
        Some(checksum) if registry => Ok(Some(Named {
            name: package.name.parse()?,
            version: package.version.parse()?,
            sha256: checksum.0,
        })),
        _ => Err(CrateError::Source {
            name: package.name,
            version: package.version,
            found: source,
        }),
    }
}

/// Makes sure that the store has every named crate, undamaged.
///
/// # Errors
/// As [`obtain`], or the store cannot be read.
pub fn fetch(
    named: &[Named],
    manifest: &Path,
    supply: &Supply<'_>,
) -> Result<Vec<Crate>, CrateError> {
    let store = supply.store;
    let mut missing = Vec::new();
    for one in named {
        if kept(one, store)?.is_none() {
            missing.push(one.clone());
        }
    }
    obtain(&missing, manifest, supply)?;
    named.iter().map(|one| locked(one, store)).collect()
}

fn locked(one: &Named, store: &Store) -> Result<Crate, CrateError> {
    let missing = || CrateError::Missing { named: one.clone() };
    Ok(Crate {
        name: one.name.clone(),
        version: one.version.clone(),
        sha256: one.sha256,
        size: kept(one, store)?.ok_or_else(missing)?,
    })
}

/// The size of the archive in the store, which is read and checked; `None` also for a damaged one.
fn kept(one: &Named, store: &Store) -> Result<Option<u64>, CrateError> {
    let size = store.size(&one.sha256)?;
    let Some(size) = size.filter(|size| *size <= ARCHIVE) else {
        return Ok(None);
    };
    match store.read(&format!("crate {one}"), &one.sha256, size) {
        Ok(_) => Ok(Some(size)),
        Err(StoreError::Content {
            source: ReadError::Check(_),
            ..
        }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts crates into the store: from cargo's cache, which cargo is asked to fill first if need be.
///
/// # Errors
/// cargo cannot fetch, or has another archive than was locked.
pub fn obtain(missing: &[Named], manifest: &Path, supply: &Supply<'_>) -> Result<(), CrateError> {
    let mut cache = Cache::find()?;
    if missing.iter().any(|one| cache.path(one).is_none()) {
        host::cargo_fetch(manifest, supply.interrupt)?;
        cache = Cache::find()?;
    }
    let mut missing = missing.iter();
    missing.try_for_each(|one| keep(one, &cache, supply.store))
}

fn keep(one: &Named, cache: &Cache, store: &Store) -> Result<(), CrateError> {
    let missing = || CrateError::Missing { named: one.clone() };
    let path = cache.path(one).ok_or_else(missing)?;
    let failed = |source| CrateError::File {
        path: path.clone(),
        source,
    };
    let bytes = fs::File::open(&path).map_err(failed)?;
    let bytes = content::read_limited(bytes, ARCHIVE);
    let bytes = bytes.map_err(|error| failed(io::Error::other(error)))?;
    let what = format!("crate {one}");
    Ok(store.keep(&what, &bytes[..], &one.sha256, bytes.len() as u64)?)
}

/// Where cargo keeps archives: one folder for each registry.
struct Cache(Vec<PathBuf>);

impl Cache {
    /// That of the user.
    fn find() -> Result<Self, CrateError> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let default = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
        let home = home.or_else(default).unwrap_or_default();
        Self::at(&home.join("registry/cache"))
    }

    /// Empty, if nothing was ever fetched.
    fn at(path: &Path) -> Result<Self, CrateError> {
        let listed = match fs::read_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(Vec::new())),
            read => read.and_then(|entries| entries.map(|one| Ok(one?.path())).collect()),
        };
        let folders = listed.map_err(|source| CrateError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(folders))
    }

    fn path(&self, one: &Named) -> Option<PathBuf> {
        let file = format!("{}-{}.crate", one.name, one.version);
        self.0
            .iter()
            .map(|folder| folder.join(&file))
            .find(|path| path.exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_registry_crates_only() {
        let digest = Digest::of(b"b");
        let text = format!(
            "version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n[[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"registry+https://index.example\"\nchecksum = \"{}\"\n",
            digest.hex()
        );
        let expected = Named {
            name: "b".parse().unwrap(),
            version: "2.0.0".parse().unwrap(),
            sha256: digest,
        };
        assert_eq!(named(&text).unwrap(), [expected]);
        let path = text.replace("\"b\"", "\"/proc/self/cwd/../b\"");
        assert!(matches!(named(&path), Err(CrateError::Name(_))));
        let git = text.replace("registry+", "git+");
        assert!(matches!(named(&git), Err(CrateError::Source { .. })));
        let unchecked = text.replace("checksum", "other");
        assert!(matches!(named(&unchecked), Err(CrateError::Source { .. })));
    }

    #[test]
    fn a_cache_that_cannot_be_read_is_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        assert!(Cache::at(&path).unwrap().0.is_empty());
        fs::write(&path, "no folder").unwrap();
        assert!(matches!(Cache::at(&path), Err(CrateError::File { .. })));
    }

    #[test]
    fn a_damaged_crate_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let one = Named {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(b"text"),
        };
        assert_eq!(kept(&one, &store).unwrap(), None);
        store.keep("c", &b"text"[..], &one.sha256, 4).unwrap();
        assert_eq!(kept(&one, &store).unwrap(), Some(4));
        for damage in ["text and more", "taxt"] {
            fs::write(store.path(&one.sha256), damage).unwrap();
            assert_eq!(kept(&one, &store).unwrap(), None);
        }
    }
}
