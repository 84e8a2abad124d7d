//! Projects and their policies, which all resources of a project inherit (Resource Manager).

use super::{Binding, Change, Context, Iam, Policy};
use crate::status::Status;

const OWNER: &str = "roles/owner";

impl Iam {
    /// Makes the owner of each project that has no policy its owner by policy. Nothing but policies says who may do what.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn own_projects(&self) -> Result<(), Status> {
        let owners = self.accounts.projects();
        let owners: Vec<_> = owners
            .map(|(id, project)| (format!("projects/{id}"), project.owner().to_owned()))
            .collect();
        self.policies.change(|policies| {
            for (resource, owner) in owners {
                policies.found(
                    &resource,
                    Binding {
                        role: OWNER.to_owned(),
                        members: vec![format!("serviceAccount:{owner}")],
                        condition: None,
                    },
                );
            }
            Ok::<_, Status>(())
        })
    }

    /// `projects.get`; the ID and the number of a project that is named by either.
    ///
    /// # Errors
    /// The project does not exist, or the caller lacks the permission.
    pub fn get_project(
        &self,
        context: &Context,
        project: &str,
    ) -> Result<(String, String), Status> {
        let id = self.reach(context, "get", project)?;
        let number = self.project(&id)?.to_string();
        Ok((id, number))
    }

    /// `projects.getIamPolicy` in the requested policy version.
    ///
    /// # Errors
    /// The project or the version does not exist, or the caller lacks the permission.
    pub fn project_policy(
        &self,
        context: &Context,
        project: &str,
        version: u32,
    ) -> Result<Policy, Status> {
        let id = self.reach(context, "getIamPolicy", project)?;
        self.policy(&format!("projects/{id}"), version)
    }

    /// `projects.setIamPolicy`.
    ///
    /// # Errors
    /// The project does not exist, the caller lacks the permission, or the policy is invalid or names no owner.
    pub fn set_project_policy(
        &self,
        context: &Context,
        project: &str,
        change: Change,
    ) -> Result<Policy, Status> {
        let id = self.reach(context, "setIamPolicy", project)?;
        let bindings = &change.policy.bindings;
        if !bindings
            .iter()
            .any(|binding| binding.role == OWNER && !binding.members.is_empty())
        {
            return Err(Status::invalid("A project must have at least one owner."));
        }
        self.set_policy(&format!("projects/{id}"), change)
    }

    /// `projects.testIamPermissions`: those that the caller has.
    pub fn project_permissions(
        &self,
        context: &Context,
        project: &str,
        asked: &[String],
    ) -> Vec<String> {
        match self.project_id(project) {
            Ok(id) => self.permitted(context, asked, &[&format!("projects/{id}")]),
            Err(_) => Vec::new(),
        }
    }

    fn reach(&self, context: &Context, what: &str, project: &str) -> Result<String, Status> {
        let id = self.project_id(project)?;
        let permission = format!("resourcemanager.projects.{what}");
        self.demand(context, &permission, &[&format!("projects/{id}")])?;
        Ok(id)
    }
}
