//! Folders and organisations, and their policies, which all projects in them inherit (Resource Manager).

use super::{Binding, Change, Context, Iam, Policy};
use crate::services::accounts::Container;
use crate::status::Status;

const ADMIN: &str = "roles/resourcemanager.organizationAdmin";

impl Iam {
    /// Makes the owners of the projects in an organisation its administrators, unless it has a policy already.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn administer_organizations(&self) -> Result<(), Status> {
        let organizations = self.accounts.hierarchy().organizations();
        let owner = |id: &str| {
            let mut projects = self.accounts.projects();
            let owner = projects.find(|(known, _)| *known == id);
            owner.map(|(_, project)| format!("serviceAccount:{}", project.owner()))
        };
        self.policies.change(|policies| {
            for (organization, projects) in organizations {
                let binding = Binding {
                    role: ADMIN.to_owned(),
                    members: projects
                        .iter()
                        .filter_map(|id| owner(id.as_str()))
                        .collect(),
                    condition: None,
                };
                policies.found(&organization.to_string(), binding);
            }
            Ok::<_, Status>(())
        })
    }

    /// The folders and the organisation of a project that is named by ID or number, from the inside out.
    pub fn above(&self, project: &str) -> &[Container] {
        self.accounts.above(project)
    }

    /// `folders.get` and `organizations.get`: a folder or an organisation by its name, and what it is in, from the inside out.
    ///
    /// # Errors
    /// It does not exist, or the caller lacks the permission.
    pub fn container(&self, context: &Context, name: &str) -> Result<&[Container], Status> {
        self.demand_container(context, "get", name)
    }

    /// `getIamPolicy` of a folder or an organisation in the requested policy version.
    ///
    /// # Errors
    /// It or the version does not exist, or the caller lacks the permission.
    pub fn container_policy(
        &self,
        context: &Context,
        name: &str,
        version: u32,
    ) -> Result<Policy, Status> {
        self.demand_container(context, "getIamPolicy", name)?;
        self.policy(name, version)
    }

    /// `setIamPolicy` of a folder or an organisation.
    ///
    /// # Errors
    /// It does not exist, the caller lacks the permission, or the policy is invalid.
    pub fn set_container_policy(
        &self,
        context: &Context,
        name: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        let chain = self.demand_container(context, "setIamPolicy", name)?;
        self.set_policy_within(&names(chain), name, change)
    }

    /// `testIamPermissions` of a folder or an organisation: those that the caller has.
    pub fn container_permissions(
        &self,
        context: &Context,
        name: &str,
        asked: &[String],
    ) -> Vec<String> {
        let asked = asked.iter();
        let has = |permission: &&String| self.demand_within(context, permission, name).is_ok();
        asked.filter(has).cloned().collect()
    }

    /// Checks a permission on a folder or an organisation, and returns it and what it is in, from the inside out.
    ///
    /// # Errors
    /// The caller lacks the permission, or it does not exist.
    pub(super) fn demand_within(
        &self,
        context: &Context,
        permission: &str,
        name: &str,
    ) -> Result<&[Container], Status> {
        let chain = self.accounts.hierarchy().chain(name).unwrap_or_default();
        let all = names(chain);
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        match self.is_granted(context, permission, &all) {
            true => Ok(chain),
            false => Err(Status::denied(permission, name)),
        }
    }

    fn demand_container(
        &self,
        context: &Context,
        what: &str,
        name: &str,
    ) -> Result<&[Container], Status> {
        let collection = name.split('/').next().unwrap_or_default();
        self.demand_within(
            context,
            &format!("resourcemanager.{collection}.{what}"),
            name,
        )
    }
}

fn names(chain: &[Container]) -> Vec<String> {
    chain.iter().map(ToString::to_string).collect()
}
