//! Where an image and what is attached to it are read from: a registry, or a saved layout. Nothing above this file
//! distinguishes them.

use std::path::{Path, PathBuf};

use content::{CheckError, Digest, ReadError};
use oci::{Descriptor, Index, Manifest, Tag};
use remote::Registry;

use super::saved::Saved;
use crate::carrier::Carrier;
use crate::error::Error;
use crate::published::Source;
use crate::value::{Thing, Value};

/// Where an image is.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// Its repository.
    Registry(&'a Registry),
    /// A saved layout.
    Saved(&'a Saved),
}

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
    pub fn doing(self, doing: String) -> Error {
        match self {
            Self::Registry(source) => Error::Registry {
                doing,
                source: Box::new(source),
            },
            Self::Layout(source) => Error::Layout {
                doing,
                source: Box::new(source),
            },
        }
    }
}

/// The manifests whose subject is an image.
#[derive(Debug, Default)]
pub(super) struct Referrers {
    pub(super) manifests: Vec<(Digest, Manifest)>,
    /// Referrers that cannot be read, as text.
    pub(super) passed_over: Vec<String>,
}

impl Unfetched {
    pub(super) fn damaged(expected: Value, found: Value) -> Self {
        Self::Damaged(Box::new(Mismatch { expected, found }))
    }
}

/// What cosign attaches under a tag that is derived from the image's digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Legacy {
    Signatures,
    Attestations,
    /// Bills of materials.
    Boms,
}

impl Legacy {
    /// The suffix of the tag (cosign, `pkg/oci/remote/remote.go`).
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Signatures => ".sig",
            Self::Attestations => ".att",
            Self::Boms => ".sbom",
        }
    }
}

/// A manifest with signatures or statements in its layers, and where it is.
pub(super) type Attached = (Carrier, Result<Vec<u8>, Unfetched>);

impl Place<'_> {
    /// Whether the place is the image's repository.
    pub(super) fn source(self) -> Source {
        match self {
            Self::Registry(_) => Source::Repository,
            Self::Saved(_) => Source::Layout,
        }
    }

    /// The manifest or index with this digest.
    pub(super) async fn manifest(self, digest: &Digest) -> Result<Vec<u8>, Unfetched> {
        match self {
            Self::Registry(registry) => Ok(registry.manifest(digest).await?),
            Self::Saved(saved) => saved.manifest(digest),
        }
    }

    /// The content that `descriptor` describes, of at most `limit` bytes.
    ///
    /// # Errors
    /// The content is absent or damaged, or the place does not answer.
    pub async fn blob(self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Unfetched> {
        match self {
            Self::Registry(registry) => Ok(registry.blob(descriptor, limit).await?),
            Self::Saved(saved) => saved.blob(descriptor, limit),
        }
    }

    /// A file with the content of a layer, in `folder` if it must be fetched. The content of a saved layer is not yet
    /// checked.
    pub(super) async fn layer(
        self,
        layer: &Descriptor,
        folder: &Path,
    ) -> Result<PathBuf, Unfetched> {
        match self {
            Self::Registry(registry) => {
                let path = folder.join(layer.digest.hex());
                if !path.exists() {
                    registry.blob_to(layer, &path).await?;
                }
                Ok(path)
            }
            Self::Saved(saved) => saved.layer(layer),
        }
    }

    /// The manifests of this kind that belong to `image`: one under a tag, or those that a layout lists.
    pub(super) async fn legacy(
        self,
        image: &Digest,
        kind: Legacy,
    ) -> Result<Vec<Attached>, oci::Error> {
        let tag = Tag::of_digest(image, kind.suffix())?;
        let registry = match self {
            Self::Registry(registry) => registry,
            Self::Saved(saved) => return Ok(saved.legacy(&tag, kind)),
        };
        let found = registry.manifest_by_tag(&tag).await.transpose();
        let carrier = Carrier::Tag(tag.to_string());
        Ok(found
            .map(|bytes| (carrier, bytes.map_err(Unfetched::from)))
            .into_iter()
            .collect())
    }

    /// The indexes that are known to name this manifest; a registry does not tell.
    pub(super) fn indexes_of(self, image: &Digest) -> Vec<Index> {
        match self {
            Self::Registry(_) => Vec::new(),
            Self::Saved(saved) => saved.indexes_of(image).cloned().collect(),
        }
    }

    /// The referrers of `image`.
    pub(super) async fn referrers(self, image: &Digest) -> Result<Referrers, Unfetched> {
        match self {
            Self::Registry(registry) => {
                let found = registry.referrers(image).await?;
                Ok(Referrers {
                    manifests: found.manifests,
                    passed_over: found.passed_over.iter().map(ToString::to_string).collect(),
                })
            }
            Self::Saved(saved) => saved.referrers(image),
        }
    }
}

pub(super) fn at_most(limit: Value) -> Value {
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
            ReadError::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {
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
        let failed = |kind: std::io::ErrorKind| {
            let source = ReadError::Io(kind.into());
            let subject = "blob".to_owned();
            Unfetched::from(oci::Error::Content { subject, source })
        };
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        assert!(matches!(failed(NotFound), Unfetched::Absent(_)));
        assert!(matches!(failed(PermissionDenied), Unfetched::Failed(_)));
    }
}
