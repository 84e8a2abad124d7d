//! Which packages a build root needs, and the suite that each is taken from.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use console::hint::Hinted;

use super::index::{Index, Stanza};
use super::runtime::SCRIPTS;
use super::similar::similar;
use super::version::Relation;
use crate::lock::packages::Package;
use crate::spec::PackageSpec;
use walk::{Later, Walk};

/// The indexes of suites, in the order of preference.
#[derive(Debug)]
pub struct Suites(Vec<(String, Index)>);

/// A package, and the number of the suite that it is taken from.
type Found<'a> = (usize, &'a Stanza);

impl Suites {
    /// The indexes of suites, by name.
    pub fn new(suites: Vec<(String, Index)>) -> Self {
        Self(suites)
    }

    /// Whether a suite has a package with this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(_, index)| index.get(name).is_some())
    }

    /// The packages `wanted` and all their dependencies, by name. A package is taken from the first suite that has it in a
    /// version that the dependency allows. Of several alternatives, the first that a suite has is used; for a virtual
    /// package, a provider that is wanted, or else the alphabetically first of the first suite that has one.
    ///
    /// # Errors
    /// A package is wanted or depended on that no suite has.
    pub fn closure(&self, wanted: &[PackageSpec]) -> Result<Vec<Package>, Hinted> {
        self.closure_of(wanted, &mut |_| false)
    }

    /// As [`Self::closure`], for packages without their scripts: dependencies that only scripts use are left out, and those
    /// in `exclude`, unless they are wanted.
    ///
    /// # Errors
    /// As [`Self::closure`], or no package depends on one that is in `exclude`.
    pub fn closure_without(
        &self,
        wanted: &[String],
        exclude: &[String],
    ) -> Result<Vec<Package>, Hinted> {
        let wanted: Vec<_> = wanted.iter().cloned().map(PackageSpec::from).collect();
        let mut unused: BTreeSet<&str> = exclude.iter().map(String::as_str).collect();
        let closure = self.closure_of(&wanted, &mut |dependency| {
            let mut left_out = false;
            for alternative in dependency.split('|') {
                let name = Relation::parse(alternative).name;
                unused.remove(name);
                left_out |= SCRIPTS.contains(&name) || exclude.iter().any(|one| one == name);
            }
            left_out
        })?;
        match unused.first() {
            None => Ok(closure),
            Some(name) => Err(Hinted::new(format_args!(
                "resolving packages: [runtime] excludes {name:?}, on which no package depends"
            ))
            .hinting("remove it from `exclude` in Image.toml")),
        }
    }

    /// The packages `wanted` and those of their dependencies that are not left out.
    fn closure_of(
        &self,
        wanted: &[PackageSpec],
        is_left_out: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<Package>, Hinted> {
        let pinned = wanted.iter().filter_map(|one| {
            let suite = one.suite.as_ref()?;
            let number = self.0.iter().position(|(name, _)| name == suite)?;
            Some((one.name.clone(), number))
        });
        let pinned: BTreeMap<_, _> = pinned.collect();
        let mut chosen = pinned.clone();
        // Each round moves one package to a later suite.
        loop {
            let walk = Walk {
                suites: self,
                wanted,
                pinned: &pinned,
                chosen: &chosen,
                found: BTreeMap::new(),
            };
            match walk.all(is_left_out)? {
                Ok(found) => return Ok(self.packages(found)),
                Err(Later { name, suite }) => chosen.insert(name, suite),
            };
        }
    }

    fn packages(&self, found: BTreeMap<&str, Found<'_>>) -> Vec<Package> {
        let named = |(suite, stanza): Found<'_>| Package {
            suite: (self.0.len() > 1).then(|| self.0[suite].0.clone()),
            ..stanza.package.clone()
        };
        found.into_values().map(named).collect()
    }

    /// Why a dependency cannot be met.
    fn missing(&self, needed_by: &str, dependency: &str) -> Hinted {
        if self.0.is_empty() {
            return Hinted::new(format_args!(
                "resolving packages: {needed_by} needs {dependency:?}, but [root] names no suite"
            ))
            .hinting("write suite = \"trixie\" in [root] of Image.toml, for example");
        }
        let name = Relation::parse(dependency).name;
        let versions = self.0.iter().filter_map(|(suite, index)| {
            let version = &index.get(name)?.package.version;
            Some(format!("{version} in {suite}"))
        });
        let versions: Vec<_> = versions.collect();
        let needs = format!(
            "resolving packages: {needed_by} needs {dependency:?}, which the index does not have"
        );
        if !versions.is_empty() {
            let versions = versions.join(", ");
            return Hinted::new(format_args!(
                "{needs} in a version that suits all: it has {versions}"
            ))
            .hinting("name the suite of a package as \"package/suite\"");
        }
        let suites: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        let plural = if suites.len() == 1 { "suite" } else { "suites" };
        let suites = suites.join(", ");
        let names = self.0.iter().flat_map(|(_, index)| index.names());
        let other = match similar(name, names).join(", ") {
            none if none.is_empty() => none,
            names => format!("; similar names: {names}"),
        };
        Hinted::new(format_args!("{needs}: looked in {plural} {suites}{other}"))
            .hinting("a package may have another name in this suite, or be in another suite")
    }
}

#[cfg(test)]
mod tests {
    use super::super::stanza::stanza;
    use super::*;

    fn suites(indexes: &[(&str, String)]) -> Suites {
        let parse = |(name, text): &(&str, String)| (name.to_string(), Index::parse(text).unwrap());
        Suites::new(indexes.iter().map(parse).collect())
    }

