//! Layers that are signatures or statements, by their media types: artifact types in listings are often wrong, and both
//! layouts may be attached anywhere.

use content::limits;
use oci::{Descriptor, Manifest, media};

use crate::published::{Certified, Form};

/// Annotation of a simple-signing layer: the signature in base64 (cosign, `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotations that claim a predicate type: on layers under `.att`, on bundle referrers.
const CLAIMED_TYPES: [&str; 2] = ["predicateType", "dev.sigstore.bundle.predicateType"];

/// The form of the signature or statement, and the largest size of its kind in bytes; `None` for another layer.
pub(super) fn form(layer: &Descriptor) -> Option<(Form, u64)> {
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

/// The certificate of a layer in the legacy layout. In a bundle it is in the bundle.
pub(super) fn certified(layer: &Descriptor) -> Option<Certified> {
    let annotation = |name: &str| {
        let name = format!("dev.sigstore.cosign/{name}");
        layer.annotations.get(&name).cloned()
    };
    Some(Certified {
        certificate: annotation("certificate")?,
        chain: annotation("chain"),
        promise: annotation("bundle"),
        timestamp: annotation("rfc3161timestamp"),
    })
}

pub(super) fn claimed_type(layer: &Descriptor, manifest: &Manifest) -> Option<String> {
    let annotations = [&layer.annotations, &manifest.annotations];
    let mut claims = CLAIMED_TYPES
        .iter()
        .flat_map(|name| annotations.iter().filter_map(move |map| map.get(*name)));
    claims.next().cloned()
}
