//! Publishing in both layouts. A layout is written only if it does not yet hold the same statement by
//! the same key, so that publishing can be repeated even though signatures differ each time.

use std::collections::{BTreeMap, BTreeSet};

use attest::predicate::COSIGN_SIGN;
use attest::{Predicate, Statement, Subject};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::{Digest, limits};
use oci::{Descriptor, ImageRef, Manifest, Tag, media};
use remote::{Attached, Registry};
use serde_json::{Value, json};
use signature::bundle::Bundle;
use signature::envelope::{Envelope, IN_TOTO, pae};
use signature::simple_signing;

use crate::{Error, Signer};

/// Annotation of a legacy layer: the signature in base64; empty on attestations (cosign,
/// `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotation of a legacy attestation.
const PREDICATE_TYPE: &str = "predicateType";
/// Annotations of a bundle's manifest (cosign, `pkg/oci/remote/write.go`).
const BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
const BUNDLE_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Where readers find what was published. A greater value means fewer readers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[must_use]
pub enum Published {
    /// Under the legacy tag, and in a bundle among the referrers.
    Both,
    /// Under the legacy tag only. The bundle is stored, but the registry cannot list referrers.
    TagOnly,
}

impl Published {
    /// A note for the user, if readers are limited.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Both => None,
            Self::TagOnly => Some(
                "this registry cannot list referrers: readers find the legacy tag but not the bundle",
            ),
        }
    }
}

/// Signs an image: a payload under the tag `sha256-<hex>.sig`, and a statement in a bundle.
///
/// # Errors
/// The image does not exist or its manifest cannot be parsed; the signer fails, or a request to the
/// registry. Nothing that was written before is removed; repeating the call completes it.
pub async fn sign_image(
    registry: &Registry,
    image: &ImageRef,
    signer: &Signer,
) -> Result<Published, Error> {
    let subject = subject(registry, image).await?;
    let repository = image.repository.to_string();
    let payload = simple_signing::payload(&repository, &image.digest, signer.public())?;
    let tag = Tag::of_digest(&image.digest, ".sig")?;
    if !has_payload(registry, &tag, &payload, signer).await? {
        let signature = BASE64.encode(signer.sign(&payload).await?);
        let mut layer = Descriptor::of(media::SIMPLE_SIGNING, &payload);
        layer.annotations = annotations([(SIGNATURE, signature.as_str())]);
        registry.append_layer(&tag, layer, &payload).await?;
    }
    let about = Subject::image(&repository, &image.digest);
    let statement = Statement::new(about, COSIGN_SIGN, json!({}));
    if find_in_bundles(registry, &subject.digest, &statement, signer)
        .await?
        .is_some()
    {
        return Ok(Published::Both);
    }
    let envelope = seal(&statement, signer).await?;
    publish_bundle(registry, subject, &statement, envelope, signer).await
}

/// Attests a predicate about an image: an envelope under the tag `sha256-<hex>.att`, and the same
/// envelope in a bundle. If the signer has published an equal statement before (see
/// [`Statement::says_the_same_as`]), its envelope is kept, and only the missing layout is added.
///
/// # Errors
/// As [`sign_image`].
pub async fn attest_image(
    registry: &Registry,
    image: &ImageRef,
    signer: &Signer,
    kind: &Predicate,
    predicate: Value,
) -> Result<Published, Error> {
    let subject = subject(registry, image).await?;
    let about = Subject::image(&image.repository.to_string(), &image.digest);
    let statement = Statement::new(about, kind.uri, predicate);
    let tag = Tag::of_digest(&image.digest, ".att")?;
    let bundled = find_in_bundles(registry, &subject.digest, &statement, signer).await?;
    let tagged = find_under_tag(registry, &tag, &statement, signer).await?;
    let envelope = match bundled.as_ref().or(tagged.as_ref()) {
        Some(envelope) => envelope.clone(),
        None => seal(&statement, signer).await?,
    };
    let published = match bundled {
        Some(_) => Published::Both,
        None => publish_bundle(registry, subject, &statement, envelope.clone(), signer).await?,
    };
    if tagged.is_none() {
        append_envelope(registry, &tag, kind, &envelope).await?;
    }
    Ok(published)
}

/// The image's descriptor. An image that the registry does not have is not signed.
async fn subject(registry: &Registry, image: &ImageRef) -> Result<Descriptor, Error> {
    let bytes = registry.manifest(&image.digest).await?;
    let manifest = Manifest::parse(&bytes)?;
    Ok(Descriptor::of(&manifest.media_type, &bytes))
}

