//! Where the signatures and statements of one key on one image are stored, in both layouts.

use std::collections::{BTreeMap, BTreeSet};

use attest::Statement;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::{Digest, limits};
use oci::{Descriptor, ImageRef, Manifest, Tag, media};
use remote::{Attached, Registry};
use serde_json::Value;
use signature::PublicKey;
use signature::bundle::Bundle;
use signature::envelope::{Envelope, IN_TOTO};

use super::Published;
use crate::Error;

/// Annotation of a legacy layer: the signature in base64; empty on attestations (cosign,
/// `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotation of a legacy attestation.
const PREDICATE_TYPE: &str = "predicateType";
/// Annotations of a bundle's manifest (cosign, `pkg/oci/remote/write.go`).
const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
const BUNDLE_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Where an image is, and where what is signed about it is published: in the same repository, or in another, whose owner
/// may write there.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    /// The repository of the image.
    pub image: &'a Registry,
    /// The repository of signatures and statements.
    pub evidence: &'a Registry,
}

impl<'a> From<&'a Registry> for Shelf<'a> {
    fn from(registry: &'a Registry) -> Self {
        Self {
            image: registry,
            evidence: registry,
        }
    }
}

/// The signatures and statements of one key on one image.
pub(super) struct Place<'a> {
    registry: &'a Registry,
    /// The image's descriptor.
    subject: Descriptor,
    key: &'a PublicKey,
}

/// The envelopes of an equal statement by the key that are stored already.
pub(super) struct Stored {
    bundled: Option<Envelope>,
    tagged: Option<Envelope>,
}

impl Stored {
    pub(super) fn any(&self) -> Option<&Envelope> {
        self.bundled.as_ref().or(self.tagged.as_ref())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.bundled.is_some() && self.tagged.is_some()
    }
}

impl<'a> Place<'a> {
    /// Finds the image. An image that the registry does not have is not signed.
    pub(super) async fn open(
        shelf: Shelf<'a>,
        image: &ImageRef,
        key: &'a PublicKey,
    ) -> Result<Self, Error> {
        Ok(Self {
            registry: shelf.evidence,
            subject: subject(shelf.image, image).await?,
            key,
        })
    }

    fn tag(&self, suffix: &str) -> Result<Tag, Error> {
        Ok(Tag::of_digest(&self.subject.digest, suffix)?)
    }

    pub(super) async fn append_payload(
        &self,
        payload: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let signature = BASE64.encode(signature);
        let mut layer = Descriptor::of(media::SIMPLE_SIGNING, payload);
        layer.annotations = annotations([(SIGNATURE, signature.as_str())]);
        let tag = self.tag(".sig")?;
        Ok(self.registry.append_layer(&tag, layer, payload).await?)
    }

    pub(super) async fn publish_bundle(
        &self,
        predicate_type: &str,
        envelope: Envelope,
    ) -> Result<Published, Error> {
        let bytes = Bundle::new(envelope).to_bytes(self.key)?;
        attach_bundle(self.registry, &self.subject, predicate_type, &bytes).await
    }

    /// Adds the envelope of a statement to the layouts that do not have it.
    pub(super) async fn complete(
        &self,
        stored: &Stored,
        predicate_type: &str,
        envelope: Envelope,
    ) -> Result<Published, Error> {
        let published = match stored.bundled {
            Some(_) => Published::Listed,
            None => {
                self.publish_bundle(predicate_type, envelope.clone())
                    .await?
            }
        };
        if stored.tagged.is_none() {
            self.append_envelope(predicate_type, &envelope).await?;
        }
        Ok(published)
    }

    async fn append_envelope(
        &self,
        predicate_type: &str,
        envelope: &Envelope,
    ) -> Result<(), Error> {
        let bytes = envelope.to_bytes()?;
        let mut layer = Descriptor::of(media::DSSE_ENVELOPE, &bytes);
        layer.annotations = annotations([(PREDICATE_TYPE, predicate_type), (SIGNATURE, "")]);
        let tag = self.tag(".att")?;
        Ok(self.registry.append_layer(&tag, layer, &bytes).await?)
    }

    /// The envelopes of an equal statement, in both layouts.
    pub(super) async fn find(&self, statement: &Statement<Value>) -> Result<Stored, Error> {
        Ok(Stored {
            bundled: self.find_in_bundles(statement).await?,
            tagged: self.find_under_tag(statement).await?,
        })
    }

    /// The envelope of an equal statement, in a referrer.
    pub(super) async fn find_in_bundles(
        &self,
        statement: &Statement<Value>,
    ) -> Result<Option<Envelope>, Error> {
        let mut pieces = Pieces::of(self.registry);
        let referrers = self.registry.referrers(&self.subject.digest).await?;
        for (_, manifest) in referrers.manifests {
            for layer in layers(&manifest, media::SIGSTORE_BUNDLE) {
                let Some(bytes) = pieces.fetch(layer, limits::BUNDLE).await? else {
                    continue;
                };
                let Ok(bundle) = Bundle::parse(&bytes) else {
                    continue;
                };
                if self.says(bundle.envelope(), statement) {
                    return Ok(Some(bundle.envelope().clone()));
                }
            }
        }
        Ok(None)
    }

