//! The simple-signing payload (cosign, `specs/SIGNATURE_SPEC.md`).

use std::collections::BTreeMap;

use content::{Digest, limits};
use serde::Deserialize;
use serde_json::Value;

use super::{Objection, Said, value};

/// The value of `critical.type`.
const TYPE: &str = "cosign container image signature";

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
    /// What the signer says besides. The key and algorithm that it names decide nothing.
    #[serde(rename = "optional")]
    _optional: Option<BTreeMap<String, Value>>,
}

// Unknown critical members must be refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: Digest,
}

/// Reads a payload whose signature was verified.
pub(super) fn read(bytes: &[u8]) -> Result<Said, Objection> {
    let what = "payload";
    let payload = content::json::parse(bytes, limits::PAYLOAD);
    let Payload { critical, .. } = payload.map_err(|source| Objection::Form { what, source })?;
    match critical.kind == TYPE {
        true => Ok(Said {
            image_digest: critical.image.docker_manifest_digest,
            repository: Some(critical.identity.docker_reference),
        }),
        false => Err(value(
            "a payload of type \"cosign container image signature\"",
            critical.kind,
        )),
    }
}
