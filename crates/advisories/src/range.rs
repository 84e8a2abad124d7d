//! Which versions an advisory is about (OSV schema, evaluation of `affected[].ranges`).

use std::cmp::Ordering;

use serde::Deserialize;

use crate::Ecosystem;
use crate::version::Version;

/// One of `affected[].ranges`.
#[derive(Debug, Deserialize)]
pub(crate) struct Range {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Deserialize, Eq, PartialEq)]
enum Kind {
    #[serde(rename = "SEMVER")]
    Semantic,
    #[serde(rename = "ECOSYSTEM")]
    Ecosystem,
    /// Commits of a repository, which packages do not name.
    #[serde(rename = "GIT")]
    Git,
}

#[derive(Debug, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What a range says of a version.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// It is not in the range, or the range is one of commits.
    Outside,
    /// It is in the range, which ends before `fixed`.
    Inside {
        /// The next version that is not affected, if there is one.
        fixed: Option<String>,
    },
    /// A version of the range cannot be compared.
    Unclear,
}

/// A bound of a range. Zero is before all versions.
enum Bound {
    Zero,
    At(Version),
}

impl Bound {
    fn order(&self, version: &Version) -> Option<Ordering> {
        match self {
            Self::Zero => Some(Ordering::Less),
            Self::At(bound) => bound.order(version),
        }
    }
}

/// A change of state at a version.
struct Change<'a> {
    at: Bound,
    text: &'a str,
    kind: ChangeKind,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum ChangeKind {
    Introduced,
    Fixed,
    LastAffected,
}

impl Range {
    /// Whether it is a range of versions.
    pub(crate) fn is_of_versions(&self) -> bool {
        self.kind != Kind::Git
    }

    /// Whether `version` is in the range.
    pub(crate) fn judge(&self, ecosystem: &Ecosystem, version: &Version) -> Verdict {
        if !self.is_of_versions() {
            return Verdict::Outside;
        }
        self.state(ecosystem, version).unwrap_or(Verdict::Unclear)
    }

    /// `None` if a version of the range is none of the ecosystem.
    fn state(&self, ecosystem: &Ecosystem, version: &Version) -> Option<Verdict> {
        let mut changes = Vec::new();
        let mut limits = Vec::new();
        for event in &self.events {
            let kinds = [
                (&event.introduced, ChangeKind::Introduced),
                (&event.fixed, ChangeKind::Fixed),
                (&event.last_affected, ChangeKind::LastAffected),
            ];
            for (text, kind) in kinds {
                if let Some(text) = text {
                    let at = bound(ecosystem, text)?;
                    changes.push(Change { at, text, kind });
                }
            }
            match event.limit.as_deref() {
                None | Some("*") => {}
                Some(limit) => limits.push(bound(ecosystem, limit)?),
            }
        }
        let before = |limit: &Bound| limit.order(version) == Some(Ordering::Greater);
        if !limits.is_empty() && !limits.iter().any(before) {
            return Some(Verdict::Outside);
        }
        Some(match is_inside(&changes, version)? {
            true => Verdict::Inside {
                fixed: next(&changes, version)?,
            },
            false => Verdict::Outside,
        })
    }
}

fn bound(ecosystem: &Ecosystem, text: &str) -> Option<Bound> {
    match text {
        "0" => Some(Bound::Zero),
        text => Version::parse(ecosystem, text).map(Bound::At),
    }
}

/// The state after all changes up to the version. Changes of one version are in the order of the document, where the last of the
/// greatest version decides.
fn is_inside(changes: &[Change<'_>], version: &Version) -> Option<bool> {
    let mut last: Option<(&Change<'_>, bool)> = None;
    for change in changes {
        let order = change.at.order(version)?;
        let (counts, is_inside) = match change.kind {
            ChangeKind::Introduced => (order.is_le(), true),
            ChangeKind::Fixed => (order.is_le(), false),
            ChangeKind::LastAffected => (order.is_lt(), false),
        };
        let later = match &last {
            Some((before, _)) => !is_before(&change.at, &before.at)?,
            None => true,
        };
        if counts && later {
            last = Some((change, is_inside));
        }
    }
    Some(last.is_some_and(|(_, is_inside)| is_inside))
}

fn is_before(one: &Bound, other: &Bound) -> Option<bool> {
    match (one, other) {
        (Bound::Zero, Bound::At(_)) => Some(true),
        (_, Bound::Zero) => Some(false),
        (Bound::At(one), Bound::At(other)) => Some(one.order(other)?.is_lt()),
    }
}

/// The least version with a fix that is greater.
fn next(changes: &[Change<'_>], version: &Version) -> Option<Option<String>> {
    let mut least: Option<&Change<'_>> = None;
    for change in changes
        .iter()
        .filter(|change| change.kind == ChangeKind::Fixed)
    {
        let is_greater = change.at.order(version)?.is_gt();
        let is_less = match least {
            Some(least) => is_before(&change.at, &least.at)?,
            None => true,
        };
        if is_greater && is_less {
            least = Some(change);
        }
    }
    Some(least.map(|change| change.text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judge(events: Value, version: &str) -> Verdict {
        let range = json!({"type": "SEMVER", "events": events});
        let range: Range = serde_json::from_value(range).unwrap();
        let version = Version::parse(&Ecosystem::Crates, version).unwrap();
        range.judge(&Ecosystem::Crates, &version)
    }

    fn inside(fixed: Option<&str>) -> Verdict {
        Verdict::Inside {
            fixed: fixed.map(str::to_owned),
        }
    }

    #[test]
    fn events_open_and_close_a_range_in_any_order() {
        let events = json!([
            {"fixed": "1.2.3"}, {"introduced": "0"},
            {"introduced": "2.0.0"}, {"fixed": "2.0.5"}, {"introduced": "3.0.0-rc.1"},
        ]);
        for (version, verdict) in [
            ("0.0.1", inside(Some("1.2.3"))),
            ("1.2.3-rc.1", inside(Some("1.2.3"))),
            ("1.2.3", Verdict::Outside),
            ("1.10.0", Verdict::Outside),
            ("2.0.4", inside(Some("2.0.5"))),
            ("2.0.5", Verdict::Outside),
            ("3.0.0", inside(None)),
        ] {
            assert_eq!(judge(events.clone(), version), verdict, "{version}");
        }
    }

    #[test]
    fn the_last_affected_version_is_inside() {
        let events = json!([{"introduced": "1.0.0"}, {"last_affected": "1.4.0"}]);
        assert_eq!(judge(events.clone(), "1.4.0"), inside(None));
        assert_eq!(judge(events.clone(), "1.4.1"), Verdict::Outside);
        assert_eq!(judge(events, "0.9.0"), Verdict::Outside);
    }

    #[test]
    fn limits_bound_a_range() {
        let events = json!([{"introduced": "0"}, {"limit": "2.0.0"}]);
        assert_eq!(judge(events.clone(), "1.0.0"), inside(None));
        assert_eq!(judge(events, "2.0.0"), Verdict::Outside);
        let events = json!([{"introduced": "0"}, {"limit": "*"}]);
        assert_eq!(judge(events, "2.0.0"), inside(None));
    }

    #[test]
    fn a_version_that_cannot_be_read_is_not_passed_over() {
        let events = json!([{"introduced": "0"}, {"fixed": "tomorrow"}]);
        assert_eq!(judge(events, "1.0.0"), Verdict::Unclear);
    }
}
