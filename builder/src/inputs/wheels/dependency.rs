//! A project that is needed, as `name[extra]>=1.0; marker` (PyPA specifications, "Dependency specifiers").

use std::collections::BTreeSet;

use super::marker::{Environment, Marker};
use super::target::Target;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;

/// A project that is needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Dependency {
    pub(super) name: ProjectName,
    pub(super) extras: BTreeSet<ProjectName>,
    /// The versions, as they are written; `@` and an address for one that is not from an index.
    pub(super) versions: String,
    pub(super) marker: Option<Marker>,
}

impl Dependency {
    /// Parses a dependency.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let name = ProjectName::written(name).map_err(|error| error.to_string())?;
        let (extras, rest) = extras(rest.trim_start())?;
        // An address may contain semicolons.
        let (versions, marker) = match rest.starts_with('@') {
            true => rest.split_once(" ;").unwrap_or((rest, "")),
            false => rest.split_once(';').unwrap_or((rest, "")),
        };
        let marker = match marker.trim() {
            "" => None,
            marker => Some(Marker::parse(marker).map_err(|fault| format!("marker: {fault}"))?),
        };
        let versions = versions.trim();
        let bare = versions
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'));
        Ok(Self {
            name,
            extras,
            versions: bare.unwrap_or(versions).trim().to_owned(),
            marker,
        })
    }

    /// Whether it is needed by a project of which these extras are wanted.
    pub(super) fn applies(&self, target: &Target, extras: &BTreeSet<ProjectName>) -> bool {
        let Some(marker) = &self.marker else {
            return true;
        };
        let extras = extras.iter().map(ProjectName::as_str);
        [""].into_iter()
            .chain(extras)
            .any(|extra| marker.holds(&Environment { target, extra }))
    }
}

/// The names in square brackets, and what follows.
fn extras(text: &str) -> Result<(BTreeSet<ProjectName>, &str), String> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok((BTreeSet::new(), text));
    };
    let (inner, rest) = inner
        .split_once(']')
        .ok_or_else(|| format!("expected \"]\" after \"{}\"", shown(text)))?;
    let names = inner
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let names = names.map(|name| ProjectName::written(name).map_err(|error| error.to_string()));
    Ok((names.collect::<Result<_, _>>()?, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::target;
    use super::*;

    #[test]
    fn a_dependency_has_extras_versions_and_a_marker() {
        let read = |text: &str| Dependency::parse(text).unwrap();
        let one = read("Requests [socks, use_chardet] (>=2.8, <3) ; python_version > '3'");
        assert_eq!(one.name.as_str(), "requests");
        let extras: Vec<_> = one.extras.iter().map(ProjectName::as_str).collect();
        assert_eq!(extras, ["socks", "use-chardet"]);
        assert_eq!(one.versions, ">=2.8, <3");
        assert!(one.marker.is_some());
        assert_eq!(read("a").versions, "");
        assert_eq!(read("a==1;os_name=='nt'").versions, "==1");
        let elsewhere = read("a @ https://host.example/a;b.whl ; os_name == 'nt'");
        assert_eq!(elsewhere.versions, "@ https://host.example/a;b.whl");
        for (text, fault) in [
            ("", "expected the name of a Python project"),
            ("a[b", "expected \"]\""),
            ("a[b/c]", "expected the name of a Python project"),
            ("a; x", "marker: "),
        ] {
            let found = Dependency::parse(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }

    #[test]
    fn extras_decide_what_is_needed() {
        let one = Dependency::parse("a>=1; extra == 'b' and python_version < '3.12'").unwrap();
        let extras: BTreeSet<_> = ["b".parse().unwrap()].into();
        assert!(one.applies(&target(11, 36), &extras));
        assert!(!one.applies(&target(13, 36), &extras));
        assert!(!one.applies(&target(11, 36), &BTreeSet::new()));
    }
}
