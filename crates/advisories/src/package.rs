//! Packages that advisories may be about.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use packageurl::PackageUrl;

use crate::ecosystem::{Ecosystem, release};
use crate::version::Version;

/// A package of a version.
#[derive(Clone, Debug)]
pub struct Package {
    /// The package URL that it was read from.
    pub purl: String,
    /// Where it comes from.
    pub ecosystem: Ecosystem,
    /// The name, in the form in which names are compared.
    pub(crate) name: String,
    /// The version as text.
    pub version: String,
    pub(crate) parsed: Option<Version>,
    pub(crate) url: PackageUrl<'static>,
    /// The BOM-Links by which documents refer to it (CycloneDX).
    pub(crate) links: BTreeSet<String>,
}

/// Why advisories cannot be compared with a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Uncompared {
    /// It is of another ecosystem, or has no version.
    Unknown,
    /// It is a package of Debian, and its URL does not say of which release.
    NoRelease,
}

impl Package {
    /// The package that a package URL names. A package of Debian is one of the release that its `distro` names, or else of
    /// `debian`.
    ///
    /// # Errors
    /// It cannot be compared with advisories.
    pub fn of(purl: &str, debian: Option<&str>) -> Result<Self, Uncompared> {
        let url = PackageUrl::from_str(purl).map_err(|_| Uncompared::Unknown)?;
        let version = url.version().ok_or(Uncompared::Unknown)?.to_owned();
        let qualifier = |name: &str| url.qualifiers().get(name).map(ToString::to_string);
        let path = match url.namespace() {
            Some(namespace) => format!("{namespace}/{}", url.name()),
            None => url.name().to_owned(),
        };
        let (ecosystem, name, version) = match (url.ty(), url.namespace()) {
            ("cargo", None) => (Ecosystem::Crates, path, version),
            ("golang", _) => (Ecosystem::Go, path, version),
            ("pypi", None) => (Ecosystem::Python, path, version),
            ("deb", Some("debian")) => {
                let own = qualifier("distro");
                let found = own.as_deref().or(debian).and_then(release);
                let found = found.ok_or(Uncompared::NoRelease)?;
                let (name, version) = source(
                    url.name(),
                    version,
                    qualifier("epoch"),
                    qualifier("upstream"),
                );
                (Ecosystem::Debian(found), name, version)
            }
            _ => return Err(Uncompared::Unknown),
        };
        Ok(Self {
            purl: purl.to_owned(),
            name: ecosystem.normal(&name),
            parsed: Version::parse(&ecosystem, &version),
            ecosystem,
            version,
            url,
            links: BTreeSet::new(),
        })
    }

    /// The package, which is a component of these BOM-Links in bills of materials.
    pub fn linked(self, links: BTreeSet<String>) -> Self {
        Self { links, ..self }
    }

    /// Whether a version is that of the package, or of its source: as text, or in the order of versions.
    pub(crate) fn is_of_version(&self, text: &str) -> bool {
        let is_equal = || {
            let parsed = Version::parse(&self.ecosystem, text)?;
            Some(self.parsed.as_ref()?.order(&parsed)?.is_eq())
        };
        let is_named = self.version == text || self.url.version() == Some(text);
        is_named || is_equal().unwrap_or(false)
    }
}

/// A package of Debian, whose advisories are about source packages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binary {
    /// Its name and version.
    pub named: (String, Option<String>),
    /// Whether its URL names its source package.
    pub has_source: bool,
}

impl Binary {
    /// The package of Debian that a package URL names; `None` if it names another.
    pub fn of(purl: &str) -> Option<Self> {
        let url = PackageUrl::from_str(purl).ok()?;
        let is_of_debian = (url.ty(), url.namespace()) == ("deb", Some("debian"));
        is_of_debian.then(|| Self {
            named: (url.name().to_owned(), url.version().map(str::to_owned)),
            has_source: url.qualifiers().contains_key("upstream"),
        })
    }
}

/// A package URL with this version, if it has none of its own.
pub fn versioned(purl: &str, version: Option<&str>) -> String {
    let url = PackageUrl::from_str(purl).ok();
    let added = url.zip(version).and_then(|(mut url, version)| {
        let has_none = url.version().is_none();
        has_none.then_some(())?;
        Some(url.with_version(version).ok()?.to_string())
    });
    added.unwrap_or_else(|| purl.to_owned())
}

