//! What a place answers: content, or why there is none.

use std::fmt::Display;
use std::io::ErrorKind;

use console::hint::{self, Hinted};
use content::{CheckError, Digest, ReadError};
use oci::Manifest;

use crate::carrier::Carrier;
use crate::value::{Thing, Value};

const LAYOUT: &str = "check that it is a complete OCI image layout";

/// Content that a place does not have as it should.
#[derive(Debug)]
pub enum Unfetched {
    /// The place does not have the content.
    Absent(Cause),
    /// The content is not what was requested. An attacker can cause this.
    Damaged(Box<Mismatch>),
    /// The place does not answer.
    Failed(Cause),
}

/// Content that is not what was requested.
#[derive(Debug)]
pub struct Mismatch {
    /// The digest, size or form that was requested.
    pub expected: Value,
    /// The one that was found.
    pub found: Value,
}

/// Why content cannot be read.
#[derive(Debug)]
pub enum Cause {
    /// The error of a registry.
    Registry(remote::Error),
    /// The error of a layout.
    Layout(oci::Error),
}

impl Cause {
    /// The error, with what was being done as a participle.
    pub fn doing(self, doing: impl Display) -> Hinted {
        match self {
            Self::Registry(source) => {
                let hint = source.hint();
                Hinted::doing(doing, source).hinting(hint)
            }
            Self::Layout(source) => {
                let hint = match &source {
                    oci::Error::File(at) => hint::of_file(&at.source),
                    oci::Error::Content {
                        source: ReadError::Io(error),
                        ..
                    } if error.kind() != ErrorKind::NotFound => hint::of_file(error),
                    _ => LAYOUT,
                };
                Hinted::doing(doing, source).hinting(hint)
            }
        }
    }
}

/// The manifests whose subject is an image.
#[derive(Debug, Default)]
pub(crate) struct Referrers {
    pub(crate) manifests: Vec<(Digest, Manifest)>,
    /// Referrers that cannot be read, as text.
    pub(crate) passed_over: Vec<String>,
}

impl Unfetched {
    pub(crate) fn damaged(expected: Value, found: Value) -> Self {
        Self::Damaged(Box::new(Mismatch { expected, found }))
    }
}

/// What cosign attaches under a tag that is derived from the image's digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Legacy {
    Signatures,
    Attestations,
    /// Bills of materials.
    Boms,
}

impl Legacy {
    /// The suffix of the tag (cosign, `pkg/oci/remote/remote.go`).
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Signatures => ".sig",
            Self::Attestations => ".att",
            Self::Boms => ".sbom",
        }
    }
}

/// A manifest with signatures or statements in its layers, and where it is.
pub(crate) type Attached = (Carrier, Result<Vec<u8>, Unfetched>);

pub(crate) fn at_most(limit: Value) -> Value {
    Value::AtMost(Box::new(limit))
}

impl From<remote::Error> for Unfetched {
    fn from(error: remote::Error) -> Self {
        let (expected, found) = match error {
            remote::Error::NotFound { .. } => return Self::Absent(Cause::Registry(error)),
            remote::Error::DigestMismatch {
                expected, actual, ..
            } => (Value::Digest(expected), Value::Digest(actual)),
            remote::Error::SizeMismatch {
                expected, actual, ..
            } => (Value::Bytes(expected), Value::Bytes(actual)),
            remote::Error::Limit { limit, .. } => (at_most(Value::Bytes(limit)), Value::More),
            remote::Error::Entries { limit, .. } => (at_most(Value::Count(limit)), Value::More),
            remote::Error::Image { source, .. } => {
                (Thing::Manifests.into(), source.to_string().into())
            }
            other => return Self::Failed(Cause::Registry(other)),
        };
        Self::damaged(expected, found)
    }
}

impl From<oci::Error> for Unfetched {
    fn from(error: oci::Error) -> Self {
        let source = match &error {
            oci::Error::Content { source, .. } => source,
            _ => return Self::Failed(Cause::Layout(error)),
        };
        let (expected, found) = match source {
            ReadError::Io(io) if io.kind() == ErrorKind::NotFound => {
                return Self::Absent(Cause::Layout(error));
            }
            ReadError::Io(_) => return Self::Failed(Cause::Layout(error)),
            ReadError::Limit { limit } => (at_most(Value::Bytes(*limit)), Value::More),
            ReadError::Check(CheckError::Digest { expected, actual }) => {
                (Value::Digest(*expected), Value::Digest(*actual))
            }
            ReadError::Check(CheckError::Size {
                longer: true,
                expected,
                ..
            }) => (at_most(Value::Bytes(*expected)), Value::More),
            ReadError::Check(CheckError::Size {
                expected, actual, ..
            }) => (Value::Bytes(*expected), Value::Bytes(*actual)),
        };
        Self::damaged(expected, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_damage_and_no_answer_is_an_error() {
        let url = || "http://registry/v2/".to_owned();
        let mismatch = remote::Error::DigestMismatch {
            url: url(),
            expected: Digest::of(b"a"),
            actual: Digest::of(b"b"),
        };
        let Unfetched::Damaged(damaged) = mismatch.into() else {
            panic!("not damage");
        };
        assert_eq!(damaged.expected, Digest::of(b"a").into());
        assert_eq!(damaged.found, Digest::of(b"b").into());
        let absent = remote::Error::NotFound { url: url() };
        assert!(matches!(Unfetched::from(absent), Unfetched::Absent(_)));
        let silence = remote::Error::Status {
            url: url(),
            status: 429,
            message: String::new(),
            retry_after: None,
        };
        assert!(matches!(Unfetched::from(silence), Unfetched::Failed(_)));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_absent() {
        let failed = |kind: ErrorKind| {
            let source = ReadError::Io(kind.into());
            let subject = "blob".to_owned();
            Unfetched::from(oci::Error::Content { subject, source })
        };
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        assert!(matches!(failed(NotFound), Unfetched::Absent(_)));
        assert!(matches!(failed(PermissionDenied), Unfetched::Failed(_)));
    }
}
