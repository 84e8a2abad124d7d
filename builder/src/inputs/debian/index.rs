//! The package index of one part of an archive.

use std::collections::{BTreeMap, BTreeSet};

use console::hint::Hinted;

use super::stanza::{fields, package};
use super::version::Relation;
use crate::lock::packages::Package;

/// Maximum number of packages in an index; Debian's have 64,000.
const PACKAGES: usize = 500_000;

/// The index of one suite, component and architecture.
#[derive(Debug, Default)]
pub struct Index {
    stanzas: BTreeMap<String, Stanza>,
    providers: BTreeMap<String, BTreeSet<String>>,
}

/// A package as an index describes it.
#[derive(Debug)]
pub(super) struct Stanza {
    pub(super) package: Package,
    /// What it needs, as alternatives that are separated by commas.
    pub(super) depends: String,
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

    /// The package with this name.
    pub(super) fn get(&self, name: &str) -> Option<&Stanza> {
        self.stanzas.get(name)
    }

    /// The packages that provide a virtual package, by name.
    pub(super) fn providers<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = &'a Stanza> + Clone + use<'a> {
        let names = self.providers.get(name).into_iter().flatten();
        names.filter_map(|name| self.get(name))
    }

    /// The names of all packages.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.stanzas.keys().map(String::as_str)
    }
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    let names = list.split(',').map(|text| Relation::parse(text).name);
    names.filter(|name| !name.is_empty())
}
