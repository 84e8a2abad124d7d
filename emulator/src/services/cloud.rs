//! All services, with their state.

use std::path::Path;
use std::sync::Arc;

use super::accounts::{AccountState, Accounts, Hierarchy, ProjectId, Service};
use super::artifact_registry::ArtifactRegistry;
use super::compute::{Compute, Fleet};
use super::iam::{CustomRoles, Iam, Policies, Pools};
use super::kms::{Keys, Kms};
use super::logging::{Log, Logging};
use super::pubsub::{PubSub, Queues};
use super::secret_manager::{SecretManager, Secrets};
use super::storage::{Buckets, Storage};
use super::sts::Sts;
use super::{Addresses, Context};
use crate::attestation::{self, Attestation};
use crate::clock::Clock;
use crate::error::StartError;
use crate::oauth::Refusal;
use crate::state::Stored;
use crate::status::Status;

/// All services of the emulated cloud.
pub struct Services {
    /// Projects, service accounts and access tokens.
    pub accounts: Arc<Accounts>,
    /// IAM: policies and workload identity pools.
    pub iam: Arc<Iam>,
    /// Artifact Registry.
    pub artifact_registry: ArtifactRegistry,
    /// Cloud KMS.
    pub kms: Kms,
    /// Pub/Sub.
    pub pubsub: PubSub,
    /// Secret Manager.
    pub secret_manager: SecretManager,
    /// Cloud Storage.
    pub storage: Storage,
    /// The Security Token Service.
    pub sts: Sts,
    /// The attestation service.
    pub attestation: Arc<Attestation>,
    /// Cloud Logging.
    pub logging: Arc<Logging>,
    /// Compute Engine.
    pub compute: Arc<Compute>,
    clock: Clock,
}

impl Services {
    /// Sets up services with these projects in these folders and organisations, continuing from the state in `folder`.
    ///
    /// # Errors
    /// The folder cannot be read or written, or a project cannot be set up.
    pub fn open(
        folder: &Path,
        (projects, hierarchy): (&[ProjectId], Hierarchy),
        addresses: &Addresses,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let token_uri = &addresses.token_uri;
        let state = folder.join("services");
        let mut accounts = Accounts::new(kept(&state, "accounts", AccountState::default())?);
        for project in projects {
            accounts.add_project(project, &folder.join("projects"), token_uri)?;
        }
        accounts.arrange(hierarchy);
        let accounts = Arc::new(accounts);
        let key = Stored::open(&state, "attestation", attestation::Key::new)?;
        let attestation = key
            .look(Attestation::new)
            .map_err(|_| StartError::keys(&"the attestation service"))?;
        let attestation = Arc::new(attestation);
        let iam = Arc::new(Iam::new(
            accounts.clone(),
            kept(&state, "pools", Pools::default())?,
            kept(&state, "policies", Policies::default())?,
            kept(&state, "roles", CustomRoles::default())?,
        ));
        iam.own_projects()
            .and_then(|()| iam.administer_organizations())
            .map_err(|_| StartError::state(&"IAM"))?;
        let logging = Arc::new(Logging::new(Log::open(&state)?, iam.clone()));
        let compute = Compute::new(
            kept(&state, "compute", Fleet::default())?,
            (accounts.clone(), iam.clone(), logging.clone()),
            addresses,
            clock,
        );
        let compute = compute.map_err(|_| StartError::state(&"Compute Engine"))?;
        let kms = Kms::new(kept(&state, "kms", Keys::default())?, iam.clone());
        kms.destroy_due(clock())
            .map_err(|_| StartError::state(&"Cloud KMS"))?;
        Ok(Self {
            logging,
            compute: Arc::new(compute),
            artifact_registry: ArtifactRegistry::new(iam.clone()),
            kms,
            pubsub: PubSub::new(kept(&state, "pubsub", Queues::default())?, iam.clone()),
            secret_manager: SecretManager::new(
                kept(&state, "secrets", Secrets::default())?,
                iam.clone(),
            ),
            storage: Storage::new(kept(&state, "storage", Buckets::default())?, iam.clone()),
            sts: Sts::new(accounts.clone(), iam.clone(), attestation.clone()),
            accounts,
            iam,
            attestation,
            clock,
        })
    }

    /// The caller with this bearer token, and the time of the call.
    ///
    /// # Errors
    /// The token is missing, unknown or expired, or its scopes do not include this service.
    pub fn context(&self, bearer: Option<&str>, service: Service) -> Result<Context, Status> {
        let now = self.now();
        let caller = self.accounts.caller(bearer, service, now)?;
        Ok(Context { caller, now })
    }

    /// The current time, in Unix seconds.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }
}

fn kept<T>(folder: &Path, name: &'static str, new: T) -> Result<Stored<T>, StartError>
where
    T: Clone + serde::Serialize + serde::de::DeserializeOwned,
{
    Stored::open(folder, name, || Ok::<_, Refusal>(new))
}
