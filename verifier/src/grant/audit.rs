//! The report of an inspection: what Google Cloud has, compared with a grant and with verdicts.

use std::fmt;

use console::Status;
use console::hint::Hinted;
use grant::inspect::{Finding, Inspection, NoProviderDescribed, Observation, Outcome};
use grant::live::{Live, Scope};
use serde_json::{Value, json};

/// The result of an audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Audit {
    key: String,
    pool: String,
    observations: Vec<Observation>,
    scope: Scope,
}

/// Without a provider in the grant, there is nothing to compare the live one with.
pub fn undescribed(error: NoProviderDescribed) -> Hinted {
    Hinted::doing("auditing", error).hinting(error.hint())
}

impl Audit {
    /// Compares.
    ///
    /// # Errors
    /// The grant does not describe a provider.
    pub fn of(live: &Live, inspection: &Inspection<'_>, scope: Scope) -> Result<Self, Hinted> {
        let observations = inspection.of(live).map_err(undescribed)?;
        Ok(Self {
            key: inspection.grant.key().to_string(),
            pool: inspection.grant.pool().to_string(),
            observations,
            scope,
        })
    }

    /// Whether everything is as granted: not if anything is otherwise, and not known if anything could not be read.
    pub fn status(&self) -> Status {
        match (self.count(Outcome::Fail), self.count(Outcome::Unread)) {
            (0, 0) => Status::Yes,
            (0, _) => Status::Unknown,
            (_, _) => Status::No,
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        let observations = self.observations.iter();
        let outcomes = observations.map(|observed| observed.finding.outcome());
        outcomes.filter(|found| *found == outcome).count()
    }

    /// How many images are bound and were compared with nothing, for lack of verdicts.
    fn not_compared(&self) -> usize {
        let is_unchecked =
            |observed: &&Observation| matches!(observed.finding, Finding::Unchecked { .. });
        self.observations.iter().filter(is_unchecked).count()
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        let observations = self.observations.iter();
        let observations = observations.map(|observed| {
            let Observation {
                place,
                resource,
                finding,
            } = observed;
            json!({
                "place": place.to_string(),
                "resource": resource,
                "outcome": finding.outcome().to_string(),
                "code": finding.code(),
                "detail": finding.to_string(),
            })
        });
        json!({
            "key": self.key,
            "pool": self.pool,
            "as_granted": match self.status() {
                Status::Yes => json!(true),
                Status::No => json!(false),
                _ => Value::Null,
            },
            "not_compared": self.not_compared(),
            "unread": self.count(Outcome::Unread),
            "observations": observations.collect::<Vec<_>>(),
            "not_read": self.scope.not_read(),
        })
    }

    /// The answer, and what it does not cover.
    fn result(&self) -> String {
        let key = &self.key;
        let answer = match self.status() {
            Status::Yes => "as granted",
            Status::No => "not as granted",
            _ => "not known whether as granted",
        };
        match self.uncovered() {
            uncovered if uncovered.is_empty() => format!("{answer}: {key}"),
            uncovered => format!("{answer}; {}: {key}", uncovered.join("; ")),
        }
    }

    /// What was not read, or not compared.
    fn uncovered(&self) -> Vec<String> {
        let unread = match self.count(Outcome::Unread) {
            0 => None,
            count => Some(format!("{count} policies or roles could not be read")),
        };
        let not_compared = match self.not_compared() {
            0 => None,
            count => Some(format!("{count} image(s) not compared (give --verdicts)")),
        };
        let not_asked = match self.scope {
            Scope::Ring => Some("what the key inherits from its project not read".to_owned()),
            Scope::All => None,
        };
        [unread, not_compared, not_asked]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// A line for each observation, then the result.
impl fmt::Display for Audit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for observed in &self.observations {
            let outcome = observed.finding.outcome().to_string();
            let place = observed.place.to_string();
            writeln!(out, "  {place:<12} {outcome:<6} {observed}")?;
        }
        if let Some(not_read) = self.scope.not_read() {
            let (place, outcome) = ("project", "note");
            writeln!(out, "  {place:<12} {outcome:<6} not read: {not_read}")?;
        }
        out.write_str(&self.result())
    }
}

#[cfg(test)]
mod tests;
