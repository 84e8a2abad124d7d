//! Service accounts: made, listed and deleted, with keys, and with tokens for those who may act as them.

use super::{Change, Context, Iam, Policy};
use crate::services::accounts::{AccessToken, AccountKey, ServiceAccount};
use crate::status::Status;

/// The longest lifetime of an access token, in seconds (IAM Credentials v1, `generateAccessToken`).
const LIFETIME: u64 = 3600;

impl Iam {
    /// Creates a service account in a project.
    ///
    /// # Errors
    /// The caller lacks the permission, the account exists already, or its ID is invalid.
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

    /// A service account that was created. `project` is `-` for the one that its address names.
    ///
    /// # Errors
    /// The caller lacks the permission, or the account does not exist.
    pub fn service_account(
        &self,
        context: &Context,
        project: &str,
        address: &str,
    ) -> Result<ServiceAccount, Status> {
        self.account(context, "iam.serviceAccounts.get", [project, address])?;
        let found = self.accounts.service_account(address);
        found.ok_or_else(|| unknown(address))
    }

    /// The service accounts of a project, by address.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn service_accounts(
        &self,
        context: &Context,
        project: &str,
    ) -> Result<Vec<ServiceAccount>, Status> {
        self.demand_project(context, "iam.serviceAccounts.list", project)?;
        Ok(self.accounts.service_accounts(&self.project_id(project)?))
    }

    /// Deletes a service account with its keys. A policy that names it has no effect any more.
    ///
    /// # Errors
    /// The caller lacks the permission, or the account does not exist.
    pub fn delete_service_account(
        &self,
        context: &Context,
        account: [&str; 2],
    ) -> Result<(), Status> {
        let resource = self.account(context, "iam.serviceAccounts.delete", account)?;
        self.accounts.delete_service_account(account[1])?;
        self.forget_policy(&resource)
    }

    /// Creates a key of a service account; its ID, and the text of a key file.
    ///
    /// # Errors
    /// The caller lacks the permission, or the account does not exist or has too many keys.
    pub fn create_key(
        &self,
        context: &Context,
        account: [&str; 2],
    ) -> Result<(String, String), Status> {
        self.account(context, "iam.serviceAccountKeys.create", account)?;
        self.accounts.add_key(account[1], context.now)
    }

    /// The keys of a service account by ID.
    ///
    /// # Errors
    /// The caller lacks the permission, or the account does not exist.
    pub fn keys(
        &self,
        context: &Context,
        account: [&str; 2],
    ) -> Result<Vec<(String, AccountKey)>, Status> {
        self.account(context, "iam.serviceAccountKeys.list", account)?;
        self.accounts.keys(account[1])
    }

    /// Deletes a key of a service account.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such key.
    pub fn delete_key(
        &self,
        context: &Context,
        account: [&str; 2],
        id: &str,
    ) -> Result<(), Status> {
        self.account(context, "iam.serviceAccountKeys.delete", account)?;
        self.accounts.delete_key(account[1], id)
    }

    /// `generateAccessToken`: a token of a service account for a caller who may act as it, for at most `seconds`.
    ///
    /// # Errors
    /// The caller lacks the permission, the account does not exist, or the lifetime is too long or there is no scope.
    pub fn token_of(
        &self,
        context: &Context,
        account: [&str; 2],
        scopes: Vec<String>,
        seconds: u64,
    ) -> Result<AccessToken, Status> {
        self.account(context, "iam.serviceAccounts.getAccessToken", account)?;
        if scopes.is_empty() {
            return Err(Status::invalid("Scope must be provided."));
        }
        if !(1..=LIFETIME).contains(&seconds) {
            return Err(Status::invalid(format!(
                "Invalid lifetime: it must be at least 1 s, and at most {LIFETIME} s."
            )));
        }
        self.accounts
            .act_as(account[1], scopes, context.now, seconds)
    }

    /// `getIamPolicy` of a service account.
    ///
    /// # Errors
    /// The caller lacks the permission, or the account or the policy version does not exist.
    pub fn account_policy(
        &self,
        context: &Context,
        account: [&str; 2],
        version: u32,
    ) -> Result<Policy, Status> {
        let resource = self.account(context, "iam.serviceAccounts.getIamPolicy", account)?;
        self.policy(&resource, version)
    }

    /// `setIamPolicy` of a service account.
    ///
    /// # Errors
    /// The caller lacks the permission, the account does not exist, or the policy is invalid.
    pub fn set_account_policy(
        &self,
        context: &Context,
        account: [&str; 2],
        change: Change,
    ) -> Result<Policy, Status> {
        let resource = self.account(context, "iam.serviceAccounts.setIamPolicy", account)?;
        self.set_policy(&resource, change)
    }

    /// Checks a permission on a service account, and returns its name as a resource. The permission is that on the project that is
    /// named, so the account must belong to it; `-` stands for the project of the account.
    fn account(
        &self,
        context: &Context,
        permission: &str,
        [project, address]: [&str; 2],
    ) -> Result<String, Status> {
        let home = self.accounts.home_of(address);
        let asked = match project {
            "-" => home.clone().or_else(|| domain_project(address)),
            project => self.accounts.project_id(project),
        };
        let asked = asked.unwrap_or_else(|| project.to_owned());
        let resource = format!("projects/{asked}/serviceAccounts/{address}");
        self.demand(context, permission, &[&resource])?;
        match home == Some(asked) {
            true => Ok(resource),
            false => Err(unknown(address)),
        }
    }
}

/// The project in the address of an account that does not exist.
fn domain_project(address: &str) -> Option<String> {
    let (_, domain) = address.split_once('@')?;
    let project = domain.strip_suffix(".iam.gserviceaccount.com")?;
    Some(project.to_owned())
}

fn unknown(address: &str) -> Status {
    Status::not_found(format!("Unknown service account {address}"))
}
