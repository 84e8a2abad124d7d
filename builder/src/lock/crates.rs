//! Crate archives: named by `Cargo.lock`, fetched by cargo, checked and unpacked by us. Cargo itself
//! accepts a vendored folder whose files and checksums were both changed.

mod named;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use content::{Digest, ReadError};
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

use crate::host::{self, HostError};
use crate::store::{Store, StoreError};
pub use named::{CrateName, CrateVersion, InvalidCrate};

/// Bytes of one crate archive, packed and unpacked.
const ARCHIVE: u64 = 64 << 20;
const UNPACKED: u64 = 1 << 30;

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
    /// `Cargo.lock` is none.
    #[error("parsing Cargo.lock: {0}")]
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
pub fn fetch(named: &[Named], manifest: &Path, store: &Store) -> Result<Vec<Crate>, CrateError> {
    let mut missing = Vec::new();
    for one in named {
        if kept(one, store)?.is_none() {
            missing.push(one.clone());
        }
    }
    obtain(&missing, manifest, store)?;
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
pub fn obtain(missing: &[Named], manifest: &Path, store: &Store) -> Result<(), CrateError> {
    let mut cache = Cache::find();
    if missing.iter().any(|one| cache.path(one).is_none()) {
        host::cargo_fetch(manifest)?;
        cache = Cache::find();
    }
    missing.iter().try_for_each(|one| keep(one, &cache, store))
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
    fn find() -> Self {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let default = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
        let home = home.or_else(default).unwrap_or_default();
        let entries = fs::read_dir(home.join("registry/cache"))
            .into_iter()
            .flatten()
            .flatten();
        Self(entries.map(|entry| entry.path()).collect())
    }

    fn path(&self, one: &Named) -> Option<PathBuf> {
        let file = format!("{}-{}.crate", one.name, one.version);
        self.0
            .iter()
            .map(|folder| folder.join(&file))
            .find(|path| path.exists())
    }
}

/// Unpacks all crates below `into` as cargo wants a vendored source. Every archive is checked again.
///
/// # Errors
/// An archive is another one than locked, or does not unpack to a crate.
pub fn vendor(crates: &[Crate], store: &Store, into: &Path) -> Result<(), CrateError> {
    crates.iter().try_for_each(|one| unpack(one, store, into))
}

fn unpack(one: &Crate, store: &Store, into: &Path) -> Result<(), CrateError> {
    let named = one.named();
    let failed = |error: io::Error| wrong(&named, error.to_string());
    let bytes = store.read(&format!("crate {named}"), &one.sha256, one.size)?;
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]).take(UNPACKED));
    for entry in archive.entries().map_err(failed)? {
        unpack_entry(&named, entry.map_err(failed)?, into)?;
    }
    let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", one.sha256.hex());
    let path = into.join(folder(&named)).join(".cargo-checksum.json");
    write(&mut checksum.as_bytes(), &path)
}

fn unpack_entry(
    named: &Named,
    mut entry: tar::Entry<'_, impl Read>,
    into: &Path,
) -> Result<(), CrateError> {
    let path = entry
        .path()
        .map_err(|error| wrong(named, error.to_string()))?;
    let path = path.into_owned();
    let top = folder(named);
    if !is_below(&path, &top) {
        let reason = format!("{} is not below {top}", path.display());
        return Err(wrong(named, reason));
    }
    match entry.header().entry_type() {
        tar::EntryType::Regular => write(&mut entry, &into.join(&path)),
        tar::EntryType::Directory => Ok(()),
        kind => Err(wrong(named, format!("{} is a {kind:?}", path.display()))),
    }
}

/// The one folder that a crate has in its archive, and gets below the vendored source.
fn folder(named: &Named) -> String {
    format!("{}-{}", named.name, named.version)
}

fn wrong(named: &Named, reason: String) -> CrateError {
    CrateError::Archive {
        named: named.clone(),
        reason,
    }
}

/// Every file is a new one: nothing that is there already, a link least of all, is written through.
fn write(from: &mut impl Read, path: &Path) -> Result<(), CrateError> {
    let failed = |source| CrateError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(failed)?;
    io::copy(from, &mut file).map_err(failed).map(drop)
}

fn is_below(path: &Path, top: &str) -> bool {
    let mut components = path.components();
    let first = components.next();
    first == Some(Component::Normal(top.as_ref()))
        && components.all(|component| matches!(component, Component::Normal(_)))
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

    fn archive(path: &str) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut header = tar::Header::new_ustar();
        header.set_size(4);
        header.set_mode(0o777);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, &b"text"[..]).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn unpacked(path: &str, tamper: impl Fn(&Path)) -> Result<tempfile::TempDir, CrateError> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let bytes = archive(path);
        let one = Crate {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(&bytes),
            size: bytes.len() as u64,
        };
        store.keep("c", &bytes[..], &one.sha256, one.size).unwrap();
        tamper(&store.path(&one.sha256));
        vendor(&[one], &store, &folder.path().join("vendor")).map(|()| folder)
    }

    #[test]
    fn unpacks_what_was_locked() {
        let folder = unpacked("c-1.0.0/src/lib.rs", |_| {}).unwrap();
        assert_eq!(
            fs::read(folder.path().join("vendor/c-1.0.0/src/lib.rs")).unwrap(),
            b"text"
        );
        assert!(
            folder
                .path()
                .join("vendor/c-1.0.0/.cargo-checksum.json")
                .exists()
        );
    }

    #[test]
    fn refuses_paths_that_leave_the_crate() {
        for path in ["../evil", "/evil", "c-1.0.0/../../evil", "d-1.0.0/lib.rs"] {
            assert!(
                matches!(unpacked(path, |_| {}), Err(CrateError::Archive { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn writes_through_nothing_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, link) = (folder.path().join("kept"), folder.path().join("link"));
        fs::write(&kept, "kept").unwrap();
        std::os::unix::fs::symlink(&kept, &link).unwrap();
        for path in [&kept, &link] {
            let refused = write(&mut &b"evil"[..], path);
            assert!(matches!(refused, Err(CrateError::File { .. })));
        }
        assert_eq!(fs::read(&kept).unwrap(), b"kept");
        let twice = unpacked("c-1.0.0/.cargo-checksum.json", |_| {});
        assert!(matches!(twice, Err(CrateError::File { .. })));
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

    #[test]
    fn refuses_a_tampered_archive_by_name() {
        let tamper = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[9] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        let error = unpacked("c-1.0.0/lib.rs", tamper).unwrap_err().to_string();
        assert!(
            error.starts_with("checking crate c 1.0.0: checking content: expected sha256:"),
            "{error}"
        );
    }
}
