//! The addresses of the services outside the machine.

use crate::endpoint::{Endpoint, MetadataServer};

/// The issuer of attestation tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer {
    /// Its name, as the claim `iss` has it.
    pub name: String,
    /// The address of its OpenID Connect discovery document.
    pub discovery: Endpoint,
}

/// The addresses of the services. The default is Google's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Services {
    /// The issuer of attestation tokens.
    pub issuer: Issuer,
    /// Security Token Service.
    pub sts: Endpoint,
    /// Cloud KMS.
    pub kms: Endpoint,
    /// Pub/Sub.
    pub pubsub: Endpoint,
    /// Secret Manager.
    pub secret_manager: Endpoint,
    /// Cloud Storage.
    pub storage: Endpoint,
    /// Compute Engine's metadata server.
    pub metadata: MetadataServer,
}

impl Default for Issuer {
    fn default() -> Self {
        Self {
            name: confidential::claims::ISSUER.to_owned(),
            discovery: Endpoint::known(
                "https://confidentialcomputing.googleapis.com/.well-known/openid-configuration",
            ),
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        Self {
            issuer: Issuer::default(),
            sts: Endpoint::known("https://sts.googleapis.com"),
            kms: Endpoint::known("https://cloudkms.googleapis.com"),
            pubsub: Endpoint::known("https://pubsub.googleapis.com"),
            secret_manager: Endpoint::known("https://secretmanager.googleapis.com"),
            storage: Endpoint::known("https://storage.googleapis.com"),
            metadata: MetadataServer::GOOGLE,
        }
    }
}
