use std::collections::BTreeSet;

use advisories::{Advisory, Found, Level, Match, Package, vex};
use chrono::{DateTime, Utc};

use crate::check::{accepted, with_text};

const NOW: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;
/// Packages of each ecosystem, whose versions are compared with those in advisories.
const PACKAGES: [&str; 4] = [
    "pkg:cargo/time@0.1.43",
    "pkg:deb/debian/glibc@2.36-9?distro=debian-12",
    "pkg:golang/stdlib@1.21.0",
    "pkg:pypi/django@4.2.1",
];

fn packages() -> impl Iterator<Item = Package> {
    PACKAGES
        .iter()
        .map(|purl| Package::of(purl, None).expect("they are package URLs"))
}

/// An advisory says something of each package, or nothing.
pub fn advisory(bytes: &[u8]) -> bool {
    accepted(Advisory::parse(bytes), |advisory| {
        for package in packages() {
            advisory.about(&package, NOW);
        }
    })
}

/// A document of OpenVEX answers, or not.
pub fn vex(bytes: &[u8]) -> bool {
    accepted(vex::Document::parse(bytes), |document| {
        let advisory = Match {
            id: "RUSTSEC-2020-0071".to_owned(),
            aliases: BTreeSet::from(["CVE-2020-26235".to_owned()]),
            level: Level::Medium,
            found: Found::Unclear,
        };
        for package in packages() {
            vex::answer([&document], &advisory, &package, None, NOW);
        }
    })
}

/// A package is that of its URL, whatever release is given beside it.
pub fn package_url(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(Package::of(text, Some("12")), |package| {
            assert_eq!(package.purl, text);
        })
    })
}
