use std::sync::Arc;

use oci::Repository;
use tokio::sync::RwLock;

use super::attest::{AttestError, Service, TokenRequest};
use super::discover::{Discovery, Signature};
use super::{Notice, Report};

/// What stands between the token socket and the attestation service (google/go-tpm-tools,
/// `launcher/agent`): it keeps the image's signatures, and fetches them anew only when told.
pub struct Agent {
    service: Service,
    discovery: Discovery,
    signatures: RwLock<Vec<Signature>>,
    report: Report,
}

impl Agent {
    /// An agent that knows of no signatures yet.
    pub fn new(service: Service, discovery: Discovery, report: Report) -> Arc<Self> {
        Arc::new(Self {
            service,
            discovery,
            signatures: RwLock::new(Vec::new()),
            report,
        })
    }

    /// Fetches the image's signatures anew.
    pub async fn refresh(&self) {
        let report = |repository: &Repository, error| {
            let repository = repository.clone();
            (self.report)(&Notice::Signatures { repository, error });
        };
        let found = self.discovery.signatures(&report).await;
        *self.signatures.write().await = found;
    }

    /// Gets a token with the signatures that are known. A signature that does not hold is left out
    /// of the token and reported; no token is refused for it.
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

    /// Tells the operator.
    pub fn report(&self, notice: &Notice) {
        (self.report)(notice);
    }
}
