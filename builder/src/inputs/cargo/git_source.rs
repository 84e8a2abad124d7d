//! Git repositories in a `Cargo.lock`, as cargo writes them: `git+URL?KIND=REFERENCE#COMMIT`.

use std::collections::BTreeSet;
use std::path::Path;

use toml::Value;

use crate::lock::repository::{CommitName, InvalidRepository, RepositoryUrl};

const PREFIX: &str = "git+";
/// The kinds of references.
const KINDS: [&str; 3] = ["branch", "rev", "tag"];

/// A git repository with crates.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GitSource {
    /// The URL.
    pub url: RepositoryUrl,
    /// The commit.
    pub commit: CommitName,
    /// Names and versions of its packages that `Cargo.lock` has.
    pub packages: BTreeSet<(String, String)>,
    /// The kind of reference, and the reference.
    reference: Option<(String, String)>,
    /// The text in `Cargo.lock`.
    text: String,
}

impl GitSource {
    /// Parses a source of `Cargo.lock`; `None` if it is not a git repository.
    pub(super) fn parse(text: &str) -> Option<Result<Self, InvalidRepository>> {
        let rest = text.strip_prefix(PREFIX)?;
        Some(Self::parse_rest(text, rest))
    }

    fn parse_rest(text: &str, rest: &str) -> Result<Self, InvalidRepository> {
        let (located, commit) = rest.rsplit_once('#').ok_or(InvalidRepository::Commit)?;
        let url = located.split('?').next().unwrap_or(located);
        let parsed = reqwest::Url::parse(located).map_err(|_| InvalidRepository::Scheme)?;
        let mut pairs = parsed.query_pairs().into_owned();
        Ok(Self {
            url: url.to_owned().try_into()?,
            commit: commit.to_owned().try_into()?,
            packages: BTreeSet::new(),
            reference: pairs.find(|(kind, _)| KINDS.contains(&kind.as_str())),
            text: text.to_owned(),
        })
    }

    /// URL and commit.
    pub(in crate::inputs) fn name(&self) -> (RepositoryUrl, CommitName) {
        (self.url.clone(), self.commit.clone())
    }

    /// The text in `Cargo.lock`.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether cargo's list of crates means this source by `shown`: the text, without the prefix, and with fewer digits of the
    /// commit.
    pub(crate) fn is_shown_as(&self, shown: &str) -> bool {
        let (Some(own), Some((located, short))) =
            (self.text.strip_prefix(PREFIX), shown.rsplit_once('#'))
        else {
            return false;
        };
        let own = own.rsplit_once('#').map(|(located, _)| located);
        own == Some(located) && short.len() >= 7 && self.commit.as_str().starts_with(short)
    }

    /// The table of cargo's configuration by which the directory source of this name replaces the repository.
    pub(in crate::inputs) fn replaced_by(&self, name: &str) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut table = format!(
            "\n[source.{}]\ngit = {}\n",
            quoted(&self.text),
            quoted(self.url.as_str())
        );
        if let Some((kind, reference)) = &self.reference {
            table += &format!("{kind} = {}\n", quoted(reference));
        }
        table + &format!("replace-with = {}\n", quoted(name))
    }

    /// The table of cargo's configuration for a directory source, which is named by its path.
    pub(in crate::inputs) fn directory(place: &Path) -> (String, String) {
        let name = place.to_string_lossy().into_owned();
        let quoted = Value::from(name.as_str()).to_string();
        let table = format!("\n[source.{quoted}]\ndirectory = {quoted}\n");
        (name, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sources_as_cargo_writes_them() {
        let commit = "31b441990296aa6b1ff3a1c4a0e9b1d0a2b3c4d5";
        let parse = |text: &str| GitSource::parse(text).unwrap();
        let source = parse(&format!("git+https://host.example/a/b?tag=v0.3.1#{commit}")).unwrap();
        assert_eq!(source.url.as_str(), "https://host.example/a/b");
        assert_eq!(source.commit.as_str(), commit);
        assert_eq!(
            source.replaced_by("x"),
            format!(
                "\n[source.\"git+https://host.example/a/b?tag=v0.3.1#{commit}\"]\n\
                 git = \"https://host.example/a/b\"\ntag = \"v0.3.1\"\nreplace-with = \"x\"\n"
            )
        );
        assert!(source.is_shown_as("https://host.example/a/b?tag=v0.3.1#31b44199"));
        for other in [
            "https://host.example/a/b#31b44199",
            "https://host.example/a/b?tag=v0.3.1#31b44190",
            "https://host.example/a/b?tag=v0.3.1#",
            "/build/src",
        ] {
            assert!(!source.is_shown_as(other), "{other}");
        }
        let branch = parse(&format!(
            "git+https://git@host.example/b?branch=a%2Fb#{commit}"
        ));
        let table = branch.unwrap().replaced_by("x");
        assert!(table.contains("branch = \"a/b\"\n"), "{table}");
        let plain = parse(&format!("git+https://host.example/b#{commit}")).unwrap();
        assert!(plain.is_shown_as("https://host.example/b#31b441990296"));
        let local = parse(&format!("git+file:///a/b#{commit}"));
        assert_eq!(local, Err(InvalidRepository::Scheme));
        assert!(GitSource::parse("registry+https://host.example").is_none());
        for text in [
            "git+https://host.example/a",
            "git+https://host.example/a#main",
        ] {
            assert_eq!(parse(text), Err(InvalidRepository::Commit));
        }
        let scheme = parse(&format!("git+http://host.example/a#{commit}"));
        assert_eq!(scheme, Err(InvalidRepository::Scheme));
    }
}
