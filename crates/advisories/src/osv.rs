//! Advisories in the format of OSV (ossf.github.io/osv-schema, version 1).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use content::json::{self, JsonError};
use serde::Deserialize;
use serde_json::Value;

use crate::range::{Range, Verdict};
use crate::{Ecosystem, Level, Package};

/// The largest advisory, in bytes.
pub const LARGEST: u64 = 16 << 20;

/// An advisory.
#[derive(Debug)]
pub struct Advisory(Document);

/// Bytes that are no advisory.
#[derive(Debug, thiserror::Error)]
#[error("parsing advisory: {0}")]
pub struct InvalidAdvisory(#[from] JsonError);

#[derive(Debug, Deserialize)]
struct Document {
    id: String,
    modified: DateTime<Utc>,
    withdrawn: Option<DateTime<Utc>>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    severity: Vec<Severity>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct Severity {
    score: String,
}

#[derive(Debug, Deserialize)]
struct Affected {
    package: Option<Named>,
    #[serde(default)]
    severity: Vec<Severity>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct Named {
    ecosystem: String,
    name: String,
}

/// An advisory that is about a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Match {
    /// The ID of the advisory.
    pub id: String,
    /// Its other IDs.
    pub aliases: BTreeSet<String>,
    /// How severe it is.
    pub level: Level,
    /// What it says of the package.
    pub found: Found,
}

/// What an advisory says of a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// The version is affected.
    Affected {
        /// The next version that is not, if there is one.
        fixed: Option<String>,
    },
    /// The version cannot be compared with those of the advisory.
    Unclear,
}

/// The highest level of several entries for one package. A known one counts more than an unknown one, and information only if
/// there is nothing else.
fn highest(levels: impl Iterator<Item = Level>) -> Level {
    let levels: Vec<_> = levels.collect();
    let known = levels.iter().copied();
    let known = known.filter(|level| !matches!(level, Level::Unknown | Level::Informational));
    match (known.max(), levels.contains(&Level::Unknown)) {
        (Some(known), _) => known,
        (None, true) => Level::Unknown,
        (None, false) => Level::Informational,
    }
}

impl Advisory {
    /// Parses an advisory.
    ///
    /// # Errors
    /// It is larger than [`LARGEST`], not strict JSON, or not of this form.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidAdvisory> {
        Ok(Self(json::parse(bytes, LARGEST)?))
    }

    /// When it was modified last.
    pub fn modified(&self) -> DateTime<Utc> {
        self.0.modified
    }

    /// Whether it is about packages of this ecosystem.
    pub fn is_of(&self, ecosystem: &Ecosystem) -> bool {
        let mut named = self.0.affected.iter().flat_map(|one| &one.package);
        named.any(|package| ecosystem.is(&package.ecosystem))
    }

    /// What it says of a package, as of `now`; `None` if it is not about the package, or was withdrawn.
    pub fn about(&self, package: &Package, now: DateTime<Utc>) -> Option<Match> {
        if self.0.withdrawn.is_some_and(|withdrawn| withdrawn <= now) {
            return None;
        }
        let affected = self.0.affected.iter();
        let found = affected.filter_map(|affected| Some((affected.judge(package)?, affected)));
        let found: Vec<_> = found.collect();
        let levels = found.iter().map(|(_, affected)| self.level(affected));
        let level = highest(levels);
        let mut found = found.into_iter().map(|(found, _)| found);
        let first = found.next()?;
        // Entries for one package have ranges of their own: the first fix of any is named.
        let fixed = |found: &Found| matches!(found, Found::Affected { fixed: Some(_) });
        let better = match fixed(&first) {
            true => None,
            false => found.find(fixed),
        };
        Some(Match {
            id: self.0.id.clone(),
            aliases: self.0.aliases.iter().cloned().collect(),
            level,
            found: better.unwrap_or(first),
        })
    }

    /// The level for a package: the highest of the vectors nearest to it, or else the word of the database.
    fn level(&self, affected: &Affected) -> Level {
        if informational(&affected.database_specific) || informational(&self.0.database_specific) {
            return Level::Informational;
        }
        let vectors = |severities: &[Severity]| {
            let scores = severities.iter();
            scores
                .filter_map(|severity| Level::of_vector(&severity.score))
                .max()
        };
        let words = [
            (&affected.ecosystem_specific, "severity"),
            (&affected.ecosystem_specific, "urgency"),
            (&affected.database_specific, "severity"),
            (&self.0.database_specific, "severity"),
        ];
        let word = || {
            let texts = words
                .iter()
                .filter_map(|(object, name)| object.get(name)?.as_str());
            texts.filter_map(Level::of_word).next()
        };
        let level = vectors(&affected.severity).or_else(|| vectors(&self.0.severity));
        level.or_else(word).unwrap_or(Level::Unknown)
    }
}

