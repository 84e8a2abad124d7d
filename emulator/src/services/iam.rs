//! IAM v1: policies on resources, read and written with etags; workload identity pools, which admit
//! external identities; service accounts; and custom roles.

mod condition;
mod containers;
mod member;
mod policies;
mod policy;
mod pools;
mod projects;
mod provider;
mod role;
mod roles;
mod service_accounts;

use std::sync::Arc;

use google::ProjectNumber;

use super::Context;
use super::accounts::{Accounts, Caller};
use crate::state::Stored;
use crate::status::Status;

pub use self::condition::Condition;
pub use self::member::Principals;
pub use self::policies::Policies;
pub use self::policy::{Binding, Change, Policy};
pub use self::pools::{CreatePool, CreateProvider};
pub use self::provider::{Alteration, Existence, Oidc, Pool, Pools, Provider, Providers};
pub use self::role::Grantable;
pub use self::role::custom::{CustomRole, CustomRoles, RoleField, RoleShown, Stage};
pub use self::role::permissions;
pub use self::role::predefined::{self, Predefined};
pub use self::roles::{RoleChange, RoleName};

/// Identity and Access Management.
pub struct Iam {
    accounts: Arc<Accounts>,
    pools: Stored<Pools>,
    policies: Stored<Policies>,
    roles: Stored<CustomRoles>,
}

impl Iam {
    /// A service with these pools, policies and custom roles.
    pub fn new(
        accounts: Arc<Accounts>,
        pools: Stored<Pools>,
        policies: Stored<Policies>,
        roles: Stored<CustomRoles>,
    ) -> Self {
        Self {
            accounts,
            pools,
            policies,
            roles,
        }
    }

    /// Checks that the caller has the permission on the first of `resources`; the others are its parents.
    ///
    /// # Errors
    /// No policy on a resource, its project or what the project is in grants the permission. The error names it.
    pub fn demand(
        &self,
        context: &Context,
        permission: &str,
        resources: &[&str],
    ) -> Result<(), Status> {
        let resource = resources.first().copied().unwrap_or_default();
        let project = resource.split('/').nth(1).unwrap_or_default();
        self.demand_of(context, permission, project, resources)
    }

    /// Checks the permission on resources whose names do not contain their project.
    ///
    /// # Errors
    /// As [`Self::demand`].
    pub fn demand_of(
        &self,
        context: &Context,
        permission: &str,
        project: &str,
        resources: &[&str],
    ) -> Result<(), Status> {
        let resource = resources.first().copied().unwrap_or_default();
        // Every resource inherits the policy of its project, and those of what the project is in.
        let above = self.project_chain(project);
        let all = resources.iter().copied();
        let all: Vec<_> = all.chain(above.iter().map(String::as_str)).collect();
        match self.is_granted(context, permission, &all) {
            true => Ok(()),
            false => Err(Status::denied(permission, resource)),
        }
    }

    /// Whether a policy on one of `resources` (a resource and its parents) grants the caller the permission.
    fn is_granted(&self, context: &Context, permission: &str, resources: &[&str]) -> bool {
        let Context { caller, now } = context;
        let is_admitted = match caller {
            Caller::Federated(federated) => self.pools.look(|pools| pools.admits(&federated.pool)),
            Caller::ServiceAccount(_) => true,
        };
        is_admitted
            && self.policies.look(|policies| {
                self.roles
                    .look(|roles| policies.allow(roles, caller, permission, resources, *now))
            })
    }

    /// The policy of a resource in the requested policy version.
    ///
    /// # Errors
    /// The version does not exist.
    pub fn policy(&self, resource: &str, version: u32) -> Result<Policy, Status> {
        self.policies
            .look(|policies| policies.get(resource, version))
    }

    /// Replaces the policy of a resource.
    ///
    /// # Errors
    /// The policy was changed since it was read, or the new policy is invalid.
    pub fn set_policy(&self, resource: &str, change: Change) -> Result<Policy, Status> {
        let project = resource.split('/').nth(1).unwrap_or_default();
        self.set_policy_within(&self.project_chain(project), resource, change)
    }

    /// Replaces the policy of a resource whose name does not contain its project.
    ///
    /// # Errors
    /// As [`Self::set_policy`].
    pub fn set_policy_of(
        &self,
        project: &str,
        resource: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        self.set_policy_within(&self.project_chain(project), resource, change)
    }

    /// Replaces the policy of a resource of these `owners`, whose custom roles it can name.
    fn set_policy_within(
        &self,
        owners: &[String],
        resource: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        let accounts = &*self.accounts;
        self.policies.change(|policies| {
            self.pools.look(|pools| {
                self.roles.look(|custom| {
                    let roles = Grantable { custom, owners };
                    let principals = Principals {
                        accounts,
                        pools,
                        roles,
                    };
                    policies.set(resource, change, principals)
                })
            })
        })
    }

    /// A project that is named by ID or number, its folders and its organisation, from the inside out; empty if there is no such
    /// project.
    fn project_chain(&self, project: &str) -> Vec<String> {
        let own = self.accounts.project_id(project);
        let own = own.map(|id| format!("projects/{id}"));
        let above = self.accounts.above(project).iter().map(ToString::to_string);
        own.into_iter().chain(above).collect()
    }

    /// The resources with policies, of those for which `is_meant`.
    pub fn resources(&self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        self.policies.look(|policies| {
            let resources = policies.resources();
            resources.filter(|one| is_meant(one)).cloned().collect()
        })
    }

    /// Removes the policy of a resource that was deleted.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn forget_policy(&self, resource: &str) -> Result<(), Status> {
        self.policies.change(|policies| {
            policies.remove(resource);
            Ok(())
        })
    }

    /// The permissions, of those that are asked for, that the caller has on the first of `resources`; the others are its parents.
    pub fn permitted(
        &self,
        context: &Context,
        asked: &[String],
        resources: &[&str],
    ) -> Vec<String> {
        let asked = asked.iter();
        let is_permitted =
            |permission: &&String| self.demand(context, permission, resources).is_ok();
        asked.filter(is_permitted).cloned().collect()
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

    /// The number of a project that is named by ID or number.
    ///
    /// # Errors
    /// The project does not exist.
    pub fn project(&self, name: &str) -> Result<ProjectNumber, Status> {
        let number = self.accounts.number(name);
        let number = number.and_then(|number| number.parse().ok());
        number.ok_or_else(|| Status::no_project(name))
    }

    /// The ID of a project that is named by ID or number.
    ///
    /// # Errors
    /// The project does not exist.
    pub fn project_id(&self, name: &str) -> Result<String, Status> {
        let id = self.accounts.project_id(name);
        id.ok_or_else(|| Status::no_project(name))
    }
}
