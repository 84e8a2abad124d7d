use std::sync::Arc;

use oci::Repository;
use tokio::sync::RwLock;

use super::attest::{AttestError, Service, TokenRequest};
use super::discover::{Discovery, Signature};
use super::{Notice, Report};

/// Connects the token socket with the attestation service (google/go-tpm-tools, `launcher/agent`). It
/// keeps the signatures of the image, and fetches them again only in [`Agent::refresh`].
pub struct Agent {
    service: Service,
    discovery: Discovery,
    signatures: RwLock<Vec<Signature>>,
    report: Report,
}

impl Agent {
    /// An agent without signatures.
    pub fn new(service: Service, discovery: Discovery, report: Report) -> Arc<Self> {
        Arc::new(Self {
            service,
            discovery,
            signatures: RwLock::new(Vec::new()),
            report,
        })
    }

    /// Fetches the signatures of the image again.
    pub async fn refresh(&self) {
        let report = |repository: &Repository, error| {
            let repository = repository.clone();
            (self.report)(&Notice::Signatures { repository, error });
        };
        let found = self.discovery.signatures(&report).await;
        *self.signatures.write().await = found;
    }

    /// Requests a token with the present signatures. An invalid signature is reported and left out of the
    /// token; the token is issued nevertheless.
    ///
    /// # Errors
    /// The attestation service does not answer, or refuses.
    pub async fn token(&self, request: &TokenRequest) -> Result<String, AttestError> {
        let signatures = self.signatures.read().await.clone();
        let issued = self.service.token(request, &signatures).await?;
        for error in issued.partial_errors {
            (self.report)(&Notice::Partial(error));
        }
        Ok(issued.token)
    }

    /// Reports a notice to the operator.
    pub fn report(&self, notice: &Notice) {
        (self.report)(notice);
    }
}
