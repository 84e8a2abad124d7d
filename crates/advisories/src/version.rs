//! Versions as each ecosystem orders them.

use std::cmp::Ordering;

use crate::{Ecosystem, debian};

/// A version that can be compared with others of its ecosystem.
#[derive(Clone, Debug)]
pub(crate) enum Version {
    Semantic(semver::Version),
    Debian(debian::Version),
    Python(Box<pep440_rs::Version>),
}

impl Version {
    /// Parses a version; `None` if it is none of the ecosystem.
    pub(crate) fn parse(ecosystem: &Ecosystem, text: &str) -> Option<Self> {
        match ecosystem {
            Ecosystem::Crates => semver::Version::parse(text).ok().map(Self::Semantic),
            Ecosystem::Go => go(text).map(Self::Semantic),
            Ecosystem::Debian(_) => debian::Version::parse(text).map(Self::Debian),
            Ecosystem::Python => {
                let version = text.parse().ok()?;
                Some(Self::Python(Box::new(version)))
            }
        }
    }

    /// The order; `None` if they are of different ecosystems. Build metadata of semantic versions has none (semver.org, 10).
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Semantic(one), Self::Semantic(other)) => Some(one.cmp_precedence(other)),
            (Self::Debian(one), Self::Debian(other)) => Some(one.cmp(other)),
            (Self::Python(one), Self::Python(other)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

/// A version of a Go module, which begins with `v`, or of Go itself, `go1.22`, whose last numbers may be missing. Advisories have
/// them without the prefix.
fn go(text: &str) -> Option<semver::Version> {
    let text = text
        .strip_prefix("go")
        .or_else(|| text.strip_prefix('v'))
        .unwrap_or(text);
    let numbers = text.split(['-', '+']).next()?;
    let missing = 2_usize.saturating_sub(numbers.matches('.').count());
    let rest = &text[numbers.len()..];
    semver::Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn ascends(ecosystem: &Ecosystem, versions: &[&str]) {
        let parsed: Vec<_> = versions
            .iter()
            .map(|text| Version::parse(ecosystem, text).unwrap())
            .collect();
        for pair in parsed.windows(2) {
            assert_eq!(pair[0].order(&pair[1]), Some(Ordering::Less), "{pair:?}");
        }
    }

    #[test]
    fn each_ecosystem_has_its_order() {
        ascends(
            &Ecosystem::Crates,
            &[
                "0.9.0",
                "1.0.0-alpha.2",
                "1.0.0-alpha.10",
                "1.0.0",
                "1.10.0",
            ],
        );
        ascends(
            &Ecosystem::Go,
            &[
                "v0.0.0-20220101000000-abcdefabcdef",
                "v0.0.1",
                "1.21",
                "go1.21.1",
                "v2.0.0+incompatible",
            ],
        );
        ascends(
            &Ecosystem::Python,
            &["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1!0.1"],
        );
        ascends(
            &Ecosystem::Debian("12".to_owned()),
            &["1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1:0.1-1"],
        );
    }

    #[test]
    fn build_metadata_has_no_order() {
        let [one, other] =
            ["1.0.0+a", "1.0.0+b"].map(|text| Version::parse(&Ecosystem::Crates, text).unwrap());
        assert_eq!(one.order(&other), Some(Ordering::Equal));
    }

    #[test]
    fn other_text_is_no_version() {
        for (ecosystem, text) in [
            (Ecosystem::Crates, "1.0"),
            (Ecosystem::Go, "(devel)"),
            (Ecosystem::Go, ""),
            (Ecosystem::Python, "latest"),
            (Ecosystem::Debian("12".to_owned()), "?"),
        ] {
            assert!(Version::parse(&ecosystem, text).is_none(), "{text}");
        }
    }
}
