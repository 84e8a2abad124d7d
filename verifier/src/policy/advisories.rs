//! `[advisories]`: a database of advisories that the packages of an image are compared with, and who may answer them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use advisories::{Level, vex};
use chrono::TimeDelta;
use console::at::At;
use content::Digest;
use serde::Deserialize;
use trust::{Identity, Principals};

use super::InvalidPolicy;
use super::attestation::age;
use super::names::{keys, once};

/// The entry as the document has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    database: PathBuf,
    max_age: Option<String>,
    fail: Option<Vec<String>>,
    debian: Option<String>,
    #[serde(default)]
    vex: Vec<PathBuf>,
    #[serde(default)]
    vex_from: Vec<String>,
    vex_max_age: Option<String>,
}

/// Which advisories are refused.
#[derive(Clone, Debug)]
pub(crate) struct Advisories {
    /// The directory with the database.
    pub(crate) database: PathBuf,
    /// How old the newest advisory of the database may be.
    pub(crate) max_age: Option<Age>,
    /// The levels that are refused.
    pub(crate) fail: BTreeSet<Level>,
    /// The release of packages of Debian whose URL names none.
    pub(crate) debian: Option<String>,
    /// The policy's own documents that answer advisories.
    pub(crate) answers: Vec<Answers>,
    /// The principals whose attested documents count as well.
    pub(crate) from: BTreeSet<Identity>,
    /// How old these may be.
    pub(crate) vex_max_age: Option<Age>,
}

/// A document of the policy.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) path: PathBuf,
    pub(crate) document: vex::Document,
    digest: Digest,
}

/// A greatest age, and as the policy writes it.
#[derive(Clone, Debug)]
pub(crate) struct Age {
    pub(crate) limit: TimeDelta,
    pub(crate) text: String,
}

impl Entry {
    pub(super) fn resolve(
        &self,
        known: &Principals,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Advisories, InvalidPolicy> {
        let from = keys("advisories.vex_from", &self.vex_from, known)?;
        if from.is_empty() && self.vex_max_age.is_some() {
            return Err(wrong("vex_max_age", &"it is used with vex_from only"));
        }
        let answers = self.vex.iter().map(|path| answers(path, read_file));
        Ok(Advisories {
            database: self.database.clone(),
            max_age: limit("max_age", self.max_age.as_deref())?,
            fail: self.levels()?,
            debian: self.debian.clone(),
            answers: answers.collect::<Result<_, _>>()?,
            from,
            vex_max_age: limit("vex_max_age", self.vex_max_age.as_deref())?,
        })
    }

    /// The levels that are refused: all but informational advisories, unless the entry says which.
    fn levels(&self) -> Result<BTreeSet<Level>, InvalidPolicy> {
        let Some(names) = &self.fail else {
            let all = Level::ALL.into_iter();
            return Ok(all.filter(|level| *level != Level::Informational).collect());
        };
        if names.is_empty() {
            return Err(wrong("fail", &"expected a level, such as \"critical\""));
        }
        let mut levels = Vec::new();
        for name in names {
            let level: Level = name.parse().map_err(|error| wrong("fail", &error))?;
            levels.push((name.as_str(), level));
        }
        once("advisories.fail", levels)
    }
}

fn wrong(field: &str, error: &dyn Display) -> InvalidPolicy {
    InvalidPolicy(format!("advisories.{field}: {error}"))
}

fn limit(field: &str, text: Option<&str>) -> Result<Option<Age>, InvalidPolicy> {
    let Some(text) = text else {
        return Ok(None);
    };
    let expected = "expected a number with s, m, h, d or w, such as \"7d\"";
    let limit = age(text).ok_or_else(|| wrong(field, &expected))?;
    let text = text.to_owned();
    Ok(Some(Age { limit, text }))
}

fn answers(
    path: &Path,
    read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
) -> Result<Answers, InvalidPolicy> {
    let bytes = read_file(path).map_err(At::reading(path));
    let bytes = bytes.map_err(|at| wrong("vex", &at))?;
    let document = vex::Document::parse(&bytes);
    Ok(Answers {
        document: document
            .map_err(|error| wrong("vex", &format!("{}: {error}", path.display())))?,
        digest: Digest::of(&bytes),
        path: path.to_owned(),
    })
}

impl Advisories {
    /// The digests of the policy's own documents, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &Digest> {
        self.answers.iter().map(|answers| &answers.digest)
    }
}

#[cfg(test)]
mod tests {
    use signature::PrivateKey;

    use super::super::Policy;
    use super::super::tests::text;
    use super::*;

    const VEX: &str = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "version": 1,
        "timestamp": "2026-01-01T00:00:00Z", "statements": []}"#;

    fn policy(entry: &str) -> Result<Policy, InvalidPolicy> {
        let text =
            text(&[("builder", &PrivateKey::generate().unwrap())]) + "[advisories]\n" + entry;
        Policy::parse(text.as_bytes(), &|path| match path.to_str() {
            Some("v.json") => Ok(VEX.as_bytes().to_vec()),
            Some("bad.json") => Ok(b"{}".to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        })
    }

    #[test]
    fn an_entry_needs_a_database_only() {
        let policy = policy("database = \"osv\"").unwrap();
        let advisories = policy.advisories.as_ref().unwrap();
        assert_eq!(advisories.fail.len(), Level::ALL.len() - 1);
        assert!(!advisories.fail.contains(&Level::Informational));
        let below = policy.below(Path::new("/p")).advisories.unwrap();
        assert_eq!(below.database, Path::new("/p/osv"));
    }

    #[test]
    fn an_entry_that_means_nothing_is_refused() {
        for (entry, fault) in [
            ("fail = [\"high\"]", "missing field `database`"),
            (
                "database = \"d\"\nfail = []",
                "advisories.fail: expected a level",
            ),
            (
                "database = \"d\"\nfail = [\"High\"]",
                "unknown level `High`",
            ),
            (
                "database = \"d\"\nfail = [\"high\", \"high\"]",
                "names `high` twice",
            ),
            (
                "database = \"d\"\nmax_age = \"7\"",
                "advisories.max_age: expected a number",
            ),
            (
                "database = \"d\"\nvex = [\"bad.json\"]",
                "advisories.vex: bad.json: parsing OpenVEX",
            ),
            (
                "database = \"d\"\nvex = [\"none.json\"]",
                "advisories.vex: reading none.json",
            ),
            (
                "database = \"d\"\nvex_from = [\"x\"]",
                "no [[principal]] has this name",
            ),
            (
                "database = \"d\"\nvex_max_age = \"7d\"",
                "it is used with vex_from only",
            ),
            ("database = \"d\"\nignore = []", "unknown field `ignore`"),
        ] {
            let error = policy(entry).unwrap_err().to_string();
            assert!(error.contains(fault), "{entry}: {error}");
        }
    }

    #[test]
    fn packages_must_be_known() {
        let text = text(&[("builder", &PrivateKey::generate().unwrap())]);
        let text = text.replace("[\"provenance\", \"sbom\"]", "[\"provenance\"]")
            + "[advisories]\ndatabase = \"d\"";
        let text = text.replace("[rebuild]\nrequire = true", "[rebuild]\nrequire = false");
        let parsed = Policy::parse(text.as_bytes(), &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        });
        let error = parsed.unwrap_err().to_string();
        assert!(
            error.contains("[advisories] needs \"sbom\" in attestations.require"),
            "{error}"
        );
    }
}
