//! The walk along the dependencies of packages.

use std::collections::BTreeMap;

use console::hint::Hinted;

use super::{Found, Suites};
use crate::inputs::debian::version::Relation;
use crate::spec::PackageSpec;

/// Who needs the packages that `Image.toml` names.
const WANTED: &str = "Image.toml";

/// A package must be taken from a later suite than was tried.
pub(super) struct Later {
    pub(super) name: String,
    pub(super) suite: usize,
}

/// A walk along dependencies, in which each package has one suite.
pub(super) struct Walk<'a> {
    pub(super) suites: &'a Suites,
    /// The packages that `Image.toml` names.
    pub(super) wanted: &'a [PackageSpec],
    /// The suites that it names, by package.
    pub(super) pinned: &'a BTreeMap<String, usize>,
    /// The suites that are tried first, by package; among them those that are pinned.
    pub(super) chosen: &'a BTreeMap<String, usize>,
    pub(super) found: BTreeMap<&'a str, Found<'a>>,
}

impl<'a> Walk<'a> {
    pub(super) fn all(
        mut self,
        is_left_out: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Result<BTreeMap<&'a str, Found<'a>>, Later>, Hinted> {
        let wanted = self.wanted.iter().rev();
        let mut open: Vec<_> = wanted.map(|one| (WANTED, one.name.clone())).collect();
        while let Some((needed_by, dependency)) = open.pop() {
            let one = self.first(&dependency);
            let (suite, stanza) = one.ok_or_else(|| self.suites.missing(needed_by, &dependency))?;
            let name = stanza.package.name.as_str();
            match self.found.insert(name, (suite, stanza)) {
                None => {
                    let dependencies = stanza.depends.split(',').map(str::trim);
                    let named = dependencies.filter(|text| !text.is_empty() && !is_left_out(text));
                    open.extend(named.map(|text| (name, text.to_owned())));
                }
                Some((earlier, _)) if earlier != suite => {
                    let (name, suite) = (name.to_owned(), earlier.max(suite));
                    match self.chosen.get(&name) {
                        Some(chosen) if *chosen >= suite => {
                            return Err(self.suites.missing(needed_by, &dependency));
                        }
                        _ => return Ok(Err(Later { name, suite })),
                    }
                }
                Some(_) => {}
            }
        }
        Ok(Ok(self.found))
    }

    /// The first alternative that a suite has.
    fn first(&self, dependency: &str) -> Option<Found<'a>> {
        dependency.split('|').find_map(|alternative| {
            let relation = Relation::parse(alternative);
            self.named(relation)
                .or_else(|| self.provider(relation.name))
        })
    }

    /// The package of that name: as found already, or else in the first suite.
    fn named(&self, relation: Relation<'_>) -> Option<Found<'a>> {
        let allowed = |(_, stanza): &Found<'a>| relation.allows(&stanza.package.version);
        let found = self.found.get(relation.name).copied().filter(allowed);
        let suites = self.allowed(relation.name);
        found.or_else(|| {
            suites
                .filter_map(|suite| self.at(suite, relation.name))
                .find(allowed)
        })
    }

    fn provider(&self, name: &str) -> Option<Found<'a>> {
        let suites = self.suites.0.iter().enumerate();
        let providers = suites.flat_map(|(suite, (_, index))| {
            let providers = index.providers(name);
            providers.map(move |stanza| (suite, stanza))
        });
        let is_allowed =
            |(suite, stanza): &Found<'a>| self.allowed(&stanza.package.name).contains(suite);
        let is_wanted = |(_, stanza): &Found<'a>| {
            let name = &stanza.package.name;
            self.wanted.iter().any(|one| one.name == *name)
        };
        let mut allowed = providers.filter(is_allowed);
        allowed.clone().find(is_wanted).or_else(|| allowed.next())
    }

    fn at(&self, suite: usize, name: &str) -> Option<Found<'a>> {
        let (_, index) = self.suites.0.get(suite)?;
        Some((suite, index.get(name)?))
    }

    /// The suites that a package may be taken from.
    fn allowed(&self, name: &str) -> std::ops::Range<usize> {
        let all = self.suites.0.len();
        match (self.pinned.get(name), self.chosen.get(name)) {
            (Some(suite), _) => *suite..suite + 1,
            (None, Some(first)) => *first..all,
            (None, None) => 0..all,
        }
    }
}
