//! Custom roles of projects and organisations (IAM v1).

use std::collections::BTreeMap;

use google::Role;

use super::role::custom::{CustomRole, RoleField, RoleShown, unknown};
use super::{Context, Iam};
use crate::status::Status;

/// Custom roles as a request names them.
#[derive(Clone, Copy, Debug)]
pub struct RoleName<'a> {
    /// `projects` or `organizations`.
    pub collection: &'a str,
    /// The project, by ID or number, or the number of the organisation.
    pub owner: &'a str,
    /// The ID of the role.
    pub id: &'a str,
}

/// A change of a custom role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RoleChange {
    /// These fields change.
    Update(Vec<RoleField>),
    /// It is deleted.
    Delete,
    /// It is deleted no longer.
    Undelete,
}

impl Iam {
    /// Creates a custom role.
    ///
    /// # Errors
    /// The caller lacks the permission, the role exists already, or it or its name is invalid.
    pub fn create_role(
        &self,
        context: &Context,
        name: RoleName<'_>,
        role: CustomRole,
    ) -> Result<RoleShown, Status> {
        let owner = self.demand_roles(context, "create", name)?;
        let name: Role = format!("{owner}/roles/{}", name.id).parse().map_err(|_| {
            Status::invalid(format!(
                "The role_id {} is invalid: it must match [a-zA-Z0-9_.]{{3,64}}.",
                name.id
            ))
        })?;
        self.roles.change(|roles| roles.create(&name, role))
    }

    /// A custom role, also if it is deleted.
    ///
    /// # Errors
    /// The caller lacks the permission, or the role does not exist.
    pub fn custom_role(&self, context: &Context, name: RoleName<'_>) -> Result<RoleShown, Status> {
        let name = self.role_name(context, "get", name)?;
        self.roles.look(|roles| roles.get(&name))
    }

    /// The custom roles of an owner by name, also those that are deleted.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn custom_roles(
        &self,
        context: &Context,
        name: RoleName<'_>,
    ) -> Result<BTreeMap<String, RoleShown>, Status> {
        let owner = self.demand_roles(context, "list", name)?;
        Ok(self.roles.look(|roles| roles.list(&owner)))
    }

    /// Changes a custom role. An empty `etag` is that of any state.
    ///
    /// # Errors
    /// The caller lacks the permission, the role does not exist, has another etag, or is deleted or not, or the new role is invalid.
    pub fn change_role(
        &self,
        context: &Context,
        name: RoleName<'_>,
        change: RoleChange,
        etag: &str,
    ) -> Result<RoleShown, Status> {
        let what = match change {
            RoleChange::Update(_) => "update",
            RoleChange::Delete => "delete",
            RoleChange::Undelete => "undelete",
        };
        let name = self.role_name(context, what, name)?;
        self.roles.change(|roles| match change {
            RoleChange::Update(fields) => roles.update(&name, fields, etag),
            RoleChange::Delete => roles.delete(&name, etag),
            RoleChange::Undelete => roles.undelete(&name, etag),
        })
    }

    fn role_name(&self, context: &Context, what: &str, name: RoleName<'_>) -> Result<Role, Status> {
        let owner = self.demand_roles(context, what, name)?;
        let name = format!("{owner}/roles/{}", name.id);
        name.parse().map_err(|_| unknown(&name))
    }

    /// Checks a permission on the owner of roles, and returns its name: a project has its ID in it.
    fn demand_roles(
        &self,
        context: &Context,
        what: &str,
        name: RoleName<'_>,
    ) -> Result<String, Status> {
        let permission = format!("iam.roles.{what}");
        let owner = format!("{}/{}", name.collection, name.owner);
        match name.collection {
            "projects" => {
                self.demand(context, &permission, &[&owner])?;
                Ok(format!("projects/{}", self.project_id(name.owner)?))
            }
            _ => {
                self.demand_within(context, &permission, &owner)?;
                Ok(owner)
            }
        }
    }
}
