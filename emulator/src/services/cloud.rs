use std::path::Path;
use std::sync::Arc;

use super::Context;
use super::accounts::{AccountError, Accounts, Given, ProjectId, Service};
use super::iam::{Iam, Policies, Pools};
use super::kms::{Keys, Kms};
use super::pubsub::{PubSub, Queues};
use super::sts::Sts;
use crate::attestation::{self, Attestation};
use crate::oauth::Refusal;
use crate::state::{Kept, StateError};
use crate::status::Status;

/// The time in Unix seconds.
pub type Clock = fn() -> u64;

/// Services that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The projects.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// The state of an earlier run.
    #[error(transparent)]
    State(#[from] StateError),
    /// The attestation service's key.
    #[error("making the attestation service's key: the cryptographic library failed")]
    Attestation,
}

impl OpenError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Accounts(error) => error.hint(),
            Self::State(error) => error.hint(),
            Self::Attestation => "is the system's random source available?",
        }
    }
}

/// All services of one cloud.
pub struct Services {
    /// Who is behind a token.
    pub accounts: Arc<Accounts>,
    /// Policies, and workload identity pools.
    pub iam: Arc<Iam>,
    /// Keys.
    pub kms: Kms,
    /// Messages.
    pub pubsub: PubSub,
    /// The token exchange.
    pub sts: Sts,
    /// Attestation tokens.
    pub attestation: Arc<Attestation>,
    clock: Clock,
}

impl Services {
    /// The services of a cloud with these projects; what `folder` holds of an earlier run is there again.
    /// Clients with a key file ask `token_uri` for access tokens.
    ///
    /// # Errors
    /// A folder that cannot be read or written, or a project that cannot be set up.
    pub fn open(
        folder: &Path,
        projects: &[ProjectId],
        token_uri: &str,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let state = folder.join("services");
        let mut accounts = Accounts::new(kept(&state, "accounts", Given::default())?);
        for project in projects {
            accounts.add_project(project, &folder.join("projects"), token_uri)?;
        }
        let accounts = Arc::new(accounts);
        let key = Kept::open(&state, "attestation", attestation::Key::new)?;
        let attestation = key
            .look(Attestation::new)
            .map_err(|_| OpenError::Attestation)?;
        let attestation = Arc::new(attestation);
        let iam = Arc::new(Iam::new(
            accounts.clone(),
            kept(&state, "pools", Pools::default())?,
            kept(&state, "policies", Policies::default())?,
        ));
        Ok(Self {
            kms: Kms::new(kept(&state, "kms", Keys::default())?, iam.clone()),
            pubsub: PubSub::new(kept(&state, "pubsub", Queues::default())?, iam.clone()),
            sts: Sts::new(accounts.clone(), iam.clone(), attestation.clone()),
            accounts,
            iam,
            attestation,
            clock,
        })
    }

    /// Who calls a service with this bearer token, and when.
    ///
    /// # Errors
    /// No such token, or one that does not reach this service.
    pub fn context(&self, bearer: Option<&str>, service: Service) -> Result<Context, Status> {
        let now = self.now();
        let caller = self.accounts.caller(bearer, service, now)?;
        Ok(Context { caller, now })
    }

    /// The time in Unix seconds.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }
}

fn kept<T>(folder: &Path, name: &'static str, new: T) -> Result<Kept<T>, StateError>
where
    T: Clone + serde::Serialize + serde::de::DeserializeOwned,
{
    Kept::open(folder, name, || Ok::<_, Refusal>(new))
}
