//! What a rule found out, in words that a tired person can act on.

use std::fmt;

use attest::Predicate;
use serde::{Serialize, Serializer};

/// Characters of one detail that are kept; what is longer came from outside and is cut.
const DETAIL_LIMIT: usize = 1200;

/// The rules, in the order in which they are reported.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// Bytes have the digests under which they were asked for.
    Integrity,
    /// The image lives where the policy says.
    Repository,
    /// The principals that the policy names signed this digest.
    Signatures,
    /// A signed statement with this predicate describes the image as the policy and its bytes do.
    Statement(Predicate),
    /// Our own rebuild is the same image.
    Rebuild,
}

impl Rule {
    /// Every rule. An appraisal in which one of them has no finding is a refusal.
    pub fn all() -> impl Iterator<Item = Self> {
        let first = [Self::Integrity, Self::Repository, Self::Signatures];
        let statements = Predicate::descriptions().map(Self::Statement);
        first.into_iter().chain(statements).chain([Self::Rebuild])
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Repository => "repository",
            Self::Signatures => "signatures",
            Self::Statement(predicate) => predicate.name,
            Self::Rebuild => "rebuild",
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// How a finding counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// What the rule asks for holds.
    Pass,
    /// It does not; one of these is a refusal.
    Fail,
    /// The policy does not ask for what this rule checks.
    Unasked,
    /// Worth knowing, and never counted.
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

/// One thing that one rule found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    rule: Rule,
    outcome: Outcome,
    detail: String,
}

impl Finding {
    /// What was asked for is there.
    pub fn pass(rule: Rule, detail: impl fmt::Display) -> Self {
        Self::new(rule, Outcome::Pass, &detail.to_string())
    }

    /// What was asked for is not there: always with what was expected and what was found.
    pub fn fail(
        rule: Rule,
        what: impl fmt::Display,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        let detail = format!("{what}: expected {expected}, found {found}");
        Self::new(rule, Outcome::Fail, &detail)
    }

    /// The policy does not ask.
    pub fn unasked(rule: Rule, detail: impl fmt::Display) -> Self {
        Self::new(rule, Outcome::Unasked, &detail.to_string())
    }

    /// For the reader only.
    pub fn note(rule: Rule, detail: impl fmt::Display) -> Self {
        Self::new(rule, Outcome::Note, &detail.to_string())
    }

    fn new(rule: Rule, outcome: Outcome, detail: &str) -> Self {
        let detail = content::printable(detail, DETAIL_LIMIT);
        Self {
            rule,
            outcome,
            detail,
        }
    }

    /// Which rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// How it counts.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// In words, on one line, without control characters.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_both_sides() {
        let finding = Finding::fail(Rule::Rebuild, "manifest", "sha256:aa", "sha256:bb");
        assert_eq!(
            finding.detail(),
            "manifest: expected sha256:aa, found sha256:bb"
        );
        assert_eq!(finding.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_terminal_cannot_be_steered_by_a_name() {
        let finding = Finding::note(Rule::Rebuild, "file /a\u{1b}[2J\n\u{202e}b");
        assert_eq!(finding.detail(), "file /a\\u{1b}[2J\\u{a}\\u{202e}b");
    }

    #[test]
    fn a_detail_has_an_end() {
        let finding = Finding::note(Rule::Rebuild, "x".repeat(1 << 20));
        assert_eq!(finding.detail().chars().count(), DETAIL_LIMIT + 1);
    }
}