async fn seal(statement: &Statement<Value>, signer: &Signer) -> Result<Envelope, Error> {
    let payload = statement.to_bytes()?;
    let signature = signer.sign(&pae(IN_TOTO, &payload)).await?;
    Ok(Envelope::new(IN_TOTO, payload, "", signature))
}

async fn publish_bundle(
    registry: &Registry,
    subject: Descriptor,
    statement: &Statement<Value>,
    envelope: Envelope,
    signer: &Signer,
) -> Result<Published, Error> {
    let bytes = Bundle::new(envelope).to_bytes(signer.public())?;
    let layer = registry.push_blob(media::SIGSTORE_BUNDLE, &bytes).await?;
    let mut manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    manifest.annotations = annotations([
        (BUNDLE_CONTENT, "dsse-envelope"),
        (BUNDLE_PREDICATE_TYPE, &statement.predicate_type),
    ]);
    Ok(match registry.attach_referrer(manifest).await? {
        Attached::Listed(_) => Published::Both,
        Attached::Unlisted(_) => Published::TagOnly,
    })
}

async fn append_envelope(
    registry: &Registry,
    tag: &Tag,
    kind: &Predicate,
    envelope: &Envelope,
) -> Result<(), Error> {
    let bytes = envelope.to_bytes()?;
    let mut layer = Descriptor::of(media::DSSE_ENVELOPE, &bytes);
    layer.annotations = annotations([(PREDICATE_TYPE, kind.uri), (SIGNATURE, "")]);
    registry.append_layer(tag, layer, &bytes).await?;
    Ok(())
}

/// The envelope of an equal statement by this signer, in a referrer.
async fn find_in_bundles(
    registry: &Registry,
    subject: &Digest,
    statement: &Statement<Value>,
    signer: &Signer,
) -> Result<Option<Envelope>, Error> {
    let mut pieces = Pieces::of(registry);
    for (_, manifest) in registry.referrers(subject).await?.manifests {
        for layer in layers(&manifest, media::SIGSTORE_BUNDLE) {
            let Some(bytes) = pieces.fetch(layer, limits::BUNDLE).await? else {
                continue;
            };
            let Ok(bundle) = Bundle::parse(&bytes) else {
                continue;
            };
            if says(bundle.envelope(), statement, signer) {
                return Ok(Some(bundle.envelope().clone()));
            }
        }
    }
    Ok(None)
}

/// The envelope of an equal statement by this signer, under the legacy tag.
async fn find_under_tag(
    registry: &Registry,
    tag: &Tag,
    statement: &Statement<Value>,
    signer: &Signer,
) -> Result<Option<Envelope>, Error> {
    let Some(manifest) = tagged(registry, tag).await? else {
        return Ok(None);
    };
    let mut pieces = Pieces::of(registry);
    for layer in layers(&manifest, media::DSSE_ENVELOPE) {
        let Some(bytes) = pieces.fetch(layer, limits::STATEMENT).await? else {
            continue;
        };
        let Ok(envelope) = Envelope::parse(&bytes) else {
            continue;
        };
        if says(&envelope, statement, signer) {
            return Ok(Some(envelope));
        }
    }
    Ok(None)
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

/// Whether `envelope` holds a statement by this signer that is equal to `statement`.
fn says(envelope: &Envelope, statement: &Statement<Value>, signer: &Signer) -> bool {
    let Ok(payload) = envelope.verify(signer.public()) else {
        return false;
    };
    envelope.payload_type() == IN_TOTO
        && Statement::<Value>::parse(payload).is_ok_and(|said| statement.says_the_same_as(&said))
}

async fn has_payload(
    registry: &Registry,
    tag: &Tag,
    payload: &[u8],
    signer: &Signer,
) -> Result<bool, Error> {
    let Some(manifest) = tagged(registry, tag).await? else {
        return Ok(false);
    };
    let wanted = Descriptor::of(media::SIMPLE_SIGNING, payload);
    let mut same = layers(&manifest, media::SIMPLE_SIGNING).filter(|l| l.digest == wanted.digest);
    Ok(same.any(|layer| {
        let text = layer.annotations.get(SIGNATURE).map_or("", String::as_str);
        let signature = BASE64.decode(text).unwrap_or_default();
        signer.public().verify(payload, &signature).is_ok()
    }))
}

async fn tagged(registry: &Registry, tag: &Tag) -> Result<Option<Manifest>, Error> {
    let bytes = registry.manifest_by_tag(tag).await?;
    Ok(bytes.map(|bytes| Manifest::parse(&bytes)).transpose()?)
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
