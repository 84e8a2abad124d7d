//! The archive's package index, and which packages a build root needs.

mod path;

use std::collections::{BTreeMap, BTreeSet};

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::inputs::store::{Key, Kind};
pub use path::{ArchivePath, InvalidPath};

/// Bytes of a `.deb`.
const PACKAGE: u64 = 1 << 30;
/// Most packages that an index may list.
const PACKAGES: usize = 500_000;

/// One package by path and digest.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its path below the archive's root.
    pub path: ArchivePath,
    /// SHA-256 of the `.deb`.
    pub sha256: Digest,
    /// Bytes of the `.deb`.
    #[serde(deserialize_with = "super::size::at_most::<{ PACKAGE }, _>")]
    pub size: u64,
}

impl Package {
    /// Its name in a store.
    pub fn key(&self) -> Key<'_> {
        Key {
            kind: Kind::Package,
            name: &self.name,
            version: &self.version,
            digest: self.sha256,
        }
    }
}

/// An index that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A stanza without a field that every stanza has, or with one that cannot be read.
    #[error("parsing package index: {package}: field {field}")]
    Field {
        /// Whose stanza.
        package: String,
        /// Which field.
        field: &'static str,
    },
    /// More packages than any index.
    #[error("parsing package index: more than {PACKAGES} packages")]
    Size,
    /// A package that is needed and not there.
    #[error("resolving packages: {needed_by} needs {dependency:?}, which the index does not have")]
    Missing {
        /// Who needs it.
        needed_by: String,
        /// The dependency.
        dependency: String,
    },
}

/// Locked packages that cannot be found in a signed package list.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The list cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// No package of that name.
    #[error("checking package {package}: it is not in the signed package index")]
    Absent {
        /// Its name in the lock.
        package: String,
    },
    /// A package of that name that is another one.
    #[error(
        "checking package {package}: expected {field} {expected}, as the signed package index says, \
         found {found} in Image.lock"
    )]
    Differs {
        /// Its name.
        package: String,
        /// What differs first.
        field: &'static str,
        /// What was signed.
        expected: String,
        /// What was locked.
        found: String,
    },
}

/// Checks that the package list, a text that was signed, has each of the locked packages as it was locked.
///
/// # Errors
/// The first package that it does not have, or a stanza that cannot be read.
pub(crate) fn check(list: &str, locked: &[Package]) -> Result<(), PackageError> {
    let listed = named(list, locked.iter().map(|one| one.name.as_str()).collect())?;
    for package in locked {
        let same_name: Vec<_> = listed
            .iter()
            .filter(|one| one.name == package.name)
            .collect();
        match same_name.last() {
            None => {
                let package = package.name.clone();
                return Err(PackageError::Absent { package });
            }
            Some(_) if same_name.contains(&package) => {}
            Some(signed) => return Err(differs(signed, package)),
        }
    }
    Ok(())
}

/// The stanzas with one of these names; a whole list takes a second to parse.
fn named(list: &str, names: BTreeSet<&str>) -> Result<Vec<Package>, IndexError> {
    let mut packages = Vec::new();
    for paragraph in list.split("\n\n") {
        let mut lines = paragraph.lines();
        let name = lines.find_map(|line| line.strip_prefix("Package:"));
        if name.is_some_and(|name| names.contains(name.trim())) {
            packages.push(package(&fields(paragraph))?);
        }
    }
    Ok(packages)
}

/// What differs first between packages of one name.
fn differs(signed: &Package, locked: &Package) -> PackageError {
    let text = |one: &Package| {
        [
            ("version", one.version.clone()),
            ("SHA-256", one.sha256.hex()),
            ("size", one.size.to_string()),
            ("path", one.path.to_string()),
        ]
    };
    let mut fields = text(signed).into_iter().zip(text(locked));
    let differing = fields.find(|(signed, locked)| signed != locked);
    let ((field, expected), (_, found)) = differing.unwrap_or_default();
    PackageError::Differs {
        package: locked.name.clone(),
        field,
        expected,
        found,
    }
}

