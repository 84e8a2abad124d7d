//! `Cargo.lock`: the crates of the public registry and the git repositories that a source needs. Like the rest of the
//! source, it is untrusted.

use std::collections::BTreeMap;

use console::hint::Hinted;
use content::Digest;
use serde::{Deserialize, Deserializer};

use super::git_source::GitSource;
use crate::inputs::error::DependencyError;
use crate::lock::crates::{CrateName, CrateVersion, InvalidCrate, Named};
use crate::untrusted::{self, shown};

/// The hint for a crate from another registry.
pub(in crate::inputs) const ELSEWHERE: &str = "use the crate of the public registry or of a git repository (https, ssh), or \
                                               copy its source into the repository as a path dependency";

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
    /// The git repositories with crates.
    pub repositories: Vec<GitSource>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    patch: Patches,
}

/// Patches that cargo loads, but does not use.
#[derive(Default, Deserialize)]
struct Patches {
    #[serde(default)]
    unused: Vec<Package>,
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
    /// The text is not a lock, or it names crates that are neither from the public registry nor from git repositories that
    /// can be fetched, replaced crates, crates without checksum, or an invalid name. All such crates are in one error.
    pub fn parse(text: &str) -> Result<Self, DependencyError> {
        let document: Document = content::toml::parse(text).map_err(unparsed)?;
        let mut lock = Self {
            registry: None,
            crates: Vec::new(),
            repositories: Vec::new(),
        };
        let mut faults = Vec::new();
        for (table, packages) in [(PACKAGE, document.package), (UNUSED, document.patch.unused)] {
            let mut lines = lines(text, table).into_iter();
            for package in packages {
                let line = lines.next();
                if let Err(found) = lock.add(&package)? {
                    faults.push(fault(&package, line, &found));
                }
            }
        }
        lock.crates.sort();
        match faults.is_empty() {
            true => Ok(lock),
            false => Err(DependencyError::refused(
                format_args!("reading Cargo.lock: {}", listed(&faults)),
                ELSEWHERE,
            )),
        }
    }

    /// Adds a package, if it is not one of the source. The inner error is what was found in place of a source that is
    /// supported.
    fn add(&mut self, package: &Package) -> Result<Result<(), String>, DependencyError> {
        let Some(source) = &package.source else {
            return Ok(Ok(()));
        };
        if package.replace.is_some() {
            return Ok(Err("a replacement".to_owned()));
        }
        let name: CrateName = package.name.parse().map_err(unnamed)?;
        let version: CrateVersion = package.version.parse().map_err(unnamed)?;
        match (GitSource::parse(source), &package.checksum) {
            (Some(Err(error)), _) => return Ok(Err(format!("{source}: {error}"))),
            (Some(Ok(git)), _) => self.add_repository(git, name, version),
            (None, _) if Digest::of(source.as_bytes()).hex() != PUBLIC => {
                return Ok(Err(source.clone()));
            }
            (None, None) => return Ok(Err("no checksum".to_owned())),
            (None, Some(checksum)) => {
                self.registry = Some(source.clone());
                self.crates.push(Named {
                    name,
                    version,
                    sha256: checksum.0,
                });
            }
        }
        Ok(Ok(()))
    }

