//! Layers that are signatures or statements, by their media types: artifact types in listings are often wrong, and both
//! layouts may be attached anywhere.

use std::collections::BTreeSet;

use content::{Digest, limits};
use oci::{Descriptor, Index, Manifest, media};

use super::{Certified, Form};

/// Annotation of a simple-signing layer: the signature in base64 (cosign, `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotations that claim a predicate type: on layers under `.att`, on bundle referrers.
const CLAIMED_TYPES: [&str; 2] = ["predicateType", "dev.sigstore.bundle.predicateType"];

/// The attestations that BuildKit has put into an index about an image. They have no signature of their own, so they never
/// count.
pub(crate) fn unsigned(index: &Index, image: &Digest) -> Vec<String> {
    let found = index.attestations_of(image);
    found
        .map(|listed| {
            let digest = listed.digest;
            format!("attestation {digest} in the image index has no signature (BuildKit)")
        })
        .collect()
}

/// What a manifest has in place of signatures and statements; `None` if one of its layers is one.
pub(crate) fn others(manifest: &Manifest) -> Option<String> {
    let layers = &manifest.layers;
    if layers.iter().any(|layer| form(layer).is_some()) {
        return None;
    }
    let types: BTreeSet<_> = layers.iter().map(|layer| &*layer.media_type).collect();
    let types: Vec<_> = types.into_iter().take(4).collect();
    Some(match types.is_empty() {
        true => "it has no layer".to_owned(),
        false => format!("its layers are {}", types.join(", ")),
    })
}

/// The form of the signature or statement, and the largest size of its kind in bytes; `None` for another layer.
pub(crate) fn form(layer: &Descriptor) -> Option<(Form, u64)> {
    Some(match layer.media_type.as_str() {
        media::SIMPLE_SIGNING => (simple_signing(layer), limits::PAYLOAD),
        media::DSSE_ENVELOPE => (Form::Envelope, limits::STATEMENT),
        media::SIGSTORE_BUNDLE => (Form::Bundle, limits::BUNDLE),
        _ => return None,
    })
}

fn simple_signing(layer: &Descriptor) -> Form {
    let signature = layer
        .annotations
        .get(SIGNATURE)
        .cloned()
        .unwrap_or_default();
    Form::SimpleSigning { signature }
}

/// The certificate and the evidence of a layer in the legacy layout, if it has either. In a bundle they are in the bundle.
pub(crate) fn certified(layer: &Descriptor) -> Option<Certified> {
    let annotation = |name: &str| {
        let name = format!("dev.sigstore.cosign/{name}");
        layer.annotations.get(&name).cloned()
    };
    let found = Certified {
        certificate: annotation("certificate"),
        chain: annotation("chain"),
        promise: annotation("bundle"),
        timestamp: annotation("rfc3161timestamp"),
    };
    let parts = [&found.certificate, &found.promise, &found.timestamp];
    parts.iter().any(|part| part.is_some()).then_some(found)
}

pub(crate) fn claimed_type(layer: &Descriptor, manifest: &Manifest) -> Option<String> {
    let annotations = [&layer.annotations, &manifest.annotations];
    let mut claims = CLAIMED_TYPES
        .iter()
        .flat_map(|name| annotations.iter().filter_map(move |map| map.get(*name)));
    claims.next().cloned()
}