    fn wanted(names: &[&str]) -> Vec<PackageSpec> {
        let names = names.iter().map(|&name| name.to_owned());
        names.map(PackageSpec::from).collect()
    }

    /// The names of the packages from one suite.
    fn closure(index: &str, names: &[&str]) -> Result<Vec<String>, Hinted> {
        let packages = suites(&[("s", index.to_owned())]).closure(&wanted(names))?;
        assert!(packages.iter().all(|package| package.suite.is_none()));
        Ok(packages.into_iter().map(|package| package.name).collect())
    }

    /// Names, suites and versions of the packages from the suites `old` and `new`.
    fn from_two(old: &[String], new: &[String], names: &[&str]) -> Result<Vec<String>, String> {
        let suites = suites(&[("old", old.join("\n")), ("new", new.join("\n"))]);
        let packages = suites.closure(&wanted(names));
        let packages = packages.map_err(|error| error.to_string())?;
        let shown = |one: Package| format!("{}/{} {}", one.name, one.suite.unwrap(), one.version);
        Ok(packages.into_iter().map(shown).collect())
    }

    fn at(version: &str, name: &str, more: &str) -> String {
        stanza(name, more).replace("Version: 1", &format!("Version: {version}"))
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
        // A provider that is wanted makes others unnecessary.
        assert_eq!(closure(&index, &["a", "q"]).unwrap(), ["a", "b", "c", "q"]);
    }

    #[test]
    fn packages_without_scripts_need_fewer_others() {
        let index = [
            stanza(
                "a",
                "Pre-Depends: dpkg (>= 1)\nDepends: debconf (>= 0.5) | debconf-2.0, b, c",
            ),
            stanza("b", "Depends: d"),
            stanza("c", ""),
            stanza("d", ""),
            stanza("debconf", ""),
            stanza("dpkg", ""),
        ]
        .join("\n");
        let suites = suites(&[("s", index)]);
        let closure = |wanted: &[&str], exclude: &[&str]| {
            let text = |names: &[&str]| {
                names
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect::<Vec<_>>()
            };
            let packages = suites.closure_without(&text(wanted), &text(exclude));
            packages.map(|all| all.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(closure(&["a"], &[]).unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(closure(&["a"], &["b"]).unwrap(), ["a", "c"]);
        assert_eq!(closure(&["a", "dpkg"], &["b"]).unwrap(), ["a", "c", "dpkg"]);
        assert_eq!(
            closure(&["a"], &["x"]).unwrap_err().to_string(),
            "resolving packages: [runtime] excludes \"x\", on which no package depends"
        );
        let none = Suites::new(Vec::new());
        assert_eq!(none.closure(&[]).unwrap(), []);
        let error = none.closure(&wanted(&["a"])).unwrap_err().to_string();
        assert!(error.ends_with("but [root] names no suite"), "{error}");
    }

    #[test]
    fn names_a_missing_package_and_what_needs_it() {
        let error = closure(&stanza("a", "Depends: b | c"), &["a"]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "resolving packages: a needs \"b | c\", which the index does not have: looked in suite s"
        );
        let index = [stanza("gcc-14", ""), stanza("zlib1g-dev", "")].join("\n");
        let error = closure(&index, &["gcc14"]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "resolving packages: Image.toml needs \"gcc14\", which the index does not have: looked in suite s; \
             similar names: gcc-14"
        );
        let error = from_two(&[stanza("a", "")], &[stanza("c", "")], &["b", "a"]);
        let error = error.unwrap_err();
        assert!(error.contains("looked in suites old, new"), "{error}");
    }

    #[test]
    fn an_earlier_suite_wins_unless_a_version_or_the_user_needs_a_later_one() {
        let old = [
            stanza("cargo", "Depends: rustc (>= 1)"),
            stanza("rustc", "Depends: libc"),
            stanza("libc", ""),
        ];
        let new = [
            at("2", "cargo", "Depends: rustc (>= 2), libc"),
            at("2", "rustc", "Depends: libc (>= 1), llvm"),
            at("2", "libc", ""),
            at("2", "llvm", ""),
        ];
        let first = from_two(&old, &new, &["cargo"]).unwrap();
        assert_eq!(first, ["cargo/old 1", "libc/old 1", "rustc/old 1"]);
        let later = ["cargo/new 2", "libc/old 1", "llvm/new 2", "rustc/new 2"];
        // Also if the older rustc was found before.
        for wanted in [
            &["cargo/new"][..],
            &["cargo/new", "rustc"],
            &["rustc", "cargo/new"],
        ] {
            assert_eq!(from_two(&old, &new, wanted).unwrap(), later, "{wanted:?}");
        }
        let only_new = from_two(&old, &new, &["llvm"]).unwrap();
        assert_eq!(only_new, ["llvm/new 2"]);
    }

    #[test]
    fn versions_that_cannot_be_together_are_an_error() {
        let old = [stanza("a", "Depends: c (<< 2)"), stanza("c", "")];
        let new = [at("2", "b", "Depends: c (>= 2)"), at("2", "c", "")];
        let error = from_two(&old, &new, &["a", "b"]).unwrap_err();
        assert_eq!(
            error,
            "resolving packages: a needs \"c (<< 2)\", which the index does not have in a version that suits all: \
             it has 1 in old, 2 in new"
        );
        let error = from_two(&old, &new, &["c/old", "b"]).unwrap_err();
        assert!(error.contains("b needs \"c (>= 2)\""), "{error}");
        let pinned = from_two(&old, &new, &["c/new"]).unwrap();
        assert_eq!(pinned, ["c/new 2"]);
    }
}