/// The name and version of the source of a Debian package. `upstream` has it, as `NAME` or `NAME@VERSION`, if it is another; the
/// suffix `+bN` counts builds of one source.
fn source(
    name: &str,
    version: String,
    epoch: Option<String>,
    upstream: Option<String>,
) -> (String, String) {
    let version = match epoch {
        Some(epoch) if !version.contains(':') => format!("{epoch}:{version}"),
        _ => version,
    };
    let rebuilt = version.rsplit_once("+b");
    let rebuilt = rebuilt.filter(|(_, count)| count.bytes().all(|byte| byte.is_ascii_digit()));
    let version = rebuilt
        .map_or(version.as_str(), |(source, _)| source)
        .to_owned();
    match upstream
        .as_deref()
        .map(|upstream| upstream.split_once('@').unwrap_or((upstream, "")))
    {
        Some((upstream, "")) => (upstream.to_owned(), version),
        Some((upstream, of_source)) => (upstream.to_owned(), of_source.to_owned()),
        None => (name.to_owned(), version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(purl: &str) -> (Ecosystem, String, String) {
        let package = Package::of(purl, None).unwrap();
        (package.ecosystem, package.name, package.version)
    }

    #[test]
    fn package_urls_name_packages() {
        let debian = || Ecosystem::Debian("12".to_owned());
        for (purl, ecosystem, name, version) in [
            (
                "pkg:cargo/Rand_core@0.6.0",
                Ecosystem::Crates,
                "rand-core",
                "0.6.0",
            ),
            (
                "pkg:golang/github.com/Azure/go-x/v2@v2.0.1",
                Ecosystem::Go,
                "github.com/azure/go-x/v2",
                "v2.0.1",
            ),
            (
                "pkg:golang/stdlib@1.22.1",
                Ecosystem::Go,
                "stdlib",
                "1.22.1",
            ),
            (
                "pkg:pypi/Zope.Interface@5.0",
                Ecosystem::Python,
                "zope-interface",
                "5.0",
            ),
            (
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u3?arch=amd64&distro=debian-12&upstream=glibc",
                debian(),
                "glibc",
                "2.36-9+deb12u3",
            ),
            (
                "pkg:deb/debian/libx@1.0-1%2Bb2?distro=bookworm&upstream=x%401.0-1",
                debian(),
                "x",
                "1.0-1",
            ),
            (
                "pkg:deb/debian/x@1.0-1%2Bb2?distro=debian-12.5",
                debian(),
                "x",
                "1.0-1",
            ),
            (
                "pkg:deb/debian/x@1.0-1?distro=debian-12&epoch=2",
                debian(),
                "x",
                "2:1.0-1",
            ),
        ] {
            let expected = (ecosystem, name.to_owned(), version.to_owned());
            assert_eq!(parts(purl), expected, "{purl}");
        }
    }

    #[test]
    fn some_cannot_be_compared() {
        let of = |purl| Package::of(purl, None).unwrap_err();
        assert_eq!(
            of("pkg:deb/debian/x@1.0-1?arch=amd64"),
            Uncompared::NoRelease
        );
        let purl = "pkg:deb/debian/x@1.0-1?arch=amd64";
        for unknown in ["Debian 12", "sid", "debian", ""] {
            let found = Package::of(purl, Some(unknown)).unwrap_err();
            assert_eq!(found, Uncompared::NoRelease, "{unknown}");
        }
        let package = Package::of(purl, Some("trixie")).unwrap();
        assert_eq!(package.ecosystem, Ecosystem::Debian("13".to_owned()));
        for purl in [
            "pkg:cargo/rand",
            "pkg:npm/x@1.0.0",
            "pkg:deb/ubuntu/x@1",
            "x",
            "pkg:cargo/a/b@1.0.0",
        ] {
            assert_eq!(of(purl), Uncompared::Unknown, "{purl}");
        }
    }

    #[test]
    fn packages_of_debian_may_name_their_source() {
        for (purl, expected) in [
            (
                "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc",
                Some(true),
            ),
            ("pkg:deb/debian/libc6@2.36-9?distro=debian-12", Some(false)),
            ("pkg:deb/ubuntu/libc6@2.36-9?upstream=glibc", None),
            ("pkg:cargo/libc@0.2.0", None),
            ("libc6", None),
        ] {
            let found = Binary::of(purl).map(|one| one.has_source);
            assert_eq!(found, expected, "{purl}");
        }
    }

    #[test]
    fn a_version_is_added_if_there_is_none() {
        let with = |purl| versioned(purl, Some("1.0+a"));
        assert_eq!(with("pkg:cargo/x"), "pkg:cargo/x@1.0%2Ba");
        for purl in ["pkg:cargo/x@2.0", "x", ""] {
            assert_eq!(with(purl), purl);
        }
        assert_eq!(versioned("pkg:cargo/x", None), "pkg:cargo/x");
    }

    #[test]
    fn a_release_is_named_by_number_or_code_name() {
        let twelve = Ecosystem::Debian("12".to_owned());
        for name in ["Debian:12", "Debian", "Debian:bookworm"] {
            assert!(twelve.is(name), "{name}");
        }
        for name in ["Debian:13", "Ubuntu:12", "debian:12"] {
            assert!(!twelve.is(name), "{name}");
        }
    }
}
