//! The result of a comparison with advisories.

use ::advisories::{Match, Package};
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
    /// The number of advisories.
    pub(crate) advisories: usize,
    /// When the newest advisory was modified.
    pub(crate) newest: DateTime<Utc>,
    /// Advisories that are about packages, in the order of the package URLs.
    pub(crate) concerns: Vec<Concern>,
}

/// An advisory that is about a package.
#[derive(Clone, Debug)]
pub struct Concern {
    /// The package.
    pub(crate) package: Package,
    /// What the advisory says.
    pub(crate) advisory: Match,
}
