//! `[[attestation]]`: an attestation of any type that must be there, by whom, how old it may be, and what it must say.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use attest::PredicateType;
use attest::kind::VULN;
use chrono::TimeDelta;
use console::at::At;
use content::Digest;
use expression::{Program, Type, Variable};
use rego::Module;
use serde::Deserialize;
use trust::{Identity, Principals};

use super::InvalidPolicy;
use super::names::keys;

/// The entry as the document has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: String,
    from: Vec<String>,
    threshold: Option<usize>,
    max_age: Option<String>,
    time: Option<String>,
    cel: Option<String>,
    rego: Option<PathBuf>,
}

/// An attestation that must be there.
#[derive(Clone, Debug)]
pub(crate) struct Required {
    /// The type as the policy names it, for reports.
    pub(crate) name: String,
    /// The type.
    pub(crate) kind: PredicateType,
    /// The principals whose attestations count.
    pub(crate) from: BTreeSet<Identity>,
    /// The number of them that must have attested.
    pub(crate) threshold: usize,
    /// How old an attestation may be, if that matters.
    pub(crate) freshness: Option<Freshness>,
    /// What an attestation must say. All of them must hold.
    pub(crate) conditions: Vec<Condition>,
}

/// How old an attestation may be, and where it says how old it is.
#[derive(Clone, Debug)]
pub(crate) struct Freshness {
    /// The greatest age.
    pub(crate) limit: TimeDelta,
    /// The same, as the policy writes it.
    pub(crate) text: String,
    /// JSON pointers into the predicate, of which the first that is there counts.
    pub(crate) pointers: Vec<String>,
}

/// What an attestation must say.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// An expression of CEL over `statement`, `predicate` and `now`.
    Cel(Box<Program>),
    /// A module of Rego, and the digest of its file.
    Rego(Box<Module>, Digest),
}

type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

impl Entry {
    pub(super) fn resolve(
        &self,
        known: &Principals,
        read_file: ReadFile<'_>,
    ) -> Result<Required, InvalidPolicy> {
        let kind = self.kind.parse::<PredicateType>();
        let kind = kind.map_err(|error| self.wrong("type", &error))?;
        let from = keys("attestation.from", &self.from, known)?;
        Ok(Required {
            threshold: self.threshold(from.len())?,
            freshness: self.freshness(&kind)?,
            conditions: self.conditions(read_file)?,
            name: self.kind.clone(),
            kind,
            from,
        })
    }

    fn wrong(&self, field: &str, error: &dyn Display) -> InvalidPolicy {
        InvalidPolicy(format!("attestation `{}`: {field}: {error}", self.kind))
    }

    /// All of `from`, unless the entry says how many.
    fn threshold(&self, most: usize) -> Result<usize, InvalidPolicy> {
        let threshold = self.threshold.unwrap_or(most);
        match (1..=most).contains(&threshold) {
            true => Ok(threshold),
            false if most == 0 => Err(self.wrong("from", &"expected a principal")),
            false => {
                let expected = format!("expected 1 to {most}, found {threshold}");
                Err(self.wrong("threshold", &expected))
            }
        }
    }

    /// An old scan says nothing about what was found since, so that `vuln` needs a limit.
    fn freshness(&self, kind: &PredicateType) -> Result<Option<Freshness>, InvalidPolicy> {
        let Some(text) = &self.max_age else {
            return match &self.time {
                Some(_) => Err(self.wrong("time", &"it is used with max_age only")),
                None if kind.uri() == VULN => {
                    Err(self.wrong("max_age", &"a scan needs a limit, such as \"7d\""))
                }
                None => Ok(None),
            };
        };
        let limit = age(text).ok_or_else(|| {
            let expected = "expected a number with s, m, h, d or w, such as \"30d\"";
            self.wrong("max_age", &expected)
        })?;
        let pointers = match &self.time {
            Some(pointer) if pointer.starts_with('/') => vec![pointer.clone()],
            Some(_) => {
                let expected = "expected a JSON pointer, such as \"/metadata/finishedOn\"";
                return Err(self.wrong("time", &expected));
            }
            None => kind.times().iter().map(ToString::to_string).collect(),
        };
        let text = text.clone();
        Ok(Some(Freshness {
            limit,
            text,
            pointers,
        }))
    }

    fn conditions(&self, read_file: ReadFile<'_>) -> Result<Vec<Condition>, InvalidPolicy> {
        let cel = self.cel.iter().map(|text| self.expression(text));
        let rego = self.rego.iter().map(|path| self.module(path, read_file));
        cel.chain(rego).collect()
    }

    fn expression(&self, text: &str) -> Result<Condition, InvalidPolicy> {
        let declared = [
            Variable::new("statement", Type::Dyn),
            Variable::new("predicate", Type::Dyn),
            Variable::new("now", Type::Timestamp),
        ];
        let program = expression::compile_condition(text, &declared);
        let program = program.map_err(|error| self.wrong("cel", &error))?;
        Ok(Condition::Cel(Box::new(program)))
    }

    fn module(&self, path: &Path, read_file: ReadFile<'_>) -> Result<Condition, InvalidPolicy> {
        let bytes = read_file(path).map_err(At::reading(path));
        let bytes = bytes.map_err(|at| self.wrong("rego", &at))?;
        let wrong = |error: &dyn Display| {
            let error = format!("{}: {error}", path.display());
            self.wrong("rego", &error)
        };
        let source = std::str::from_utf8(&bytes).map_err(|error| wrong(&error))?;
        let module = Module::parse(source, Module::COSIGN_RULE).map_err(|error| wrong(&error))?;
        Ok(Condition::Rego(Box::new(module), Digest::of(&bytes)))
    }
}