    /// The envelope of an equal statement, under the legacy tag.
    async fn find_under_tag(
        &self,
        statement: &Statement<Value>,
    ) -> Result<Option<Envelope>, Error> {
        let Some(manifest) = self.tagged(".att").await? else {
            return Ok(None);
        };
        let mut pieces = Pieces::of(self.registry);
        for layer in layers(&manifest, media::DSSE_ENVELOPE) {
            let Some(bytes) = pieces.fetch(layer, limits::STATEMENT).await? else {
                continue;
            };
            let Ok(envelope) = Envelope::parse(&bytes) else {
                continue;
            };
            if self.says(&envelope, statement) {
                return Ok(Some(envelope));
            }
        }
        Ok(None)
    }

    /// Whether `envelope` holds a statement by the key that is equal to `statement`.
    fn says(&self, envelope: &Envelope, statement: &Statement<Value>) -> bool {
        let Ok(payload) = envelope.verify(self.key) else {
            return false;
        };
        envelope.payload_type() == IN_TOTO
            && Statement::<Value>::parse(payload)
                .is_ok_and(|said| statement.says_the_same_as(&said))
    }

    /// Whether the payload is under the legacy tag, signed by the key.
    pub(super) async fn has_payload(&self, payload: &[u8]) -> Result<bool, Error> {
        let Some(manifest) = self.tagged(".sig").await? else {
            return Ok(false);
        };
        let digest = Digest::of(payload);
        let mut same = layers(&manifest, media::SIMPLE_SIGNING).filter(|l| l.digest == digest);
        Ok(same.any(|layer| {
            let text = layer.annotations.get(SIGNATURE).map_or("", String::as_str);
            let signature = BASE64.decode(text).unwrap_or_default();
            self.key.verify(payload, &signature).is_ok()
        }))
    }

    async fn tagged(&self, suffix: &str) -> Result<Option<Manifest>, Error> {
        let bytes = self.registry.manifest_by_tag(&self.tag(suffix)?).await?;
        Ok(bytes.map(|bytes| Manifest::parse(&bytes)).transpose()?)
    }
}

/// The descriptor of an image that the registry has.
pub(super) async fn subject(registry: &Registry, image: &ImageRef) -> Result<Descriptor, Error> {
    let bytes = registry.manifest(&image.digest).await?;
    let manifest = Manifest::parse(&bytes)?;
    Ok(Descriptor::of(&manifest.media_type, &bytes))
}

/// Pushes a bundle as a referrer of an image.
pub(super) async fn attach_bundle(
    registry: &Registry,
    subject: &Descriptor,
    predicate_type: &str,
    bundle: &[u8],
) -> Result<Published, Error> {
    let layer = registry.push_blob(media::SIGSTORE_BUNDLE, bundle).await?;
    let mut manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject.clone());
    manifest.annotations = annotations([
        (BUNDLE_CONTENT, "dsse-envelope"),
        (BUNDLE_PREDICATE_TYPE, predicate_type),
    ]);
    Ok(match registry.attach_referrer(manifest).await? {
        Attached::Listed(_) => Published::Listed,
        Attached::Unlisted(_) => Published::Unlisted,
    })
}

/// The blobs attached to an image, fetched to look for an earlier statement by the signer. Blobs of
/// other tools need not be signatures or statements. They do not prevent publishing, and the total
/// size fetched is limited: a statement beyond the limit is not found and is published again. Only a
/// list of referrers or a tag that cannot be read is an error, since nothing can be added to it.
struct Pieces<'a> {
    registry: &'a Registry,
    seen: BTreeSet<Digest>,
    /// Bytes that may still be fetched.
    budget: u64,
}

impl<'a> Pieces<'a> {
    fn of(registry: &'a Registry) -> Self {
        Self {
            registry,
            seen: BTreeSet::new(),
            budget: limits::PIECES_TOTAL,
        }
    }

    /// Fetches a blob; `None` if it was fetched before, exceeds a limit, does not exist, or differs from
    /// its descriptor.
    async fn fetch(&mut self, layer: &Descriptor, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(budget) = self.budget.checked_sub(layer.size) else {
            return Ok(None);
        };
        if layer.size > limit || !self.seen.insert(layer.digest) {
            return Ok(None);
        }
        self.budget = budget;
        match self.registry.blob(layer, limit).await {
            Err(
                remote::Error::NotFound { .. }
                | remote::Error::SizeMismatch { .. }
                | remote::Error::DigestMismatch { .. },
            ) => Ok(None),
            fetched => Ok(Some(fetched?)),
        }
    }
}

fn layers<'a>(manifest: &'a Manifest, media_type: &'a str) -> impl Iterator<Item = &'a Descriptor> {
    manifest
        .layers
        .iter()
        .filter(move |layer| layer.media_type == media_type)
}

fn annotations<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
