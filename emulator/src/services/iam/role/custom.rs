//! Custom roles of projects and organisations (IAM v1, `Role`). A deleted role keeps its ID, and is kept for ever here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use google::Role;
use serde::{Deserialize, Serialize};

use super::permissions::is_permission;
use crate::services::iam::Existence;
use crate::status::Status;

/// The largest number of permissions of a role (IAM quotas).
const MOST: usize = 3000;
/// The largest length of a title, in characters (IAM v1, `Role.title`).
const TITLE: usize = 100;
/// The largest length of a description, in characters (IAM v1, `Role.description`).
const DESCRIPTION: usize = 300;

/// What a custom role says and allows.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CustomRole {
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The permissions.
    pub permissions: Vec<String>,
    /// The stage.
    pub stage: Stage,
}

/// The stage of a role (`RoleLaunchStage`). A disabled role has no effect.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// An early preview.
    #[default]
    Alpha,
    /// A preview.
    Beta,
    /// In general use.
    Ga,
    /// No more to be used.
    Deprecated,
    /// Without effect.
    Disabled,
    /// For a few.
    Eap,
}

/// A field of a role that an update changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RoleField {
    /// The title.
    Title(String),
    /// The description.
    Description(String),
    /// The permissions.
    Permissions(Vec<String>),
    /// The stage.
    Stage(Stage),
}

/// A custom role as an answer shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleShown {
    /// The name.
    pub name: Role,
    /// What it says and allows.
    pub role: CustomRole,
    /// Another one after each change.
    pub etag: String,
    /// Whether it is deleted.
    pub is_deleted: bool,
}

/// Custom roles by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct CustomRoles {
    roles: BTreeMap<Role, Kept>,
    changes: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Kept {
    role: CustomRole,
    change: u64,
    is_deleted: bool,
}

impl Kept {
    fn show(&self, name: &Role) -> RoleShown {
        RoleShown {
            name: name.clone(),
            role: self.role.clone(),
            etag: STANDARD.encode(self.change.to_be_bytes()),
            is_deleted: self.is_deleted,
        }
    }
}

impl CustomRoles {
    /// Whether a role contains a permission, and has an effect.
    pub fn has(&self, role: &str, permission: &str) -> bool {
        self.effective(role)
            .is_some_and(|role| role.permissions.iter().any(|held| held == permission))
    }

    /// A role that is neither deleted nor disabled.
    fn effective(&self, role: &str) -> Option<&CustomRole> {
        let kept = self.roles.get(&role.parse::<Role>().ok()?)?;
        (!kept.is_deleted && kept.role.stage != Stage::Disabled).then_some(&kept.role)
    }

    /// The permissions of a role that can be granted; `None` if no role has this name, or it is deleted.
    pub fn permissions(&self, role: &str) -> Option<&[String]> {
        let kept = self.roles.get(&role.parse::<Role>().ok()?)?;
        (!kept.is_deleted).then_some(&kept.role.permissions)
    }

    /// Creates a role.
    ///
    /// # Errors
    /// The role exists already, also if it is deleted, or is invalid.
    pub fn create(&mut self, name: &Role, role: CustomRole) -> Result<RoleShown, Status> {
        match self.roles.get(name) {
            Some(kept) if kept.is_deleted => {
                return Err(Status::precondition(format!(
                    "You can't create a role with the name {name}: a role of this name is in a deleted state."
                )));
            }
            Some(_) => {
                return Err(Status::exists(format!(
                    "A role named {name} already exists."
                )));
            }
            None => {}
        }
        role.check()?;
        Ok(self.keep(name, role, Existence::Active))
    }

    /// A role, also if it is deleted.
    ///
    /// # Errors
    /// The role does not exist.
    pub fn get(&self, name: &Role) -> Result<RoleShown, Status> {
        Ok(self.find(name)?.show(name))
    }

    /// The roles of an owner, `projects/ID` or `organizations/NUMBER`, by name, also those that are deleted.
    pub fn list(&self, owner: &str) -> BTreeMap<String, RoleShown> {
        let beginning = format!("{owner}/roles/");
        let own = self.roles.iter();
        own.filter(|(name, _)| name.as_str().starts_with(&beginning))
            .map(|(name, kept)| (name.to_string(), kept.show(name)))
            .collect()
    }

    /// Changes fields of a role. An empty `etag` is that of any state.
    ///
    /// # Errors
    /// The role does not exist, is deleted or has another etag, or the new role is invalid.
    pub fn update(
        &mut self,
        name: &Role,
        fields: Vec<RoleField>,
        etag: &str,
    ) -> Result<RoleShown, Status> {
        let mut role = self.changeable(name, etag, Existence::Active)?;
        for field in fields {
            match field {
                RoleField::Title(title) => role.title = title,
                RoleField::Description(description) => role.description = description,
                RoleField::Permissions(permissions) => role.permissions = permissions,
                RoleField::Stage(stage) => role.stage = stage,
            }
        }
        role.check()?;
        Ok(self.keep(name, role, Existence::Active))
    }

    /// Deletes a role, whose bindings have no effect until it is undeleted.
    ///
    /// # Errors
    /// The role does not exist, is deleted already or has another etag.
    pub fn delete(&mut self, name: &Role, etag: &str) -> Result<RoleShown, Status> {
        let role = self.changeable(name, etag, Existence::Active)?;
        Ok(self.keep(name, role, Existence::Deleted))
    }