    fn add_repository(&mut self, git: GitSource, name: CrateName, version: CrateVersion) {
        let known = self.repositories.iter();
        let index = known
            .into_iter()
            .position(|known| known.text() == git.text());
        let index = index.unwrap_or_else(|| {
            self.repositories.push(git);
            self.repositories.len() - 1
        });
        let package = (name.to_string(), version.to_string());
        self.repositories[index].packages.insert(package);
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

/// The headers of tables of packages.
const PACKAGE: &str = "[[package]]";
const UNUSED: &str = "[[patch.unused]]";
/// Most crates that an error names.
const NAMED: usize = 50;

/// The number of the line that names the source of each package in such a table, or else of its header.
fn lines(text: &str, table: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut is_within = false;
    for (line, number) in text.lines().zip(1..) {
        if line.starts_with('[') {
            is_within = line.trim_end() == table;
            if is_within {
                found.push(number);
            }
        }
        if let (true, Some(last)) = (is_within && line.starts_with("source = "), found.last_mut()) {
            *last = number;
        }
    }
    found
}

fn fault(package: &Package, line: Option<usize>, found: &str) -> String {
    let [name, version, found] = [&package.name, &package.version, found].map(shown_text);
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    format!(
        "{line}crate {name} {version}: expected the public registry and a checksum, or git, found {found}"
    )
}

fn shown_text(text: impl AsRef<str>) -> String {
    shown(text.as_ref())
}

fn listed(faults: &[String]) -> String {
    let more = faults.len().saturating_sub(NAMED);
    let named = faults.iter().take(NAMED).map(String::as_str);
    let named: Vec<_> = named.collect();
    match more {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

fn unnamed(error: InvalidCrate) -> DependencyError {
    Hinted::doing("parsing Cargo.lock", error).into()
}

fn unparsed(error: toml::de::Error) -> DependencyError {
    let said = untrusted::toml(&error);
    Hinted::new(format_args!("parsing Cargo.lock: {said}")).into()
}

/// The digests of the crates that come from `registry`, by name and version.
pub(super) fn digests(
    text: &str,
    registry: &str,
) -> Result<BTreeMap<(String, String), Option<Digest>>, DependencyError> {
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
        let refusal = |refused: Result<CargoLock, DependencyError>| {
            let error = refused.unwrap_err();
            assert!(error.is_refusal(), "{error}");
            error.to_string()
        };
        let expected = |found: &str| {
            let Named { name, version, .. } = &lock.crates[0];
            format!(
                "reading Cargo.lock: line 12: crate {name} {version}: expected the public registry and a \
                 checksum, or git, found {found}"
            )
        };
        for other in [
            "registry+https://index.example",
            "sparse+https://index.example/",
            "git+http://source.example/itoa#0000",
            "path+file:///itoa",
            "",
            &format!("{source}/"),
        ] {
            let refused = CargoLock::parse(&LOCK.replace(&source, other));
            let found = refusal(refused);
            assert!(found.starts_with(&expected(other)), "{found}");
        }
        let unchecked = CargoLock::parse(&LOCK.replace("checksum", "other"));
        assert_eq!(refusal(unchecked), expected("no checksum"));
        let replaced = LOCK.replace("checksum", "replace = \"x 1.0.0\"\nchecksum");
        let replaced = CargoLock::parse(&replaced);
        assert_eq!(refusal(replaced), expected("a replacement"));
    }

    #[test]
    fn git_repositories_are_listed_with_their_packages() {
        let commit = "0123456789".repeat(4);
        let package = |table: &str, name: &str, source: &str| {
            format!("[[{table}]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n")
        };
        let (one, other) = (
            format!("git+https://host.example/x?tag=v1#{commit}"),
            format!("git+https://host.example/x#{commit}"),
        );
        let text = [
            package("package", "a", &one),
            package("package", "b", &one),
            package("package", "c", &other),
            package("patch.unused", "d", &other),
        ];
        let lock = CargoLock::parse(&text.concat()).unwrap();
        let packages = lock.repositories.iter();
        let packages: Vec<Vec<_>> = packages
            .map(|one| one.packages.iter().map(|(name, _)| name.as_str()).collect())
            .collect();
        assert_eq!(packages, [vec!["a", "b"], vec!["c", "d"]]);
        assert!(lock.crates.is_empty());
    }

    #[test]
    fn all_sources_that_are_not_supported_are_named_with_their_lines() {
        let text = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"a\"\n\
                    version = \"1.0.0\"\nsource = \"registry+https://index.example\"\n\n[[package]]\nname = \"b\"\n\
                    version = \"1.0.0\"\nsource = \"git+http://host.example/b#0\"\n";
        let error = CargoLock::parse(text).unwrap_err();
        assert!(error.is_refusal());
        let expected = "reading Cargo.lock: line 10: crate a 1.0.0: expected the public registry and a checksum, or git, \
                        found registry+https://index.example; line 15: crate b 1.0.0: expected the public registry and a \
                        checksum, or git, found git+http://host.example/b#0: expected a URL";
        assert!(error.to_string().starts_with(expected), "{error}");
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
