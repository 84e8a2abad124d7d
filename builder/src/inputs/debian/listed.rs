//! Whether a signed package list has the packages of a lock.

use std::collections::BTreeSet;

use console::hint::Hinted;

use super::stanza::{fields, package};
use crate::lock::packages::Package;

const HINT: &str = "run `builder lock` again: it writes what the archive has signed";

/// Checks that the package list, a text that was signed, has each of the locked packages as it was locked.
///
/// # Errors
/// The first package that it does not have, or a stanza that cannot be read.
pub(super) fn check(list: &str, locked: &[&Package]) -> Result<(), Hinted> {
    let listed = named(list, locked.iter().map(|one| one.name.as_str()).collect())?;
    for &package in locked {
        let same_name: Vec<_> = listed
            .iter()
            .filter(|one| one.name == package.name)
            .collect();
        match same_name.last() {
            None => {
                return Err(Hinted::new(format_args!(
                    "checking package {}: it is not in the signed package index",
                    package.name
                ))
                .hinting(HINT));
            }
            Some(_) if same_name.iter().any(|one| is_same(one, package)) => {}
            Some(signed) => return Err(differs(signed, package)),
        }
    }
    Ok(())
}

/// Whether an index describes a locked package. The index is that of the package's suite, and does not name it. A lock
/// of an earlier version of this program does not name sources.
fn is_same(listed: &Package, locked: &Package) -> bool {
    let suite = locked.suite.clone();
    let source = listed.source.clone().filter(|_| locked.source.is_some());
    *locked
        == Package {
            suite,
            source,
            ..listed.clone()
        }
}

/// The stanzas with one of these names; a whole list takes a second to parse.
fn named(list: &str, names: BTreeSet<&str>) -> Result<Vec<Package>, Hinted> {
    let mut packages = Vec::new();
    for paragraph in list.split("\n\n") {
        let mut lines = paragraph.lines();
        let name = lines.find_map(|line| line.strip_prefix("Package:"));
        if name.is_some_and(|name| names.contains(name.trim())) {
            packages.push(package(&fields(paragraph)).map_err(|error| error.hinting(HINT))?);
        }
    }
    Ok(packages)
}

/// The first difference between two packages with the same name.
fn differs(signed: &Package, locked: &Package) -> Hinted {
    let source = |one: &Package| one.source.as_ref().map(ToString::to_string);
    let text = |one: &Package| {
        [
            ("version", one.version.clone()),
            ("SHA-256", one.sha256.hex()),
            ("size", one.size.to_string()),
            ("path", one.path.to_string()),
            ("source", source(one).unwrap_or_default()),
        ]
    };
    let mut fields = text(signed).into_iter().zip(text(locked));
    let differing = fields.find(|(signed, locked)| signed != locked);
    let ((field, expected), (_, found)) = differing.unwrap_or_default();
    Hinted::new(format_args!(
        "checking package {}: expected {field} {expected}, as the signed package index says, found \
         {found} in Image.lock",
        locked.name
    ))
    .hinting(HINT)
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::super::stanza::stanza;
    use super::*;

    /// A package as the stanza of that name describes it.
    fn locked(name: &str) -> Package {
        package(&fields(&stanza(name, ""))).unwrap()
    }

    #[test]
    fn a_locked_package_is_one_of_the_list() {
        let list = [stanza("a", ""), stanza("b", "Depends: a")].join("\n");
        let check = |packages: &[Package]| check(&list, &packages.iter().collect::<Vec<_>>());
        check(&[locked("a"), locked("b"), locked("a")]).unwrap();
        let of_suite = Package {
            suite: Some("s".to_owned()),
            ..locked("a")
        };
        check(&[of_suite]).unwrap();
        let absent = check(&[locked("a"), locked("c")]).unwrap_err();
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
        let source = |text: &str| Package {
            source: Some(text.parse().unwrap()),
            ..a.clone()
        };
        for (wrong, field) in [
            (version("2"), "version 1, as"),
            (version("1 "), "version 1, as"),
            (sha256, "SHA-256 "),
            (path, "path pool/a.deb, as"),
            (size, "size 7, as"),
            (source("b"), "source a, as"),
            (source("a (2)"), "source a, as"),
        ] {
            // Also if the right package is in the list too.
            for both in [
                vec![wrong.clone()],
                vec![wrong.clone(), a.clone()],
                vec![a.clone(), wrong],
            ] {
                let error = check(&both).unwrap_err().to_string();
                let expected = format!("checking package a: expected {field}");
                assert!(error.starts_with(&expected), "{error}");
            }
        }
    }

    #[test]
    fn an_earlier_lock_names_no_sources() {
        let list = stanza("a", "Source: b (2)");
        let mut package = package(&fields(&list)).unwrap();
        assert_eq!(package.source, Some("b (2)".parse().unwrap()));
        check(&list, &[&package]).unwrap();
        package.source = None;
        check(&list, &[&package]).unwrap();
    }

    #[test]
    fn an_archive_may_have_several_versions() {
        let older = stanza("a", "").replace("Version: 1", "Version: 0");
        for list in [[stanza("a", ""), older.clone()], [older, stanza("a", "")]] {
            check(&list.join("\n"), &[&locked("a")]).unwrap();
        }
    }
}
