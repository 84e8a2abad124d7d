//! The result of a comparison with advisories.

use std::collections::BTreeMap;

use ::advisories::{Advisory, Ecosystem, Match, Package};
use chrono::{DateTime, Utc};

/// A comparison of packages with a database.
#[derive(Clone, Debug)]
pub struct Scan {
    /// Whether anything lists packages.
    pub(crate) are_known: bool,
    /// Packages that were compared.
    pub(crate) compared: usize,
    /// Components that advisories cannot be about, as far as is known here.
    pub(crate) others: usize,
    /// Package URLs of Debian that name no release.
    pub(crate) without_release: Vec<String>,
    /// Package URLs of Debian in lists that name no source packages, about which Debian's advisories are.
    pub(crate) without_source: Vec<String>,
    /// What the database has for each ecosystem that packages come from.
    pub(crate) known: BTreeMap<Ecosystem, Known>,
    /// Advisories that are about packages, in the order of the package URLs.
    pub(crate) concerns: Vec<Concern>,
}

/// The advisories of an ecosystem.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// Their number.
    pub(crate) advisories: usize,
    /// When the newest was modified; `None` if all are dated in the future.
    pub(crate) newest: Option<DateTime<Utc>>,
}

impl Known {
    /// Counts an advisory, as of `now`. A date in the future does not say how old the database is.
    pub(crate) fn count(&mut self, advisory: &Advisory, now: DateTime<Utc>) {
        self.advisories += 1;
        let modified = Some(advisory.modified()).filter(|modified| *modified <= now);
        self.newest = self.newest.max(modified);
    }
}

impl Scan {
    /// The ecosystems of packages of which the database has no advisories.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Ecosystem> {
        let missing = self.known.iter().filter(|(_, known)| known.advisories == 0);
        missing.map(|(ecosystem, _)| ecosystem)
    }
}

/// An advisory that is about a package.
#[derive(Clone, Debug)]
pub struct Concern {
    /// The package.
    pub(crate) package: Package,
    /// What the advisory says.
    pub(crate) advisory: Match,
}
