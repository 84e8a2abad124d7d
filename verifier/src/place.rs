//! Where an image and what is attached to it are read from: a registry, or a saved layout. Nothing above this file
//! distinguishes them.

use std::path::{Path, PathBuf};

use content::Digest;
use oci::{Descriptor, Index, Tag};
use remote::Registry;

use crate::carrier::Carrier;
use crate::published::Source;

mod fetched;
mod named;
mod saved;

pub use fetched::{Cause, Unfetched};
pub(crate) use fetched::{Legacy, Mismatch, at_most};
pub use named::{Chosen, Form, InvalidName, Location, Named};
pub use saved::Saved;

use fetched::{Attached, Referrers};

/// Where an image is.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// Its repository.
    Registry(&'a Registry),
    /// A saved layout.
    Saved(&'a Saved),
}

impl Place<'_> {
    /// Whether the place is the image's repository.
    pub(crate) fn source(self) -> Source {
        match self {
            Self::Registry(_) => Source::Repository,
            Self::Saved(_) => Source::Layout,
        }
    }

    /// The manifest or index with this digest.
    pub(crate) async fn manifest(self, digest: &Digest) -> Result<Vec<u8>, Unfetched> {
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
    pub(crate) async fn layer(
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

    /// The manifests of this kind that belong to `subject`: one under a tag, or those that a layout lists.
    pub(crate) async fn legacy(
        self,
        subject: &Digest,
        kind: Legacy,
    ) -> Result<Vec<Attached>, oci::Error> {
        let tag = Tag::of_digest(subject, kind.suffix())?;
        let registry = match self {
            Self::Registry(registry) => registry,
            Self::Saved(saved) => return Ok(saved.legacy(subject, &tag, kind)),
        };
        let found = registry.manifest_by_tag(&tag).await.transpose();
        let carrier = Carrier::Tag(tag.to_string());
        Ok(found
            .map(|bytes| (carrier, bytes.map_err(Unfetched::from)))
            .into_iter()
            .collect())
    }

    /// The indexes that are known to name this manifest; a registry does not tell.
    pub(crate) fn indexes_of(self, image: &Digest) -> Vec<Index> {
        match self {
            Self::Registry(_) => Vec::new(),
            Self::Saved(saved) => saved.indexes_of(image).cloned().collect(),
        }
    }

    /// The referrers of `image`.
    pub(crate) async fn referrers(self, image: &Digest) -> Result<Referrers, Unfetched> {
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
