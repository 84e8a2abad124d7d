//! IAM v1: policies on resources, which say who may do what, read and written with etags; workload
//! identity pools, which say who is let in from outside; and service accounts.

mod condition;
mod member;
mod policy;
mod provider;
mod role;

use std::sync::Arc;

use super::Context;
use super::accounts::{Accounts, ServiceAccount};
use crate::location;
use crate::state::Kept;
use crate::status::Status;

pub use self::condition::Condition;
pub use self::member::Principals;
pub use self::policy::{Binding, Change, Policies, Policy};
pub use self::provider::{Oidc, Pool, Pools, Provider};

/// The service.
pub struct Iam {
    accounts: Arc<Accounts>,
    pools: Kept<Pools>,
    policies: Kept<Policies>,
}

/// `CreateWorkloadIdentityPool`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreatePool {
    /// The project, by ID or number.
    pub project: String,
    /// The location.
    pub location: String,
    /// The pool's ID.
    pub id: String,
    /// The pool.
    pub pool: Pool,
}

/// `CreateWorkloadIdentityPoolProvider`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateProvider {
    /// The project, by ID or number.
    pub project: String,
    /// The location.
    pub location: String,
    /// The pool's ID.
    pub pool: String,
    /// The provider's ID.
    pub id: String,
    /// The provider.
    pub provider: Provider,
}

impl Iam {
    /// A service with these pools and policies.
    pub fn new(accounts: Arc<Accounts>, pools: Kept<Pools>, policies: Kept<Policies>) -> Self {
        Self {
            accounts,
            pools,
            policies,
        }
    }

    /// Checks that the caller has the permission on the first of `resources`, which the others hold.
    ///
    /// # Errors
    /// Neither owns the caller the project nor does a policy allow it; the refusal names the permission.
    pub fn demand(
        &self,
        context: &Context,
        permission: &str,
        resources: &[&str],
    ) -> Result<(), Status> {
        let Context { caller, now } = context;
        let resource = resources.first().copied().unwrap_or_default();
        let project = resource.split('/').nth(1).unwrap_or_default();
        let by_policy = || {
            self.policies
                .look(|policies| policies.allow(caller, permission, resources, *now))
        };
        match self.accounts.owns(caller, project) || by_policy() {
            true => Ok(()),
            false => Err(Status::denied(permission, resource)),
        }
    }

    /// The policy of a resource, as the version asked for shows it.
    ///
    /// # Errors
    /// No such version.
    pub fn policy(&self, resource: &str, version: u32) -> Result<Policy, Status> {
        self.policies
            .look(|policies| policies.get(resource, version))
    }

    /// Replaces the policy of a resource.
    ///
    /// # Errors
    /// It is another one by now, or the new policy cannot be.
    pub fn set_policy(&self, resource: &str, change: Change) -> Result<Policy, Status> {
        self.policies.change(|policies| {
            self.pools.look(|pools| {
                let accounts = &*self.accounts;
                policies.set(resource, change, Principals { accounts, pools })
            })
        })
    }

    /// Makes a workload identity pool; gives its name.
    ///
    /// # Errors
    /// Not allowed, there is one, or a pool that cannot be.
    pub fn create_pool(&self, context: &Context, request: CreatePool) -> Result<String, Status> {
        let CreatePool {
            project,
            location,
            id,
            pool,
        } = request;
        self.demand_project(context, "iam.workloadIdentityPools.create", &project)?;
        let parent = self.pools_of(&project, &location)?;
        self.pools
            .change(|pools| pools.add_pool(&parent, &id, pool))
    }

    /// Makes a provider in a pool; gives its name.
    ///
    /// # Errors
    /// Not allowed, no such pool, there is one, or a provider that cannot be.
    pub fn create_provider(
        &self,
        context: &Context,
        request: CreateProvider,
    ) -> Result<String, Status> {
        let CreateProvider {
            project,
            location,
            pool,
            id,
            provider,
        } = request;
        let permission = "iam.workloadIdentityPoolProviders.create";
        self.demand_project(context, permission, &project)?;
        let pool = format!("{}/{pool}", self.pools_of(&project, &location)?);
        self.pools
            .change(|pools| pools.add_provider(&pool, &id, provider))?;
        Ok(format!("{pool}/providers/{id}"))
    }

    /// A provider that admits tokens.
    pub fn provider(&self, pool: &str, id: &str) -> Option<Provider> {
        self.pools.look(|pools| pools.provider(pool, id).cloned())
    }

    /// Makes a service account in a project.
    ///
    /// # Errors
    /// Not allowed, there is one, or no account can have that ID.
    pub fn create_service_account(
        &self,
        context: &Context,
        project: &str,
        id: &str,
        account: ServiceAccount,
    ) -> Result<ServiceAccount, Status> {
        self.demand_project(context, "iam.serviceAccounts.create", project)?;
        self.accounts.add_service_account(project, id, account)
    }

    /// A service account that was made.
    ///
    /// # Errors
    /// Not allowed, or there is none.
    pub fn service_account(
        &self,
        context: &Context,
        project: &str,
        address: &str,
    ) -> Result<ServiceAccount, Status> {
        self.demand_project(context, "iam.serviceAccounts.get", project)?;
        let found = self.accounts.service_account(address);
        found.ok_or_else(|| Status::not_found(format!("Unknown service account {address}")))
    }

    fn demand_project(
        &self,
        context: &Context,
        permission: &str,
        project: &str,
    ) -> Result<(), Status> {
        let resource = format!("projects/{project}");
        self.demand(context, permission, &[&resource])
    }

    /// What the names of a project's pools begin with; its number stands in them.
    fn pools_of(&self, project: &str, location: &str) -> Result<String, Status> {
        location::check_global(location)?;
        let number = self.accounts.number(project);
        let number = number.ok_or_else(|| Status::no_project(project))?;
        Ok(format!(
            "projects/{number}/locations/{location}/workloadIdentityPools"
        ))
    }
}