/// RustSec marks advisories that are not about vulnerabilities. That code is unsound is one.
fn informational(specific: &Value) -> bool {
    let kind = specific.get("informational").and_then(Value::as_str);
    matches!(kind, Some("unmaintained" | "notice"))
}

impl Affected {
    /// What it says of the package; `None` if nothing.
    fn judge(&self, package: &Package) -> Option<Found> {
        let named = self.package.as_ref()?;
        let ecosystem = &package.ecosystem;
        if !ecosystem.is(&named.ecosystem) || ecosystem.normal(&named.name) != package.name {
            return None;
        }
        let is_listed = self
            .versions
            .iter()
            .any(|listed| package.is_of_version(listed));
        let ranges: Vec<_> = self
            .ranges
            .iter()
            .filter(|range| range.is_of_versions())
            .collect();
        if ranges.is_empty() {
            return match (is_listed, self.versions.is_empty()) {
                (true, _) => Some(Found::Affected { fixed: None }),
                // An entry with neither says nothing of which versions are affected.
                (false, true) => Some(Found::Unclear),
                (false, false) => None,
            };
        }
        let Some(version) = &package.parsed else {
            return Some(Found::Unclear);
        };
        let verdicts: Vec<_> = ranges
            .iter()
            .map(|range| range.judge(ecosystem, version))
            .collect();
        let mut inside = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Inside { fixed } => Some(fixed.clone()),
            _ => None,
        });
        match inside.next() {
            Some(fixed) => Some(Found::Affected { fixed }),
            None if is_listed => Some(Found::Affected { fixed: None }),
            None if verdicts.contains(&Verdict::Unclear) => Some(Found::Unclear),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

    fn advisory(change: impl FnOnce(&mut Value)) -> Advisory {
        let mut document = json!({
            "schema_version": "1.7.0", "id": "RUSTSEC-2020-0071", "modified": "1969-06-01T00:00:00Z",
            "aliases": ["CVE-2020-26235"], "summary": "s", "details": "d",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H"}],
            "affected": [{
                "package": {"ecosystem": "crates.io", "name": "time", "purl": "pkg:cargo/time"},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.2.23"}]}],
                "ecosystem_specific": {"affects": {"arch": [], "os": []}},
                "database_specific": {"source": "x", "informational": null},
            }],
        });
        change(&mut document);
        Advisory::parse(document.to_string().as_bytes()).unwrap()
    }

    fn about(advisory: &Advisory, purl: &str) -> Option<Match> {
        advisory.about(&Package::of(purl, Some("12")).unwrap(), NOW)
    }

    fn affected(fixed: Option<&str>) -> Found {
        Found::Affected {
            fixed: fixed.map(str::to_owned),
        }
    }

    #[test]
    fn an_advisory_is_about_the_versions_of_its_package() {
        let advisory = advisory(|_| {});
        let found = about(&advisory, "pkg:cargo/time@0.1.43").unwrap();
        assert_eq!(
            (found.id.as_str(), found.level),
            ("RUSTSEC-2020-0071", Level::Medium)
        );
        assert_eq!(found.found, affected(Some("0.2.23")));
        assert!(found.aliases.contains("CVE-2020-26235"));
        for purl in [
            "pkg:cargo/time@0.2.23",
            "pkg:cargo/time-macros@0.1.0",
            "pkg:golang/time@0.1.0",
        ] {
            assert_eq!(about(&advisory, purl), None, "{purl}");
        }
        let unclear = about(&advisory, "pkg:cargo/time@latest").unwrap();
        assert_eq!(unclear.found, Found::Unclear);
    }

    #[test]
    fn a_withdrawn_advisory_is_about_nothing() {
        let withdrawn = |time: &str| {
            let advisory = advisory(|document| document["withdrawn"] = time.into());
            about(&advisory, "pkg:cargo/time@0.1.43").is_none()
        };
        assert!(withdrawn("1969-12-31T00:00:00Z"));
        assert!(!withdrawn("1970-01-02T00:00:00Z"));
    }

    #[test]
    fn listed_versions_are_affected_beside_ranges() {
        let advisory = advisory(|document| {
            document["affected"][0]["package"] = json!({"ecosystem": "PyPI", "name": "Foo.Bar"});
            document["affected"][0]["ranges"] =
                json!([{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}]);
            document["affected"][0]["versions"] = json!(["1.0", "1.1"]);
        });
        assert_eq!(
            about(&advisory, "pkg:pypi/foo-bar@1.0.0").unwrap().found,
            affected(None)
        );
        assert_eq!(about(&advisory, "pkg:pypi/foo-bar@1.2"), None);
    }

    #[test]
    fn an_entry_without_versions_is_not_passed_over() {
        let advisory = advisory(|document| {
            document["affected"][0]["ranges"] =
                json!([{"type": "GIT", "events": [{"introduced": "0"}]}]);
        });
        assert_eq!(
            about(&advisory, "pkg:cargo/time@1.0.0").unwrap().found,
            Found::Unclear
        );
    }

    #[test]
    fn debians_advisories_are_for_releases_and_sources() {
        let advisory = advisory(|document| {
            document["severity"] = json!([]);
            document["affected"] = json!([{
                "package": {"ecosystem": "Debian:12", "name": "glibc"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.36-9+deb12u4"}]}],
                "ecosystem_specific": {"urgency": "high**"},
            }]);
        });
        let purl = |release: &str| {
            format!(
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u3?arch=amd64&distro={release}&upstream=glibc"
            )
        };
        let found = about(&advisory, &purl("debian-12")).unwrap();
        assert_eq!(
            (found.level, found.found),
            (Level::High, affected(Some("2.36-9+deb12u4")))
        );
        assert_eq!(about(&advisory, &purl("debian-13")), None);
        let is_of = |release: &str| advisory.is_of(&Ecosystem::Debian(release.to_owned()));
        assert!(is_of("12") && !is_of("13") && !advisory.is_of(&Ecosystem::Crates));
    }

    #[test]
    fn levels_come_from_vectors_words_or_the_kind() {
        let level = |change: fn(&mut Value)| {
            let found = about(&advisory(change), "pkg:cargo/time@0.1.43");
            found.unwrap().level
        };
        assert_eq!(
            level(|document| document["severity"] = json!([])),
            Level::Unknown
        );
        let word = |document: &mut Value| {
            document["severity"] = json!([]);
            document["database_specific"] = json!({"severity": "CRITICAL"});
        };
        assert_eq!(level(word), Level::Critical);
        let unmaintained = |document: &mut Value| {
            document["affected"][0]["database_specific"]["informational"] = "unmaintained".into();
        };
        assert_eq!(level(unmaintained), Level::Informational);
        let unsound = |document: &mut Value| {
            document["affected"][0]["database_specific"]["informational"] = "unsound".into();
        };
        assert_eq!(level(unsound), Level::Medium);
    }

    #[test]
    fn other_documents_are_no_advisories() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"id": "x"}"#,
            r#"{"id":"x","modified":"now"}"#,
            r#"{"id":"x","id":"y","modified":"2026-01-01T00:00:00Z"}"#,
        ] {
            assert!(Advisory::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_highest_level_of_several_entries_counts() {
        use Level::{Critical, Informational, Low, Unknown};
        for (levels, expected) in [
            (&[Low, Critical][..], Critical),
            (&[Critical, Unknown], Critical),
            (&[Informational, Low], Low),
            (&[Informational, Unknown], Unknown),
            (&[Informational], Informational),
        ] {
            assert_eq!(highest(levels.iter().copied()), expected, "{levels:?}");
        }
    }
}
