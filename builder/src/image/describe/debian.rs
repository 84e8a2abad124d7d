//! Debian packages, in provenance and bill of materials.

use attest::Sbom;
use attest::sbom::{DebianPackage, package_purl};

use crate::lock::packages::{Package, SourcePackage};
use crate::spec::RootSpec;

/// The releases of Debian, by code name, as `distro` in a package URL has them.
const RELEASES: [(&str, &str); 4] = [
    ("bullseye", "debian-11"),
    ("bookworm", "debian-12"),
    ("trixie", "debian-13"),
    ("forky", "debian-14"),
];
/// The suites beside that of a release which have its packages, newer ones of the same versions. Backports do not: advisories
/// about a release do not know their versions.
const UPDATES: [&str; 4] = ["", "-updates", "-security", "-proposed-updates"];

/// Adds a package.
pub(super) fn add(sbom: &mut Sbom, package: &Package, root: &RootSpec) {
    with(package, root, |named| {
        sbom.add_package(named, package.sha256)
    });
}

/// The package URL of a package, as in the bill of materials.
pub(super) fn purl(package: &Package, root: &RootSpec) -> String {
    with(package, root, package_purl)
}

/// The package as its URL names it. If the lock does not name sources, it is named as in releases that did not write them.
fn with<T>(package: &Package, root: &RootSpec, use_it: impl FnOnce(&DebianPackage<'_>) -> T) -> T {
    let suite = package.suite.as_ref().or(root.suites.first());
    let source = package.source.as_ref().map(upstream);
    let distribution = suite.and_then(|suite| distribution(suite));
    use_it(&DebianPackage {
        name: &package.name,
        version: &package.version,
        architecture: &root.architecture,
        distribution: distribution.filter(|_| source.is_some()),
        source: source.as_deref(),
    })
}

fn upstream(source: &SourcePackage) -> String {
    match source.version() {
        Some(version) => format!("{}@{version}", source.name()),
        None => source.name().to_owned(),
    }
}

/// The release of Debian that a suite is of.
fn distribution(suite: &str) -> Option<&'static str> {
    let is_of = |name: &str| {
        let rest = suite.strip_prefix(name);
        rest.is_some_and(|rest| UPDATES.contains(&rest))
    };
    let mut releases = RELEASES.iter();
    let (_, found) = releases.find(|(name, _)| is_of(name))?;
    Some(found)
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn package(source: &str, suite: Option<&str>) -> Package {
        Package {
            name: "libgcc-12-dev".to_owned(),
            suite: suite.map(str::to_owned),
            source: source.parse().ok(),
            version: "12.2.0-14+b1".to_owned(),
            path: "p".parse().unwrap(),
            sha256: Digest::of(b""),
            size: 1,
        }
    }

    fn of(source: &str, suite: Option<&str>) -> String {
        let root = RootSpec {
            suites: ["bookworm", "trixie-backports"].map(str::to_owned).to_vec(),
            ..RootSpec::default()
        };
        let purl = purl(&package(source, suite), &root);
        let (_, qualifiers) = purl.split_once("?arch=amd64").unwrap();
        qualifiers.to_owned()
    }

    #[test]
    fn a_package_url_names_the_source_and_the_release_of_the_suite() {
        for (source, suite, expected) in [
            ("glibc", None, "&distro=debian-12&upstream=glibc"),
            (
                "gcc-12 (12.2.0-14)",
                None,
                "&distro=debian-12&upstream=gcc-12%4012.2.0-14",
            ),
            ("x", Some("trixie-security"), "&distro=debian-13&upstream=x"),
            ("x", Some("trixie-backports"), "&upstream=x"),
            ("x", Some("sid"), "&upstream=x"),
            // Of a lock that names no sources.
            ("", None, ""),
        ] {
            assert_eq!(of(source, suite), expected, "{source} of {suite:?}");
        }
    }
}
