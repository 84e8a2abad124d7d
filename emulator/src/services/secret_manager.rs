//! Secret Manager v1: secrets and their versions. Names in answers have the number of the project, however the caller named it.

mod annotations;
mod message;
mod secrets;

use std::sync::Arc;

use google::secret as names;
use google::{Project, ProjectNumber};

pub use self::annotations::Annotations;
pub use self::message::{
    Accessed, Checked, Notes, Replication, Secret, SecretUpdate, State, Version, VersionName,
};
pub use self::secrets::Secrets;
use super::Context;
use super::iam::{Change, Iam, Policy};
use crate::state::Stored;
use crate::status::Status;

/// The largest size of a secret, in bytes (Secret Manager, "Quotas and limits").
const LIMIT: usize = 64 << 10;

/// Secret Manager.
pub struct SecretManager {
    secrets: Stored<Secrets>,
    iam: Arc<Iam>,
}

impl SecretManager {
    /// A service with these secrets.
    pub fn new(secrets: Stored<Secrets>, iam: Arc<Iam>) -> Self {
        Self { secrets, iam }
    }

    /// `CreateSecret`, without a version.
    ///
    /// # Errors
    /// The caller lacks the permission, the ID is invalid, or the secret exists already.
    pub fn create(
        &self,
        context: &Context,
        project: &str,
        id: &str,
        replication: Replication,
        notes: Notes,
    ) -> Result<Secret, Status> {
        let number = self.demand_project(context, "secrets.create", project)?;
        let name = names::Secret::new(Project::Number(number), id).ok_or_else(|| {
            Status::invalid(format!(
                "Secret ID [{id}] must match the pattern [[a-zA-Z_0-9-]{{1,255}}]."
            ))
        })?;
        self.secrets
            .change(|secrets| secrets.create(&name, replication, notes, context.now))
    }

    /// `GetSecret`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the secret does not exist.
    pub fn get(&self, context: &Context, name: &names::Secret) -> Result<Secret, Status> {
        let name = self.demand(context, "secrets.get", name)?;
        self.secrets.look(|secrets| secrets.get(&name))
    }

