//! What a rule found, as data. `report` makes text of it.

use std::fmt;

use serde::Serialize;

use crate::carrier::Carrier;
use crate::compare::Place;
use crate::damage::{Damage, Part};
use crate::evidence::Timing;
use crate::fact::Claim;
use crate::value::Value;

pub use crate::rule::Rule;

/// How a finding counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// What the rule requires holds.
    Pass,
    /// It does not hold. One such finding makes the verdict a refusal.
    Fail,
    /// The policy does not require what the rule checks.
    Unasked,
    /// Information, which does not count.
    Note,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Unasked => "unasked",
            Self::Note => "note",
        })
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// What the rule checks, where it needs no further name.
    Rule,
    /// The image.
    Image,
    /// A part of what is published.
    Part(Part),
    /// A referrer or signed piece that is listed and cannot be read.
    PassedOver,
    /// The repository.
    Repository,
    /// The principals that signed the image.
    Signers,
    /// The signature of a principal, which is nowhere.
    SignatureBy(String),
    /// The signature of a principal, where it was found.
    Signature {
        /// The name of the principal.
        by: String,
        /// The place.
        carrier: Carrier,
    },
    /// Whether Confidential Space counts the signature of a principal.
    SeenByConfidentialSpace(String),
    /// A signed piece that does not count.
    Piece(Carrier),
    /// A statement about the image, which is nowhere.
    Statement,
    /// The statement of a principal, where it was found.
    StatementBy {
        /// The name of the principal.
        by: String,
        /// The place.
        carrier: Carrier,
    },
    /// The signed predicate type of a statement.
    PredicateType(Carrier),
    /// What a statement says.
    Claim(Claim),
    /// What the statements of a rule say, and nothing is there to compare it with.
    Uncompared(&'static str),
    /// The rebuild.
    Rebuild,
    /// The source of the rebuild.
    Source,
    /// A path in a commit.
    PathInCommit {
        /// The path.
        path: String,
        /// The commit.
        commit: String,
    },
    /// The rebuild of a commit.
    RebuildOf(String),
    /// The commit that was rebuilt.
    RebuiltCommit,
    /// The directory that was rebuilt.
    RebuiltDirectory,
    /// The digest of the rebuilt image.
    Rebuilt {
        /// The commit.
        commit: String,
        /// When it was built.
        timing: Timing,
    },
    /// The digests of the crates that were built.
    Crates,
    /// A place where the images differ.
    Place(Place),
    /// Differences beyond those that are listed.
    FurtherDifferences,
}

/// One result of one rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    rule: Rule,
    outcome: Outcome,
    subject: Subject,
    expected: Value,
    actual: Value,
}

impl Finding {
    /// What the rule requires holds.
    pub fn pass(
        rule: Rule,
        subject: Subject,
        expected: impl Into<Value>,
        actual: impl Into<Value>,
    ) -> Self {
        Self {
            rule,
            outcome: Outcome::Pass,
            subject,
            expected: expected.into(),
            actual: actual.into(),
        }
    }

    /// What the rule requires does not hold.
    pub fn fail(
        rule: Rule,
        subject: Subject,
        expected: impl Into<Value>,
        actual: impl Into<Value>,
    ) -> Self {
        Self {
            outcome: Outcome::Fail,
            ..Self::pass(rule, subject, expected, actual)
        }
    }

    /// Information, which does not count.
    pub fn note(
        rule: Rule,
        subject: Subject,
        expected: impl Into<Value>,
        actual: impl Into<Value>,
    ) -> Self {
        Self {
            outcome: Outcome::Note,
            ..Self::pass(rule, subject, expected, actual)
        }
    }

    /// The policy does not require what the rule checks.
    pub fn unasked(rule: Rule) -> Self {
        Self {
            outcome: Outcome::Unasked,
            ..Self::pass(rule, Subject::Rule, Value::Nothing, Value::Nothing)
        }
    }

    /// Damage, which is always a failure.
    pub fn damage(damage: &Damage) -> Self {
        let subject = Subject::Part(damage.what.clone());
        let (expected, found) = (damage.expected.clone(), damage.found.clone());
        Self::fail(Rule::Integrity, subject, expected, found)
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// How it counts.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What the rule expected.
    pub fn expected(&self) -> &Value {
        &self.expected
    }

    /// What it found.
    pub fn actual(&self) -> &Value {
        &self.actual
    }
}