/// The index of one component and architecture.
#[derive(Debug, Default)]
pub struct Index {
    stanzas: BTreeMap<String, Stanza>,
    providers: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug)]
struct Stanza {
    package: Package,
    depends: String,
}

impl Index {
    /// Parses `Packages` (Debian repository format): paragraphs of fields.
    ///
    /// # Errors
    /// A package without name, version, path, digest or size.
    pub fn parse(text: &str) -> Result<Self, IndexError> {
        let mut index = Self::default();
        for paragraph in text
            .split("\n\n")
            .filter(|paragraph| !paragraph.trim().is_empty())
        {
            index.add(&fields(paragraph))?;
            if index.stanzas.len() > PACKAGES {
                return Err(IndexError::Size);
            }
        }
        Ok(index)
    }

    fn add(&mut self, fields: &BTreeMap<&str, String>) -> Result<(), IndexError> {
        let package = package(fields)?;
        let name = package.name.clone();
        for provided in names(fields.get("Provides").map_or("", String::as_str)) {
            self.providers
                .entry(provided.to_owned())
                .or_default()
                .insert(name.clone());
        }
        let relations = ["Pre-Depends", "Depends"].map(|field| fields.get(field).cloned());
        let depends = relations
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ");
        self.stanzas.insert(name, Stanza { package, depends });
        Ok(())
    }

    /// `wanted` and all that they depend on, by name. Of alternatives the first that the index has
    /// is taken; a virtual package is its alphabetically first provider; versions are not
    /// compared, since an index has one of each package.
    ///
    /// # Errors
    /// A package is wanted or depended on that the index does not have.
    pub fn closure(&self, wanted: &[String]) -> Result<Vec<Package>, IndexError> {
        let mut found = BTreeMap::new();
        let mut open: Vec<(String, String)> = wanted
            .iter()
            .rev()
            .map(|name| ("Image.toml".to_owned(), name.clone()))
            .collect();
        while let Some((needed_by, dependency)) = open.pop() {
            let Some(stanza) = self.first(&dependency) else {
                return Err(IndexError::Missing {
                    needed_by,
                    dependency,
                });
            };
            let name = stanza.package.name.clone();
            if found.insert(name.clone(), stanza.package.clone()).is_none() {
                let dependencies = stanza.depends.split(',').map(str::trim);
                let named = dependencies.filter(|text| !text.is_empty());
                open.extend(named.map(|text| (name.clone(), text.to_owned())));
            }
        }
        Ok(found.into_values().collect())
    }

    fn first(&self, dependency: &str) -> Option<&Stanza> {
        dependency.split('|').find_map(|alternative| {
            let name = bare(alternative);
            let provided = || {
                self.providers
                    .get(name)?
                    .iter()
                    .find_map(|p| self.stanzas.get(p))
            };
            self.stanzas.get(name).or_else(provided)
        })
    }
}

/// The package that a stanza describes.
fn package(fields: &BTreeMap<&str, String>) -> Result<Package, IndexError> {
    let missing = |field| IndexError::Field {
        package: fields.get("Package").cloned().unwrap_or_default(),
        field,
    };
    let get = |field| fields.get(field).cloned().ok_or_else(|| missing(field));
    Ok(Package {
        name: get("Package")?,
        version: get("Version")?,
        path: get("Filename")?.parse().map_err(|_| missing("Filename"))?,
        sha256: Digest::from_hex(&get("SHA256")?).map_err(|_| missing("SHA256"))?,
        size: get("Size")?.parse().map_err(|_| missing("Size"))?,
    })
}

/// `libc6 (>= 2.36)` and `perl:any` without what stands behind the name.
fn bare(relation: &str) -> &str {
    relation
        .split(['(', ':', '['])
        .next()
        .unwrap_or_default()
        .trim()
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(bare).filter(|name| !name.is_empty())
}

