//! `Cargo.lock`: the crates of the public registry that a source needs. Like the rest of the source, it is untrusted.

use std::collections::BTreeMap;

use console::hint::Hinted;
use content::Digest;
use serde::{Deserialize, Deserializer};

use super::error::{CrateError, ELSEWHERE};
use crate::lock::crates::{InvalidCrate, Named};
use crate::untrusted::{self, shown};

/// SHA-256 of the URL by which every `Cargo.lock` names the public registry. The digest is used because this program
/// contains no address of a registry.
const PUBLIC: &str = "c19b7c6f923b580ac259164a89f2577984ad5ab09ee9d583b888f934adbbe8d0";

/// The crates that a `Cargo.lock` names.
#[derive(Clone, Debug)]
pub struct CargoLock {
    /// Cargo's name of the public registry; `None` if the lock names no crate.
    pub registry: Option<String>,
    /// The crates, sorted, without those of the source itself.
    pub crates: Vec<Named>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<Checksum>,
    replace: Option<String>,
}

/// A digest without its algorithm.
struct Checksum(Digest);

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        Digest::from_hex(&hex)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl CargoLock {
    /// Parses a `Cargo.lock`.
    ///
    /// # Errors
    /// The text is not a lock, or it names a crate that is not from the public registry, a replaced crate, a crate
    /// without checksum, or an invalid name.
    pub fn parse(text: &str) -> Result<Self, CrateError> {
        let document: Document = content::toml::parse(text).map_err(unparsed)?;
        let mut lock = Self {
            registry: None,
            crates: Vec::new(),
        };
        for package in document.package {
            let Some(source) = package.source.clone() else {
                continue;
            };
            lock.crates.push(public(package, &source)?);
            lock.registry = Some(source);
        }
        lock.crates.sort();
        Ok(lock)
    }

    /// The lock without digests. Cargo completes it with those of the registry.
    pub(super) fn without_digests(&self) -> String {
        let registry = self.registry.as_deref().unwrap_or_default();
        let mut text = "version = 3\n".to_owned();
        for Named { name, version, .. } in &self.crates {
            text += &format!(
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{registry}\"\n"
            );
        }
        text
    }
}

/// Checks that a crate comes from the public registry. `[replace]` in a manifest gives its name to another crate.
fn public(package: Package, source: &str) -> Result<Named, CrateError> {
    let elsewhere = |found: &str| {
        let [name, version] = [&package.name, &package.version].map(|text| shown(text));
        let found = shown(found);
        CrateError::refused(
            format_args!(
                "reading Cargo.lock: crate {name} {version}: expected the public registry and a \
                 checksum, found {found}"
            ),
            ELSEWHERE,
        )
    };
    if Digest::of(source.as_bytes()).hex() != PUBLIC {
        return Err(elsewhere(source));
    }
    if package.replace.is_some() {
        return Err(elsewhere("a replacement"));
    }
    let Some(checksum) = &package.checksum else {
        return Err(elsewhere("no checksum"));
    };
    Ok(Named {
        name: package.name.parse().map_err(unnamed)?,
        version: package.version.parse().map_err(unnamed)?,
        sha256: checksum.0,
    })
}

fn unnamed(error: InvalidCrate) -> CrateError {
    Hinted::doing("parsing Cargo.lock", error).into()
}

fn unparsed(error: toml::de::Error) -> CrateError {
    let said = untrusted::toml(&error);
    Hinted::new(format_args!("parsing Cargo.lock: {said}")).into()
}

/// The digests of the crates that come from `registry`, by name and version.
pub(super) fn digests(
    text: &str,
    registry: &str,
) -> Result<BTreeMap<(String, String), Option<Digest>>, CrateError> {
    let document: Document = content::toml::parse(text).map_err(unparsed)?;
    let packages = document.package.into_iter();
    let registered = packages.filter(|one| one.source.as_deref() == Some(registry));
    Ok(registered
        .map(|one| {
            let digest = one.checksum.map(|checksum| checksum.0);
            ((one.name, one.version), digest)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = include_str!("../../../tests/fixtures/probe/Cargo.lock");

    #[test]
    fn names_crates_of_the_public_registry() {
        let lock = CargoLock::parse(LOCK).unwrap();
        let [one] = &lock.crates[..] else {
            panic!("{lock:?}");
        };
        assert_eq!(one.name.as_str(), "itoa");
        assert_eq!(
            digests(&lock.without_digests(), lock.registry.as_ref().unwrap())
                .unwrap()
                .len(),
            1
        );
        assert!(!lock.without_digests().contains(&one.sha256.hex()));
        let none = CargoLock::parse("version = 4\n").unwrap();
        assert!(none.crates.is_empty() && none.registry.is_none());
    }

    #[test]
    fn refuses_crates_from_elsewhere() {
        let lock = CargoLock::parse(LOCK).unwrap();
        let source = lock.registry.unwrap();
        let refusal = |refused: Result<CargoLock, CrateError>| {
            let error = refused.unwrap_err();
            assert!(error.is_refusal(), "{error}");
            error.to_string()
        };
        let expected = |found: &str| {
            let Named { name, version, .. } = &lock.crates[0];
            format!(
                "reading Cargo.lock: crate {name} {version}: expected the public registry and a \
                 checksum, found {found}"
            )
        };
        for other in [
            "registry+https://index.example",
            "sparse+https://index.example/",
            "git+https://source.example/itoa#0000",
            "path+file:///itoa",
            "",
            &format!("{source}/"),
        ] {
            let refused = CargoLock::parse(&LOCK.replace(&source, other));
            assert_eq!(refusal(refused), expected(other));
        }
        let unchecked = CargoLock::parse(&LOCK.replace("checksum", "other"));
        assert_eq!(refusal(unchecked), expected("no checksum"));
        let replaced = LOCK.replace("checksum", "replace = \"x 1.0.0\"\nchecksum");
        let replaced = CargoLock::parse(&replaced);
        assert_eq!(refusal(replaced), expected("a replacement"));
    }

    /// Serde would read the array by the order of its own fields, so that cargo would read another crate.
    #[test]
    fn an_array_is_not_a_package() {
        let lock = CargoLock::parse(LOCK).unwrap();
        let digest = lock.crates[0].sha256;
        let registry = lock.registry.unwrap();
        let text = format!(
            "package = [['itoa', '1.0.19', '{registry}', '{}', '']]",
            digest.hex()
        );
        let error = CargoLock::parse(&text).unwrap_err().to_string();
        assert!(
            error.starts_with("parsing Cargo.lock: ") && error.contains("sequence"),
            "{error}"
        );
    }

    #[test]
    fn names_cannot_be_paths() {
        let path = LOCK.replace("\"itoa\"\nversion", "\"/proc/self/cwd/../b\"\nversion");
        let error = CargoLock::parse(&path).unwrap_err().to_string();
        let start = "parsing Cargo.lock: ";
        assert!(
            error.starts_with(start) && error.contains("/proc/self/cwd/../b"),
            "{error}"
        );
    }
}