    /// Takes a deletion back.
    ///
    /// # Errors
    /// The role does not exist, is not deleted or has another etag.
    pub fn undelete(&mut self, name: &Role, etag: &str) -> Result<RoleShown, Status> {
        let role = self.changeable(name, etag, Existence::Deleted)?;
        Ok(self.keep(name, role, Existence::Active))
    }

    fn find(&self, name: &Role) -> Result<&Kept, Status> {
        self.roles.get(name).ok_or_else(|| unknown(name.as_str()))
    }

    /// A role in this state, and with this etag unless it is empty.
    fn changeable(
        &self,
        name: &Role,
        etag: &str,
        existence: Existence,
    ) -> Result<CustomRole, Status> {
        let kept = self.find(name)?;
        if !etag.is_empty() && etag != kept.show(name).etag {
            return Err(Status::aborted());
        }
        match (kept.is_deleted, existence) {
            (true, Existence::Active) => Err(Status::precondition(format!(
                "The role named {name} is deleted."
            ))),
            (false, Existence::Deleted) => Err(Status::precondition(format!(
                "The role named {name} is not deleted."
            ))),
            _ => Ok(kept.role.clone()),
        }
    }

    fn keep(&mut self, name: &Role, role: CustomRole, existence: Existence) -> RoleShown {
        self.changes += 1;
        let kept = Kept {
            role,
            change: self.changes,
            is_deleted: existence == Existence::Deleted,
        };
        let shown = kept.show(name);
        self.roles.insert(name.clone(), kept);
        shown
    }
}

/// There is no role of this name, in Google's words.
pub fn unknown(name: &str) -> Status {
    Status::not_found(format!("The role named {name} was not found."))
}

impl CustomRole {
    fn check(&self) -> Result<(), Status> {
        if self.title.chars().count() > TITLE {
            return Err(Status::invalid(format!(
                "The role title must not be longer than {TITLE} characters."
            )));
        }
        if self.description.chars().count() > DESCRIPTION {
            return Err(Status::invalid(format!(
                "The role description must not be longer than {DESCRIPTION} characters."
            )));
        }
        if self.permissions.len() > MOST {
            return Err(Status::invalid(format!(
                "A role cannot have more than {MOST} permissions."
            )));
        }
        let mut permissions = self.permissions.iter();
        match permissions.find(|permission| !is_permission(permission)) {
            Some(other) => Err(Status::invalid(format!("Permission {other} is not valid."))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECRYPT: &str = "cloudkms.cryptoKeyVersions.useToDecrypt";

    fn name(text: &str) -> Role {
        text.parse().unwrap()
    }

    fn opener() -> CustomRole {
        CustomRole {
            title: "Opener".to_owned(),
            permissions: vec![DECRYPT.to_owned()],
            ..CustomRole::default()
        }
    }

    #[test]
    fn a_role_has_an_effect_unless_it_is_disabled_or_deleted() {
        let (mut roles, role) = (CustomRoles::default(), name("projects/p/roles/opener"));
        assert!(!roles.has(role.as_str(), DECRYPT));
        let first = roles.create(&role, opener()).unwrap();
        assert!(roles.has(role.as_str(), DECRYPT));
        assert!(!roles.has(role.as_str(), "cloudkms.keyRings.get"));
        let disabled = vec![RoleField::Stage(Stage::Disabled)];
        let second = roles.update(&role, disabled, &first.etag).unwrap();
        assert!(!roles.has(role.as_str(), DECRYPT));
        let stale = roles.update(&role, Vec::new(), &first.etag).unwrap_err();
        assert_eq!((stale.code, stale.name), (409, "ABORTED"));
        let enabled = vec![RoleField::Stage(Stage::Ga)];
        roles.update(&role, enabled, &second.etag).unwrap();
        assert!(roles.delete(&role, "").unwrap().is_deleted);
        assert!(!roles.has(role.as_str(), DECRYPT));
        for refused in [
            roles.delete(&role, ""),
            roles.create(&role, opener()),
            roles.update(&role, Vec::new(), ""),
        ] {
            assert_eq!(refused.unwrap_err().name, "FAILED_PRECONDITION");
        }
        assert_eq!(roles.list("projects/p").len(), 1);
        assert!(roles.list("projects/other").is_empty());
        roles.undelete(&role, "").unwrap();
        assert!(roles.has(role.as_str(), DECRYPT));
        assert!(roles.undelete(&role, "").is_err());
        assert_eq!(roles.create(&role, opener()).unwrap_err().code, 409);
    }

    #[test]
    fn an_invalid_role_is_refused_and_changes_nothing() {
        let (mut roles, role) = (CustomRoles::default(), name("organizations/3/roles/own"));
        for wrong in [
            CustomRole {
                permissions: vec!["cloudkms.*".to_owned()],
                ..opener()
            },
            CustomRole {
                title: "t".repeat(TITLE + 1),
                ..opener()
            },
            CustomRole {
                description: "d".repeat(DESCRIPTION + 1),
                ..opener()
            },
            CustomRole {
                permissions: vec![DECRYPT.to_owned(); MOST + 1],
                ..opener()
            },
        ] {
            assert_eq!(roles.create(&role, wrong).unwrap_err().code, 400);
        }
        assert_eq!(roles.get(&role).unwrap_err().code, 404);
        roles.create(&role, opener()).unwrap();
        let wrong = vec![RoleField::Permissions(vec!["a".to_owned()])];
        assert_eq!(roles.update(&role, wrong, "").unwrap_err().code, 400);
        assert_eq!(roles.get(&role).unwrap().role, opener());
    }
}
