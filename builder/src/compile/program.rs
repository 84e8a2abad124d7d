//! The result of compiling, the same for all kinds of builds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::lock::crates::{CrateName, CrateVersion};
use crate::lock::repository::{CommitName, RepositoryUrl};

/// A compiled program, which may have several binaries, and how it was compiled.
#[derive(Clone, Debug)]
pub struct Program {
    /// The compiled files, by the names by which `Image.toml` refers to them.
    pub binaries: BTreeMap<String, PathBuf>,
    /// How the compiler was called.
    pub invocation: Invocation,
    /// The crates that are linked into them, sorted.
    pub linked: Vec<Linked>,
    /// The names of the packages of the build root that are linked into each binary.
    pub packages: BTreeMap<String, BTreeSet<String>>,
    /// What each binary says of the modules that are linked into it, by its name, if Go compiled it.
    pub modules: BTreeMap<String, sbom::BuildInfo>,
}

impl Program {
    /// The part of it that is in an image with these binaries.
    pub(crate) fn of(&self, binaries: &BTreeSet<&str>) -> Self {
        let is_in = |name: &String| binaries.contains(name.as_str());
        let mut part = self.clone();
        part.binaries.retain(|name, _| is_in(name));
        part.packages.retain(|name, _| is_in(name));
        part.modules.retain(|name, _| is_in(name));
        if part.binaries.is_empty() {
            part.linked.clear();
        }
        part
    }
}

/// How a compiler is called, as written to provenance. Options that do not affect the program are left out: the number
/// of jobs, and the format of the compiler's report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invocation {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The whole environment, including the compiler's flags.
    pub environment: BTreeMap<String, String>,
}

/// A crate that is linked into a program.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Linked {
    /// Its name.
    pub name: CrateName,
    /// Its version.
    pub version: CrateVersion,
    /// Where it is from.
    pub origin: CrateOrigin,
    /// The crates that it uses, by their indexes in the list that it is in, sorted.
    pub dependencies: Vec<usize>,
}

/// Where a crate is from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum CrateOrigin {
    /// The public registry.
    Registry,
    /// This folder of the source.
    Source(PathBuf),
    /// This commit of a git repository.
    Git(RepositoryUrl, CommitName),
}

/// Whether the crate at `index` is that of the program itself, on which no other depends.
pub(crate) fn is_root(linked: &[Linked], index: usize) -> bool {
    !linked.iter().any(|one| one.dependencies.contains(&index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_part_of_the_program() {
        let names = || ["server", "worker"].map(str::to_owned).into_iter();
        let info = sbom::BuildInfo {
            go: "go1.26.0".to_owned(),
            path: "app".to_owned(),
            main: None,
            dependencies: Vec::new(),
            has_cgo: false,
        };
        let program = Program {
            binaries: names().map(|name| (name, PathBuf::new())).collect(),
            invocation: Invocation {
                command: Vec::new(),
                environment: BTreeMap::new(),
            },
            linked: vec![Linked {
                name: "app".parse().unwrap(),
                version: "1.0.0".parse().unwrap(),
                origin: CrateOrigin::Registry,
                dependencies: Vec::new(),
            }],
            packages: names().map(|name| (name, BTreeSet::new())).collect(),
            modules: names().map(|name| (name, info.clone())).collect(),
        };
        let part = program.of(&["worker"].into());
        for names in [
            part.binaries.keys().collect::<Vec<_>>(),
            part.packages.keys().collect(),
            part.modules.keys().collect(),
        ] {
            assert_eq!(names, ["worker"]);
        }
        assert_eq!(part.linked, program.linked);
        assert_eq!(program.of(&BTreeSet::new()).linked, []);
    }
}