    /// `ListSecrets` of a project.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn list(&self, context: &Context, project: &str) -> Result<Vec<Secret>, Status> {
        let number = self.demand_project(context, "secrets.list", project)?;
        Ok(self.secrets.look(|secrets| secrets.list(number)))
    }

    /// `UpdateSecret`. An empty `etag` is that of any state.
    ///
    /// # Errors
    /// The caller lacks the permission, the secret does not exist, or it has another etag.
    pub fn update(
        &self,
        context: &Context,
        name: &names::Secret,
        update: SecretUpdate,
        etag: &str,
    ) -> Result<Secret, Status> {
        let name = self.demand(context, "secrets.update", name)?;
        self.secrets
            .change(|secrets| secrets.update(&name, update, etag))
    }

    /// `DeleteSecret`, with all its versions. An empty `etag` is that of any state.
    ///
    /// # Errors
    /// The caller lacks the permission, the secret does not exist, or it has another etag.
    pub fn delete(
        &self,
        context: &Context,
        name: &names::Secret,
        etag: &str,
    ) -> Result<(), Status> {
        let name = self.demand(context, "secrets.delete", name)?;
        self.secrets.change(|secrets| secrets.delete(&name, etag))?;
        // A new secret of this name has no policy.
        self.iam.forget_policy(&name.to_string())
    }

    /// `AddSecretVersion`; `crc32c` is the checksum of the sender.
    ///
    /// # Errors
    /// The caller lacks the permission, the secret does not exist, or the data is empty, too large or corrupted.
    pub fn add_version(
        &self,
        context: &Context,
        name: &names::Secret,
        data: Vec<u8>,
        crc32c: Option<i64>,
    ) -> Result<Version, Status> {
        let name = self.demand(context, "versions.add", name)?;
        check(&data, crc32c)?;
        let checked = match crc32c {
            Some(_) => Checked::BySender,
            None => Checked::Not,
        };
        self.secrets
            .change(|secrets| secrets.add(&name, data, checked, context.now))
    }

    /// `GetSecretVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the version does not exist.
    pub fn get_version(&self, context: &Context, name: &VersionName) -> Result<Version, Status> {
        let name = self.demand_version(context, "versions.get", name)?;
        self.secrets.look(|secrets| secrets.version(&name))
    }

    /// `ListSecretVersions`, newest first.
    ///
    /// # Errors
    /// The caller lacks the permission, or the secret does not exist.
    pub fn list_versions(
        &self,
        context: &Context,
        name: &names::Secret,
    ) -> Result<Vec<Version>, Status> {
        let name = self.demand(context, "versions.list", name)?;
        self.secrets.look(|secrets| secrets.versions(&name))
    }

    /// `AccessSecretVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the version does not exist or is not enabled.
    pub fn access(&self, context: &Context, name: &VersionName) -> Result<Accessed, Status> {
        let name = self.demand_version(context, "versions.access", name)?;
        self.secrets.look(|secrets| secrets.access(&name))
    }

    /// `EnableSecretVersion`, `DisableSecretVersion` and `DestroySecretVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the version does not exist or was destroyed.
    pub fn set_state(
        &self,
        context: &Context,
        name: &VersionName,
        state: State,
    ) -> Result<Version, Status> {
        let permission = match state {
            State::Enabled => "versions.enable",
            State::Disabled => "versions.disable",
            State::Destroyed => "versions.destroy",
        };
        let name = self.demand_version(context, permission, name)?;
        self.secrets
            .change(|secrets| secrets.set_state(&name, state, context.now))
    }

    /// `GetIamPolicy` of a secret.
    ///
    /// # Errors
    /// The caller lacks the permission, or the secret or the policy version does not exist.
    pub fn policy(
        &self,
        context: &Context,
        name: &names::Secret,
        version: u32,
    ) -> Result<Policy, Status> {
        let name = self.demand(context, "secrets.getIamPolicy", name)?;
        self.secrets.look(|secrets| secrets.get(&name))?;
        self.iam.policy(&name.to_string(), version)
    }

    /// `SetIamPolicy` of a secret.
    ///
    /// # Errors
    /// The caller lacks the permission, the secret does not exist, or the policy is invalid.
    pub fn set_policy(
        &self,
        context: &Context,
        name: &names::Secret,
        change: Change,
    ) -> Result<Policy, Status> {
        let name = self.demand(context, "secrets.setIamPolicy", name)?;
        self.secrets.look(|secrets| secrets.get(&name))?;
        self.iam.set_policy(&name.to_string(), change)
    }

    fn demand_project(
        &self,
        context: &Context,
        permission: &str,
        project: &str,
    ) -> Result<ProjectNumber, Status> {
        let permission = format!("secretmanager.{permission}");
        let resource = format!("projects/{project}");
        self.iam.demand(context, &permission, &[&resource])?;
        self.iam.project(project)
    }

    /// Checks the permission on a secret, and returns its name with the number of the project.
    fn demand(
        &self,
        context: &Context,
        permission: &str,
        name: &names::Secret,
    ) -> Result<names::Secret, Status> {
        let permission = format!("secretmanager.{permission}");
        let named = self.numbered(name);
        let resource = named.as_ref().unwrap_or(name).to_string();
        let denied = |_| Status::denied_for(&permission, &name.to_string());
        self.iam
            .demand(context, &permission, &[&resource])
            .map_err(denied)?;
        named.ok_or_else(|| Status::no_project(&name.project().to_string()))
    }

    fn demand_version(
        &self,
        context: &Context,
        permission: &str,
        name: &VersionName,
    ) -> Result<VersionName, Status> {
        let permission = format!("secretmanager.{permission}");
        let named = self.numbered(&name.secret);
        let secret = named.as_ref().unwrap_or(&name.secret).to_string();
        let version = format!("{secret}/versions/{}", name.version);
        let denied = |_| Status::denied_for(&permission, &name.to_string());
        self.iam
            .demand(context, &permission, &[&version, &secret])
            .map_err(denied)?;
        let secret = named.ok_or_else(|| Status::no_project(&name.secret.project().to_string()))?;
        Ok(VersionName {
            secret,
            version: name.version.clone(),
        })
    }

    /// The name of a secret with the number of its project; `None` if there is no such project.
    fn numbered(&self, name: &names::Secret) -> Option<names::Secret> {
        let number = self.iam.project(&name.project().to_string()).ok()?;
        names::Secret::new(Project::Number(number), name.id())
    }
}

fn check(data: &[u8], crc32c: Option<i64>) -> Result<(), Status> {
    if data.is_empty() {
        return Err(Status::invalid("Secret Payload cannot be empty."));
    }
    if data.len() > LIMIT {
        return Err(Status::invalid(format!(
            "Secret Payload cannot exceed {LIMIT} bytes."
        )));
    }
    let actual = i64::from(crc32c::crc32c(data));
    match crc32c.is_none_or(|expected| expected == actual) {
        true => Ok(()),
        false => Err(Status::invalid(
            "The checksum in field payload.data_crc32c did not match the data in field payload.data.",
        )),
    }
}

#[cfg(test)]
mod tests;
