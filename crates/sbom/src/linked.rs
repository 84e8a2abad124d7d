//! The crates that are linked into a program, as `cargo auditable` writes them: JSON, compressed with zlib, in the section
//! `.dep-v0` (cargo-auditable, PARSING.md).

use std::fmt;

use auditable_info::Error as Unread;
use content::json;
use serde::Deserialize;

use crate::Error;

/// The largest list, uncompressed, in bytes (cargo-auditable, PARSING.md).
const LIST: usize = 8 << 20;
/// The name of the section.
const SECTION: &[u8] = b".dep-v0";

/// A crate of a version.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Crate {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
}

impl fmt::Display for Crate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.version)
    }
}

#[derive(Deserialize)]
struct List {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

#[derive(Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Build,
    #[default]
    Runtime,
}

/// The crates of a program without those that only its build used, sorted; `None` if the program has no list, or the bytes
/// cannot be parsed as a program and do not contain the name of the section.
///
/// # Errors
/// The bytes contain the name of the section and cannot be parsed as a program. Or the list is not compressed with zlib, is larger than 8 MiB, is not strict JSON of this form, does not have exactly one
/// root, names a package that it does not have, or has a circle of dependencies.
pub fn linked(program: &[u8]) -> Result<Option<Vec<Crate>>, Error> {
    let text = match auditable_info::json_from_slice(program, LIST) {
        Ok(text) => text,
        Err(Unread::NoAuditData) => return Ok(None),
        Err(Unread::BinaryParsing(_)) if !has_name(program) => return Ok(None),
        Err(error) => return Err(Error::Linked(error.to_string())),
    };
    let list: List = json::parse(text.as_bytes(), LIST as u64)
        .map_err(|error| Error::Linked(error.to_string()))?;
    list.check()
        .map_err(|reason| Error::Linked(reason.to_owned()))?;
    let linked = list.packages.into_iter();
    let linked = linked.filter(|package| package.kind == Kind::Runtime);
    let mut crates: Vec<Crate> = linked
        .map(|package| Crate {
            name: package.name,
            version: package.version,
        })
        .collect();
    crates.sort();
    crates.dedup();
    Ok(Some(crates))
}

/// Whether a program that cannot be parsed may have a list: a header may be wrong, or the place of the section.
fn has_name(program: &[u8]) -> bool {
    program.windows(SECTION.len()).any(|name| name == SECTION)
}

impl List {
    fn check(&self) -> Result<(), &'static str> {
        let packages = &self.packages;
        if packages.iter().filter(|package| package.root).count() != 1 {
            return Err("the list does not have exactly one root");
        }
        let mut named = packages.iter().flat_map(|package| &package.dependencies);
        if named.any(|index| *index >= packages.len()) {
            return Err("the list names a package that it does not have");
        }
        match self.has_circle() {
            true => Err("the list has a circle of dependencies"),
            false => Ok(()),
        }
    }

    /// Removes packages that no other one depends on until none is left (Kahn's algorithm). What is left is in a circle.
    fn has_circle(&self) -> bool {
        let mut dependents = vec![0_usize; self.packages.len()];
        for package in &self.packages {
            package
                .dependencies
                .iter()
                .for_each(|index| dependents[*index] += 1);
        }
        let mut free: Vec<usize> = (0..dependents.len())
            .filter(|index| dependents[*index] == 0)
            .collect();
        let mut removed = 0;
        while let Some(index) = free.pop() {
            removed += 1;
            for dependency in &self.packages[index].dependencies {
                dependents[*dependency] -= 1;
                if dependents[*dependency] == 0 {
                    free.push(*dependency);
                }
            }
        }
        removed != self.packages.len()
    }
}
