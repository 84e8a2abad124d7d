//! Signatures in a registry (OCI distribution specification), in both layouts: the tag `sha256-<hex>.sig`, and bundles among the
//! referrers. What the registry says is compared with digests, and the signatures are verified by the caller.

mod access;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use content::{Digest, limits};
use serde::Deserialize;

use crate::encode::from_base64;
use crate::error::{Error, Fault};
use crate::signed::{BUNDLE, MEDIA_TYPE, Objection, SIGN, Signed};

pub(super) use access::Registry;

/// The annotation of a layer that has the signature over its payload.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation of a referrer that names what its bundle states.
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// The media types of manifests.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// The media type of an index.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The most signatures that are fetched in one layout.
const SIGNATURES: usize = 100;
/// The most referrers that are fetched.
const REFERRERS: usize = 64;

/// A signature, or why there is none.
pub(super) type Piece = Result<Signed, Trouble>;

/// Why there is no signature.
pub(super) enum Trouble {
    /// What is there is none.
    Objection(Objection),
    /// It could not be read.
    Error(Error),
}

impl From<Objection> for Trouble {
    fn from(objection: Objection) -> Self {
        Self::Objection(objection)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default, deserialize_with = "content::json::null_is_default")]
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default, deserialize_with = "content::json::null_is_default")]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    artifact_type: Option<String>,
    digest: String,
    size: u64,
    #[serde(default, deserialize_with = "content::json::null_is_default")]
    annotations: BTreeMap<String, String>,
}

/// Takes each piece as it is read, and says whether to read on.
type Take<'a> = &'a mut dyn FnMut(Piece) -> ControlFlow<()>;

/// Reads the signatures of an image, until `take` ends it. A piece that is damaged hides no other.
pub(super) fn read(registry: &Registry, image: Digest, take: Take) -> ControlFlow<()> {
    legacy(registry, image, take).unwrap_or_else(|trouble| take(Err(trouble)))?;
    bundles(registry, image, take).unwrap_or_else(|trouble| take(Err(trouble)))
}

/// The layers of the tag `sha256-<hex>.sig`, each of them a payload with its signature.
fn legacy(registry: &Registry, image: Digest, take: Take) -> Result<ControlFlow<()>, Trouble> {
    let path = format!("manifests/sha256-{}.sig", image.hex());
    let Some(bytes) = registry.get(&path, MANIFEST, limits::MANIFEST)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let manifest: Manifest = parse(&bytes)?;
    let is_payload = |layer: &&Descriptor| layer.size <= limits::PAYLOAD;
    let layers = manifest.layers.iter().filter(is_payload);
    let signed = layers.filter_map(|layer| {
        let signature = from_base64(layer.annotations.get(SIGNATURE)?)?;
        Some((layer, signature))
    });
    let read = |(layer, signature)| {
        let payload = blob(registry, layer, limits::PAYLOAD)?;
        Ok(Signed::payload(payload, signature))
    };
    Ok(signed.take(SIGNATURES).map(read).try_for_each(take))
}

/// The bundles among the referrers of the image.
fn bundles(registry: &Registry, image: Digest, take: Take) -> Result<ControlFlow<()>, Trouble> {
    let list = registry.get(&format!("referrers/{image}"), INDEX, limits::MANIFEST)?;
    // A registry without the API has the list under a tag (distribution specification, "Referrers Tag Schema").
    let tag = || {
        let tag = format!("manifests/sha256-{}", image.hex());
        registry.get(&tag, INDEX, limits::MANIFEST)
    };
    let Some(list) = list.map_or_else(tag, |list| Ok(Some(list)))? else {
        return Ok(ControlFlow::Continue(()));
    };
    let list: Index = parse(&list)?;
    let referrers = list.manifests.iter().filter(may_be_bundle);
    let read = |referrer| bundle(registry, referrer, image).transpose();
    let mut pieces = referrers.take(REFERRERS).filter_map(read);
    Ok(pieces.try_for_each(take))
}

fn may_be_bundle(descriptor: &&Descriptor) -> bool {
    let kind = descriptor.artifact_type.as_deref();
    let predicate = descriptor.annotations.get(PREDICATE);
    descriptor.size <= limits::MANIFEST
        && kind.is_none_or(|kind| kind == MEDIA_TYPE)
        && predicate.is_none_or(|predicate| predicate == SIGN)
}

/// The bundle of a referrer; `None` if it has none, or one that is too large for a signature.
fn bundle(
    registry: &Registry,
    referrer: &Descriptor,
    image: Digest,
) -> Result<Option<Signed>, Trouble> {
    let digest = digest(referrer)?;
    // Some registries list referrers for a while that they have no longer.
    let path = format!("manifests/{digest}");
    let Some(bytes) = registry.get(&path, MANIFEST, limits::MANIFEST)? else {
        return Ok(None);
    };
    check(digest, &bytes)?;
    let manifest: Manifest = parse(&bytes)?;
    let [layer] = &manifest.layers[..] else {
        return Ok(None);
    };
    let subject = manifest.subject.as_ref();
    let is_ours = subject.is_none_or(|subject| subject.digest == image.to_string())
        && layer.media_type.as_deref() == Some(MEDIA_TYPE)
        && layer.size <= BUNDLE;
    match is_ours {
        true => Ok(Some(Signed::bundle(&blob(registry, layer, BUNDLE)?)?)),
        false => Ok(None),
    }
}

fn blob(registry: &Registry, layer: &Descriptor, limit: u64) -> Result<Vec<u8>, Trouble> {
    let digest = digest(layer)?;
    let bytes = registry.get(&format!("blobs/{digest}"), "*/*", limit)?;
    let bytes = bytes.ok_or_else(|| Error::incomplete(access::DOING, "blob"))?;
    check(digest, &bytes)?;
    Ok(bytes)
}

fn digest(descriptor: &Descriptor) -> Result<Digest, Objection> {
    let digest = descriptor.digest.parse();
    digest.map_err(|_| Objection::Value {
        expected: "a SHA-256 of a blob or manifest",
        found: descriptor.digest.clone(),
    })
}

fn check(expected: Digest, bytes: &[u8]) -> Result<(), Error> {
    let found = Digest::of(bytes);
    match found == expected {
        true => Ok(()),
        false => {
            let (expected, found) = (expected.to_string(), found.to_string());
            let fault = Fault::Other { expected, found };
            Err(Error::answer(access::DOING, fault))
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Objection> {
    let what = "manifest";
    let parsed = content::json::parse(bytes, limits::MANIFEST);
    parsed.map_err(|source| Objection::Form { what, source })
}
