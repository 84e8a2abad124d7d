//! The rules of an appraisal.

use std::fmt;

use attest::Predicate;
use serde::{Serialize, Serializer};

/// A rule. The order is that of reports.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// The registry served bytes with the digests that were requested.
    Integrity,
    /// The image is in the repository of the policy.
    Repository,
    /// The principals that the policy requires signed this digest.
    Signatures,
    /// The principals whose countersignatures the policy requires for a binding signed this digest too.
    Countersignatures,
    /// A signed statement with this predicate describes the image as the policy and its bytes do.
    Statement(Predicate),
    /// The attestation of this index among those that the policy requires with conditions meets them.
    Attestation(usize),
    /// No advisory that the policy refuses is about a package of the image.
    Advisories,
    /// The rebuilt image is the published image.
    Rebuild,
}

impl Rule {
    /// The rules of every policy. An appraisal in which one of them has no finding is a refusal.
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
            Self::Countersignatures => "countersign",
            Self::Statement(predicate) => predicate.name,
            Self::Attestation(_) => "attestation",
            Self::Advisories => "advisories",
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
