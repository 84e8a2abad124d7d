//! The addresses of services. Each has Google's as its default.

use serde::Deserialize;
use tee::{Endpoint, Issuer, MetadataServer, Services};

use super::error::InvalidTerms;
use super::parties::text;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireAttestation {
    issuer: Option<String>,
    discovery: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireEndpoints {
    sts: Option<String>,
    kms: Option<String>,
    pubsub: Option<String>,
    secret_manager: Option<String>,
    storage: Option<String>,
    metadata: Option<String>,
}

pub(super) fn read(
    attestation: Option<WireAttestation>,
    wire: WireEndpoints,
) -> Result<Services, InvalidTerms> {
    let google = Services::default();
    let metadata = wire.metadata.as_deref().map(MetadataServer::parse);
    let metadata = metadata.transpose().map_err(InvalidTerms::of)?;
    Ok(Services {
        issuer: attestation.map_or_else(|| Ok(Issuer::default()), issuer)?,
        sts: endpoint(wire.sts, google.sts)?,
        kms: endpoint(wire.kms, google.kms)?,
        pubsub: endpoint(wire.pubsub, google.pubsub)?,
        secret_manager: endpoint(wire.secret_manager, google.secret_manager)?,
        storage: endpoint(wire.storage, google.storage)?,
        metadata: metadata.unwrap_or(google.metadata),
    })
}

/// Issuer and discovery belong together: another issuer publishes its keys elsewhere.
fn issuer(wire: WireAttestation) -> Result<Issuer, InvalidTerms> {
    match (wire.issuer, wire.discovery) {
        (Some(name), Some(discovery)) => Ok(Issuer {
            name: text(&name)?,
            discovery: Endpoint::parse(&discovery).map_err(InvalidTerms::of)?,
        }),
        _ => Err(InvalidTerms::of(
            "attestation: expected issuer and discovery",
        )),
    }
}

fn endpoint(wire: Option<String>, google: Endpoint) -> Result<Endpoint, InvalidTerms> {
    match wire {
        Some(text) => Endpoint::parse(&text).map_err(InvalidTerms::of),
        None => Ok(google),
    }
}
