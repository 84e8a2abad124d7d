//! Workload identity pools and their providers.

use google::{ProjectNumber, identity};

use super::{Alteration, Context, Existence, Iam, Pool, Provider, Providers};
use crate::location;
use crate::status::Status;

/// The request `CreateWorkloadIdentityPool`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreatePool {
    /// The project, by ID or number.
    pub project: String,
    /// The location; only `global` exists.
    pub location: String,
    /// The ID of the pool.
    pub id: String,
    /// The new pool.
    pub pool: Pool,
}

/// The request `CreateWorkloadIdentityPoolProvider`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreateProvider {
    /// The project, by ID or number.
    pub project: String,
    /// The location; only `global` exists.
    pub location: String,
    /// The ID of the pool.
    pub pool: String,
    /// The ID of the provider.
    pub id: String,
    /// The new provider.
    pub provider: Provider,
}

impl Iam {
    /// Creates a workload identity pool and returns its name.
    ///
    /// # Errors
    /// The caller lacks the permission, the pool exists already, or the request is invalid.
    pub fn create_pool(
        &self,
        context: &Context,
        request: CreatePool,
    ) -> Result<identity::Pool, Status> {
        let CreatePool {
            project,
            location,
            id,
            pool,
        } = request;
        self.demand_project(context, "iam.workloadIdentityPools.create", &project)?;
        let number = self.number(&project, &location)?;
        self.pools.change(|pools| pools.add_pool(number, &id, pool))
    }

    /// Creates a provider in a pool and returns its name.
    ///
    /// # Errors
    /// The caller lacks the permission, the pool does not exist, the provider exists already, or the
    /// request is invalid.
    pub fn create_provider(
        &self,
        context: &Context,
        request: CreateProvider,
    ) -> Result<identity::Provider, Status> {
        let CreateProvider {
            project,
            location,
            pool,
            id,
            provider,
        } = request;
        let permission = "iam.workloadIdentityPoolProviders.create";
        self.demand_project(context, permission, &project)?;
        let pool = identity::Pool::new(self.number(&project, &location)?, &pool);
        let pool = pool.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        self.pools
            .change(|pools| pools.add_provider(&pool, &id, provider))
    }

    /// A workload identity pool, with its name.
    ///
    /// # Errors
    /// The caller lacks the permission, or the pool does not exist.
    pub fn get_pool(
        &self,
        context: &Context,
        [project, location, pool]: [&str; 3],
    ) -> Result<(identity::Pool, Pool, Existence), Status> {
        self.demand_project(context, "iam.workloadIdentityPools.get", project)?;
        let name = identity::Pool::new(self.number(project, location)?, pool);
        let found = name.and_then(|name| {
            self.pools.look(|pools| {
                let found = pools.get_pool(&name)?.clone();
                let existence = pools.pool_existence(&name);
                Some((name, found, existence))
            })
        });
        found.ok_or_else(|| Status::not_found("Requested entity was not found."))
    }

    /// Changes a pool and returns its name.
    ///
    /// # Errors
    /// The caller lacks the permission, or the pool does not exist or cannot be changed in this way.
    pub fn alter_pool(
        &self,
        context: &Context,
        [project, location, pool]: [&str; 3],
        change: &Alteration,
    ) -> Result<identity::Pool, Status> {
        let permission = format!("iam.workloadIdentityPools.{}", verb(change));
        self.demand_project(context, &permission, project)?;
        let name = identity::Pool::new(self.number(project, location)?, pool);
        let name = name.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        self.pools.change(|pools| pools.alter_pool(&name, change))?;
        Ok(name)
    }

    /// Changes a provider and returns its name.
    ///
    /// # Errors
    /// As [`Self::alter_pool`].
    pub fn alter_provider(
        &self,
        context: &Context,
        [project, location, pool, id]: [&str; 4],
        change: &Alteration,
    ) -> Result<identity::Provider, Status> {
        let permission = format!("iam.workloadIdentityPoolProviders.{}", verb(change));
        self.demand_project(context, &permission, project)?;
        let pool = identity::Pool::new(self.number(project, location)?, pool);
        let name = pool.and_then(|pool| identity::Provider::new(pool, id));
        let name = name.ok_or_else(|| Status::not_found("Requested entity was not found."))?;
        self.pools
            .change(|pools| pools.alter_provider(&name, change))?;
        Ok(name)
    }

    /// The providers of a pool by ID, also those that are deleted, with the name of the pool.
    ///
    /// # Errors
    /// The caller lacks the permission, or the pool does not exist.
    pub fn list_providers(
        &self,
        context: &Context,
        [project, location, pool]: [&str; 3],
    ) -> Result<(identity::Pool, Providers), Status> {
        let permission = "iam.workloadIdentityPoolProviders.list";
        self.demand_project(context, permission, project)?;
        let name = identity::Pool::new(self.number(project, location)?, pool);
        let found = name.and_then(|name| {
            let found = self.pools.look(|pools| pools.all_providers(&name));
            found.map(|found| (name, found))
        });
        found.ok_or_else(|| Status::not_found("Requested entity was not found."))
    }

    /// A provider of a pool, with its name.
    ///
    /// # Errors
    /// The caller lacks the permission, or the provider does not exist.
    pub fn get_provider(
        &self,
        context: &Context,
        [project, location, pool, id]: [&str; 4],
    ) -> Result<(identity::Provider, Provider, Existence), Status> {
        let permission = "iam.workloadIdentityPoolProviders.get";
        self.demand_project(context, permission, project)?;
        let pool = identity::Pool::new(self.number(project, location)?, pool);
        let name = pool.and_then(|pool| identity::Provider::new(pool, id));
        let found = name.and_then(|name| {
            self.pools.look(|pools| {
                let found = pools.get_provider(&name)?.clone();
                let existence = pools.provider_existence(&name);
                Some((name, found, existence))
            })
        });
        found.ok_or_else(|| Status::not_found("Requested entity was not found."))
    }

    /// A provider; `None` if it or its pool is disabled or does not exist.
    pub fn provider(&self, name: &identity::Provider) -> Option<Provider> {
        self.pools.look(|pools| pools.provider(name).cloned())
    }

    /// The number of a project, for a pool in this location.
    fn number(&self, project: &str, location: &str) -> Result<ProjectNumber, Status> {
        location::check_global(location)?;
        self.project(project)
    }
}

/// The part of a permission that names a change.
fn verb(change: &Alteration) -> &'static str {
    match change {
        Alteration::Patch { .. } => "update",
        Alteration::Delete => "delete",
        Alteration::Undelete => "undelete",
    }
}
