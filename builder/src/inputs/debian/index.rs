//! The package index of an archive, and which packages a build root needs.

use std::collections::{BTreeMap, BTreeSet};

use console::hint::Hinted;

use super::runtime::SCRIPTS;
use super::stanza::{fields, package};
use crate::lock::packages::Package;

/// Maximum number of packages in an index; Debian's have 64,000.
const PACKAGES: usize = 500_000;

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
    pub fn parse(text: &str) -> Result<Self, Hinted> {
        let mut index = Self::default();
        for paragraph in text
            .split("\n\n")
            .filter(|paragraph| !paragraph.trim().is_empty())
        {
            index.add(&fields(paragraph))?;
            if index.stanzas.len() > PACKAGES {
                return Err(Hinted::new(format_args!(
                    "parsing package index: more than {PACKAGES} packages"
                )));
            }
        }
        Ok(index)
    }

    fn add(&mut self, fields: &BTreeMap<&str, String>) -> Result<(), Hinted> {
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

    /// The packages `wanted` and all their dependencies, by name. Of several alternatives, the first that the
    /// index has is used; for a virtual package, its alphabetically first provider. Versions are not compared,
    /// since an index has one version of each package.
    ///
    /// # Errors
    /// A package is wanted or depended on that the index does not have.
    pub fn closure(&self, wanted: &[String]) -> Result<Vec<Package>, Hinted> {
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
        let mut unused: BTreeSet<&str> = exclude.iter().map(String::as_str).collect();
        let closure = self.closure_of(wanted, &mut |dependency| {
            let mut left_out = false;
            for name in dependency.split('|').map(bare) {
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
        wanted: &[String],
        is_left_out: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Vec<Package>, Hinted> {
        let mut found = BTreeMap::new();
        let mut open: Vec<(String, String)> = wanted
            .iter()
            .rev()
            .map(|name| ("Image.toml".to_owned(), name.clone()))
            .collect();
        while let Some((needed_by, dependency)) = open.pop() {
            let Some(stanza) = self.first(&dependency) else {
                return Err(Hinted::new(format_args!(
                    "resolving packages: {needed_by} needs {dependency:?}, which the index does not have"
                )));
            };
            let name = stanza.package.name.clone();
            if found.insert(name.clone(), stanza.package.clone()).is_none() {
                let dependencies = stanza.depends.split(',').map(str::trim);
                let named = dependencies.filter(|text| !text.is_empty() && !is_left_out(text));
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

/// The name in a relation such as `libc6 (>= 2.36)` or `perl:any`.
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

#[cfg(test)]
mod tests {
    use super::super::stanza::stanza;
    use super::*;

    fn closure(index: &str, wanted: &[&str]) -> Result<Vec<String>, Hinted> {
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
        let index = Index::parse(&index).unwrap();
        let closure = |wanted: &[&str], exclude: &[&str]| {
            let text = |names: &[&str]| {
                names
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect::<Vec<_>>()
            };
            let packages = index.closure_without(&text(wanted), &text(exclude));
            packages.map(|all| all.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(closure(&["a"], &[]).unwrap(), ["a", "b", "c", "d"]);
        assert_eq!(closure(&["a"], &["b"]).unwrap(), ["a", "c"]);
        assert_eq!(closure(&["a", "dpkg"], &["b"]).unwrap(), ["a", "c", "dpkg"]);
        assert_eq!(
            closure(&["a"], &["x"]).unwrap_err().to_string(),
            "resolving packages: [runtime] excludes \"x\", on which no package depends"
        );
    }

    #[test]
    fn names_a_missing_package_and_what_needs_it() {
        let error = closure(&stanza("a", "Depends: b | c"), &["a"])
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "resolving packages: a needs \"b | c\", which the index does not have"
        );
        let error = closure(&stanza("a", ""), &["b"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "resolving packages: Image.toml needs \"b\", which the index does not have"
        );
    }
}
