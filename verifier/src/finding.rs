//! The findings of rules, as data. `report` converts them to text.

use std::fmt;

use advisories::Level;
use serde::Serialize;

use crate::carrier::Carrier;
use crate::compare::Place;
use crate::damage::{Damage, Part};
use crate::evidence::Timing;
use crate::fact::Claim;
use crate::value::Value;

pub use crate::rule::Rule;

/// How a finding affects the verdict.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The image meets the requirement.
    Pass,
    /// The image does not meet the requirement. One such finding makes the verdict a refusal.
    Fail,
    /// The policy does not require what the rule checks, or there is nothing to check.
    Skipped,
    /// The requirement is one of a binding alone, and the image does not meet it yet. The verdict does not depend on it.
    Pending,
    /// The rule was not checked, or not all of it. A verdict needs another finding of it.
    Unknown,
    /// Information that does not affect the verdict.
    Note,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Note => "note",
        })
    }
}

/// The subject of a finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// The rule itself.
    Rule,
    /// The image.
    Image,
    /// A part of what is published.
    Part(Part),
    /// A referrer, signature or statement that is listed but cannot be read.
    PassedOver,
    /// The repository.
    Repository,
    /// The principals that signed the image.
    Signers,
    /// The signature of a principal, which was not found.
    SignatureBy(String),
    /// A signature of a principal, which was found.
    Signature {
        /// The name of the principal.
        by: String,
        /// Where it is attached.
        carrier: Carrier,
    },
    /// Whether Confidential Space counts the signature of a principal.
    SeenByConfidentialSpace(String),
    /// A signature or statement that does not count.
    Piece(Carrier),
    /// A statement about the image, which was not found.
    Statement,
    /// A statement of a principal, which was found.
    StatementBy {
        /// The name of the principal.
        by: String,
        /// Where it is attached.
        carrier: Carrier,
    },
    /// The principals that made attestations of a type, by the policy's name for it, that meet the policy's conditions.
    Attesters(String),
    /// A statement of a principal, as evidence for a required attestation.
    Attestation {
        /// The name of the principal.
        by: String,
        /// Where it is attached.
        carrier: Carrier,
    },
    /// The signed predicate type of a statement.
    PredicateType(Carrier),
    /// A claim of a statement.
    Claim(Claim),
    /// Claims that can only be compared with a rebuild, of which there is none.
    Uncompared(&'static str),
    /// The packages of the image, as far as advisories may be about them.
    Advisories,
    /// An advisory about a package.
    Advisory {
        /// The ID of the advisory, and its other IDs.
        ids: Vec<String>,
        /// How severe it is.
        level: Level,
        /// The package URL.
        purl: String,
    },
    /// A package, by its URL.
    Package(String),
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
    /// The name of the image that was rebuilt.
    RebuiltImage,
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
    /// The image meets the requirement.
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

    /// The image does not meet the requirement.
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

    /// The image does not meet a requirement of a binding yet.
    pub fn pending(
        rule: Rule,
        subject: Subject,
        expected: impl Into<Value>,
        actual: impl Into<Value>,
    ) -> Self {
        Self {
            outcome: Outcome::Pending,
            ..Self::pass(rule, subject, expected, actual)
        }
    }

    /// Makes what is pending a failure.
    pub(crate) fn due(self) -> Self {
        match self.outcome {
            Outcome::Pending => Self {
                outcome: Outcome::Fail,
                ..self
            },
            _ => self,
        }
    }

    /// Information that does not affect the verdict.
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

    /// The policy does not require what the rule checks, or there is nothing to check.
    pub fn skipped(rule: Rule) -> Self {
        Self {
            outcome: Outcome::Skipped,
            ..Self::pass(rule, Subject::Rule, Value::Nothing, Value::Nothing)
        }
    }

    /// The rule was not checked.
    pub fn unknown(rule: Rule, subject: Subject) -> Self {
        Self {
            outcome: Outcome::Unknown,
            ..Self::pass(rule, subject, Value::Nothing, Value::Nothing)
        }
    }

    /// Makes a pass unknown, because not all of the rule was checked.
    pub(crate) fn in_part(self) -> Self {
        match self.outcome {
            Outcome::Pass => Self {
                outcome: Outcome::Unknown,
                ..self
            },
            _ => self,
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

    /// How it affects the verdict.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The subject.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The expected value.
    pub fn expected(&self) -> &Value {
        &self.expected
    }

    /// The value found.
    pub fn actual(&self) -> &Value {
        &self.actual
    }
}
