//! Crate archives: named by `Cargo.lock`, fetched by cargo, checked and unpacked by us. Cargo itself
//! accepts a vendored folder whose files and checksums were both changed.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use content::Digest;
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

use crate::host::{self, HostError};
use crate::store::{Store, StoreError};

/// Bytes of one crate archive, packed and unpacked.
const ARCHIVE: u64 = 64 << 20;
const UNPACKED: u64 = 1 << 30;

/// One crate by checksum.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the `.crate`, as `Cargo.lock` has it.
    pub sha256: Digest,
    /// Bytes of the `.crate`.
    pub size: u64,
}

/// A crate that cannot be locked, fetched or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum CrateError {
    /// `Cargo.lock` is none.
    #[error("parsing Cargo.lock: {0}")]
    Lock(#[from] toml::de::Error),
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
    #[error("fetching crate {name} {version}: cargo's own cache does not have it")]
    Missing {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// The store, or an archive that is another one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An archive that does not unpack to what a crate is.
    #[error("unpacking crate {name} {version}: {reason}")]
    Archive {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
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

/// Name, version and checksum of all crates in a `Cargo.lock`, sorted. Crates of the source itself are
/// no inputs.
///
/// # Errors
/// Not a lock, or a crate from elsewhere than a registry or without checksum.
pub fn named(cargo_lock: &str) -> Result<Vec<(String, String, Digest)>, CrateError> {
    let lock: CargoLock = toml::from_str(cargo_lock)?;
    let mut named = Vec::new();
    for CargoPackage {
        name,
        version,
        source,
        checksum,
    } in lock.package
    {
        let Some(source) = source else { continue };
        let registry = source.starts_with("registry+") || source.starts_with("sparse+");
        match checksum {
            Some(checksum) if registry => named.push((name, version, checksum.0)),
            _ => {
                return Err(CrateError::Source {
                    name,
                    version,
                    found: source,
                });
            }
        }
    }
    named.sort();
    Ok(named)
}

/// Makes sure that the store has every named crate: from cargo's cache, which cargo is asked to fill
/// first if need be.
///
/// # Errors
/// cargo cannot fetch, or has another archive than was locked.
pub fn fetch(
    named: &[(String, String, Digest)],
    manifest: &Path,
    store: &Store,
) -> Result<Vec<Crate>, CrateError> {
    let is_kept = |digest: &Digest| store.path(digest).exists();
    let mut cache = Cache::find();
    let absent = |(name, version, digest): &(String, String, Digest)| {
        !is_kept(digest) && cache.path(name, version).is_none()
    };
    if named.iter().any(absent) {
        host::cargo_fetch(manifest)?;
        cache = Cache::find();
    }
    named
        .iter()
        .map(|(name, version, digest)| {
            if !is_kept(digest) {
                keep(name, version, digest, &cache, store)?;
            }
            let path = store.path(digest);
            let failed = |source| CrateError::File {
                path: path.clone(),
                source,
            };
            let size = fs::metadata(&path).map_err(failed)?.len();
            Ok(Crate {
                name: name.clone(),
                version: version.clone(),
                sha256: *digest,
                size,
            })
        })
        .collect()
}

fn keep(
    name: &str,
    version: &str,
    digest: &Digest,
    cache: &Cache,
    store: &Store,
) -> Result<(), CrateError> {
    let missing = || CrateError::Missing {
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let path = cache.path(name, version).ok_or_else(missing)?;
    let failed = |source| CrateError::File {
        path: path.clone(),
        source,
    };
    let bytes = fs::File::open(&path).map_err(failed)?;
    let bytes = content::read_limited(bytes, ARCHIVE);
    let bytes = bytes.map_err(|error| failed(io::Error::other(error)))?;
    let what = format!("crate {name} {version}");
    Ok(store.keep(&what, &bytes[..], digest, bytes.len() as u64)?)
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

    fn path(&self, name: &str, version: &str) -> Option<PathBuf> {
        let file = format!("{name}-{version}.crate");
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
    let Crate {
        name,
        version,
        sha256,
        size,
    } = one;
    let failed = |reason: String| CrateError::Archive {
        name: name.clone(),
        version: version.clone(),
        reason,
    };
    let bytes = store.read(&format!("crate {name} {version}"), sha256, *size)?;
    let top = format!("{name}-{version}");
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]).take(UNPACKED));
    for entry in archive
        .entries()
        .map_err(|error| failed(error.to_string()))?
    {
        let mut entry = entry.map_err(|error| failed(error.to_string()))?;
        let path = entry
            .path()
            .map_err(|error| failed(error.to_string()))?
            .into_owned();
        if !is_below(&path, &top) {
            return Err(failed(format!("{} is not below {top}", path.display())));
        }
        match entry.header().entry_type() {
            tar::EntryType::Regular => write(&mut entry, &into.join(&path))?,
            tar::EntryType::Directory => {}
            kind => return Err(failed(format!("{} is a {kind:?}", path.display()))),
        }
    }
    let checksum = format!("{{\"files\":{{}},\"package\":\"{}\"}}", sha256.hex());
    let path = into.join(&top).join(".cargo-checksum.json");
    fs::write(&path, checksum).map_err(|source| CrateError::File { path, source })
}

fn write(from: &mut impl Read, path: &Path) -> Result<(), CrateError> {
    let failed = |source| CrateError::File {
        path: path.to_owned(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = fs::File::create(path).map_err(failed)?;
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
        assert_eq!(
            named(&text).unwrap(),
            [("b".into(), "2.0.0".into(), digest)]
        );
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
            name: "c".into(),
            version: "1.0.0".into(),
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
