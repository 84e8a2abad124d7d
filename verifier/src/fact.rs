//! Facts about signatures, statements and rebuilds, which findings contain.

use chrono::{DateTime, Utc};
use content::Digest;
use serde::Deserialize;

/// A claim of a statement about an image and its build.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// The statement as a document.
    Document,
    /// The number of subjects.
    Subjects,
    /// The digest of the subject.
    SubjectDigest,
    /// The name of the subject.
    SubjectName,
    /// `builder.id`.
    BuilderId,
    /// `buildType`.
    BuildType,
    /// One of `externalParameters`.
    Parameter(String),
    /// The source.
    Source,
    /// The commit of the source.
    Commit,
    /// One of `resolvedDependencies`.
    Dependency(String),
    /// All files of the image.
    Files,
    /// All components of a bill of materials.
    Components,
    /// A component, by its kind and name.
    Component(&'static str, String),
    /// Components of a kind beyond those that are listed.
    FurtherComponents(&'static str),
}

/// Why a signature or statement does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It cannot be parsed, or no principal signed it. The value is the error message.
    Unverified(String),
    /// It was signed for another image.
    OtherImage {
        /// The name of the principal.
        by: String,
        /// The image that is appraised.
        expected: Digest,
        /// The digest that was signed.
        found: String,
    },
    /// The signed payload is of another type.
    PayloadType {
        /// The name of the principal.
        by: String,
        /// The media type of statements.
        expected: &'static str,
        /// The type that was signed.
        found: String,
    },
    /// A bill of materials under the legacy tag. Neither it nor its signature names the image.
    Unbound {
        /// The names of the principals that signed it.
        by: Vec<String>,
        /// Its media type.
        media_type: String,
    },
    /// The statement has several subjects, or none.
    Subjects {
        /// The name of the principal.
        by: String,
        /// The number of subjects.
        found: usize,
    },
}

/// Why a statement does not meet the conditions of a required attestation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Objection {
    /// It cannot be parsed. The value is the error message.
    Unread(String),
    /// A claim does not match.
    Claim(Claim),
    /// It does not say when it was made.
    Undated(Vec<String>),
    /// The time that it states is not one of RFC 3339.
    InvalidTime(String),
    /// It was made too long ago.
    Old {
        /// When.
        made: DateTime<Utc>,
        /// The greatest age, as the policy writes it.
        limit: String,
    },
    /// It was made after the time of the appraisal.
    Future(DateTime<Utc>),
    /// The expression of CEL is false.
    False,
    /// The Rego module does not allow it.
    Refused(rego::Answer),
    /// The expression or module has no value. The value is the error message.
    Failed(String),
}

/// Whether Confidential Space counts a signature that we count. It reads the legacy tag only, and verifies
/// with the key and the algorithm that the payload names (launcher, signature discovery). A workload that
/// waits for a signature that is not counted does not start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Visibility {
    /// It counts the signature.
    Counted,
    /// The signature is not under the tag.
    NotUnderTag,
    /// The payload names no key, or another key or algorithm.
    NamesAnother,
    /// It does not read signatures of this type of key, or with this algorithm.
    OtherAlgorithm,
}

/// Whether a build compared the digests of its crates with those in the public registry.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RegistryCheck {
    /// It did, and they are equal.
    Made,
    /// It did not.
    NotMade {
        /// Why not.
        reason: String,
    },
}