/// The fields of a paragraph (deb-control(5)).
pub(crate) fn fields(paragraph: &str) -> BTreeMap<&str, String> {
    let mut fields = BTreeMap::new();
    for line in paragraph.lines() {
        // A line that is indented continues the field above, and none that we read has one.
        if let Some((name, value)) = line
            .split_once(':')
            .filter(|_| !line.starts_with([' ', '\t']))
        {
            fields.insert(name, value.trim().to_owned());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(name: &str, more: &str) -> String {
        let digest = Digest::of(name.as_bytes()).hex();
        format!(
            "Package: {name}\nVersion: 1\nFilename: pool/{name}.deb\nSHA256: {digest}\nSize: 7\n{more}\n"
        )
    }

    fn closure(index: &str, wanted: &[&str]) -> Result<Vec<String>, IndexError> {
        let wanted: Vec<_> = wanted.iter().map(|&name| name.to_owned()).collect();
        let packages = Index::parse(index)?.closure(&wanted)?;
        Ok(packages.into_iter().map(|package| package.name).collect())
    }

    #[test]
    fn follows_dependencies_alternatives_and_providers() {
        let index = [
            stanza("a", "Pre-Depends: b (>= 1)\nDepends: nowhere | c:any, v\nRecommends: z\nDescription: a\n text: more"),
            stanza("b", "Depends: a"),
            stanza("c", ""),
            stanza("q", "Provides: v (= 1), w"),
            stanza("p", "Provides: v"),
            stanza("z", ""),
        ]
        .join("\n");
        assert_eq!(closure(&index, &["a"]).unwrap(), ["a", "b", "c", "p"]);
    }

    #[test]
    fn says_what_is_missing_and_for_whom() {
        let error = closure(&stanza("a", "Depends: b | c"), &["a"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "resolving packages: a needs \"b | c\", which the index does not have"
        );
        assert!(closure(&stanza("a", ""), &["b"]).is_err());
    }

    /// A package as the stanza of that name describes it.
    fn locked(name: &str) -> Package {
        package(&fields(&stanza(name, ""))).unwrap()
    }

    #[test]
    fn a_locked_package_is_one_of_the_list() {
        let list = [stanza("a", ""), stanza("b", "Depends: a")].join("\n");
        check(&list, &[locked("a"), locked("b"), locked("a")]).unwrap();
        let absent = check(&list, &[locked("a"), locked("c")]).unwrap_err();
        assert_eq!(
            absent.to_string(),
            "checking package c: it is not in the signed package index"
        );
        let (a, digest) = (locked("a"), Digest::of(b"smuggled"));
        let version = |version: &str| Package {
            version: version.to_owned(),
            ..a.clone()
        };
        let sha256 = Package {
            sha256: digest,
            ..a.clone()
        };
        let path = Package {
            path: "pool/b.deb".parse().unwrap(),
            ..a.clone()
        };
        let size = Package {
            size: 8,
            ..a.clone()
        };
        for (wrong, field) in [
            (version("2"), "version 1, as"),
            (version("1 "), "version 1, as"),
            (sha256, "SHA-256 "),
            (path, "path pool/a.deb, as"),
            (size, "size 7, as"),
        ] {
            // Also where the right one is named as well.
            for both in [
                vec![wrong.clone()],
                vec![wrong.clone(), a.clone()],
                vec![a.clone(), wrong],
            ] {
                let error = check(&list, &both).unwrap_err().to_string();
                let expected = format!("checking package a: expected {field}");
                assert!(error.starts_with(&expected), "{error}");
            }
        }
    }

    #[test]
    fn an_archive_may_have_several_versions() {
        let older = stanza("a", "").replace("Version: 1", "Version: 0");
        for list in [[stanza("a", ""), older.clone()], [older, stanza("a", "")]] {
            check(&list.join("\n"), &[locked("a")]).unwrap();
        }
    }

    #[test]
    fn refuses_stanzas_without_digest() {
        let text = stanza("a", "").replace("SHA256", "SHA1");
        assert!(matches!(
            Index::parse(&text),
            Err(IndexError::Field {
                field: "SHA256",
                ..
            })
        ));
    }
}