impl Required {
    /// The digests of the files with conditions, in order.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Digest> {
        let conditions = self.conditions.iter();
        conditions.filter_map(|condition| match condition {
            Condition::Rego(_, digest) => Some(digest),
            // It is part of the document.
            Condition::Cel(_) => None,
        })
    }
}

/// An age of at least one second, such as `90s`, `12h` or `30d`.
pub(super) fn age(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !number.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        "w" => TimeDelta::try_weeks(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use signature::PrivateKey;

    use super::super::Policy;
    use super::super::tests::text;
    use super::*;

    const MODULE: &str = "package signature\nallow { input.predicate.Data.foo == \"bar\" }";

    fn policy(entry: &str, module: &str) -> Result<Policy, InvalidPolicy> {
        // A fixed key, so that digests can be compared.
        static KEY: std::sync::LazyLock<PrivateKey> =
            std::sync::LazyLock::new(|| PrivateKey::generate().unwrap());
        let text = text(&[("builder", &KEY)]) + "[[attestation]]\n" + entry;
        Policy::parse(text.as_bytes(), &|path| match path.to_str() {
            Some("m.rego") => Ok(module.as_bytes().to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        })
    }

    #[track_caller]
    fn check(entry: &str, fault: &str) {
        let error = policy(entry, MODULE).unwrap_err().to_string();
        assert!(error.contains(fault), "{error}");
    }

    #[test]
    fn an_entry_says_who_how_old_and_what() {
        let entry = "type = \"custom\"\nfrom = [\"builder\"]\nmax_age = \"30d\"\nrego = \"m.rego\"";
        let policy = policy(entry, MODULE).unwrap();
        let [required] = &policy.required[..] else {
            panic!("not one entry");
        };
        assert_eq!((required.threshold, required.from.len()), (1, 1));
        let freshness = required.freshness.as_ref().unwrap();
        assert_eq!(freshness.limit, TimeDelta::days(30));
        assert_eq!(freshness.pointers, ["/Timestamp"]);
        assert_eq!(required.conditions.len(), 1);
    }

    #[test]
    fn an_entry_that_cannot_be_met_or_means_nothing_is_refused() {
        let from = "from = [\"builder\"]\n";
        for (entry, fault) in [
            (
                "type = \"custom\"\nfrom = []".to_owned(),
                "from: expected a principal",
            ),
            (
                "type = \"custom\"\nfrom = [\"x\"]".to_owned(),
                "names `x`, but no [[principal]]",
            ),
            (
                format!("type = \"custm\"\n{from}"),
                "unknown type of predicate `custm`",
            ),
            (
                format!("type = \"custom\"\n{from}threshold = 2"),
                "expected 1 to 1, found 2",
            ),
            (
                format!("type = \"custom\"\n{from}threshold = 0"),
                "expected 1 to 1, found 0",
            ),
            (
                format!("type = \"custom\"\n{from}max_age = \"30\""),
                "max_age: expected a number",
            ),
            (
                format!("type = \"custom\"\n{from}max_age = \"0d\""),
                "max_age: expected a number",
            ),
            (
                format!("type = \"custom\"\n{from}max_age = \"-1d\""),
                "max_age: expected a number",
            ),
            (
                format!("type = \"custom\"\n{from}time = \"/x\""),
                "time: it is used with max_age only",
            ),
            (
                format!("type = \"custom\"\n{from}max_age = \"1d\"\ntime = \"x\""),
                "expected a JSON pointer",
            ),
            (
                format!("type = \"vuln\"\n{from}"),
                "max_age: a scan needs a limit",
            ),
            (
                format!("type = \"custom\"\n{from}rego = \"x.rego\""),
                "reading x.rego",
            ),
            (
                format!("type = \"custom\"\n{from}cel = \"predicate.\""),
                "cel: compiling expression",
            ),
            (
                format!("type = \"custom\"\n{from}cel = \"input.a\""),
                "undeclared reference to 'input'",
            ),
            (
                format!("type = \"custom\"\n{from}cel = \"1\""),
                "not boolean",
            ),
            (
                format!("type = \"custom\"\n{from}unknown = 1"),
                "unknown field",
            ),
        ] {
            check(&entry, fault);
        }
    }

    #[test]
    fn a_module_belongs_to_the_policy() {
        let entry = "type = \"custom\"\nfrom = [\"builder\"]\nrego = \"m.rego\"";
        let digest = |module| *policy(entry, module).unwrap().digest();
        assert_eq!(digest(MODULE), digest(MODULE));
        let other = format!("{MODULE}\n");
        assert_ne!(digest(MODULE), digest(&other));
        for module in ["package signature", "package other\nallow { true }", "x"] {
            let error = policy(entry, module).unwrap_err().to_string();
            assert!(
                error.contains("attestation `custom`: rego: m.rego: parsing the module"),
                "{error}"
            );
        }
    }

    #[test]
    fn ages_have_units() {
        assert_eq!(age("90s"), Some(TimeDelta::seconds(90)));
        assert_eq!(age("2w"), Some(TimeDelta::days(14)));
        assert_eq!(age("12h"), Some(TimeDelta::hours(12)));
        assert_eq!(age("5m"), Some(TimeDelta::minutes(5)));
        for text in [
            "",
            "d",
            "1",
            "1.5d",
            "+1d",
            " 1d",
            "1é",
            "9223372036854775807w",
        ] {
            assert_eq!(age(text), None, "{text}");
        }
    }
}
