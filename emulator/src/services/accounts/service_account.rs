//! Service accounts besides the owners: they exist, and policies can name them (IAM v1,
//! `projects.serviceAccounts`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Accounts;
use crate::project::number;
use crate::status::Status;

/// `projects.serviceAccounts.create` (IAM v1, `CreateServiceAccountRequest`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateServiceAccount {
    account_id: String,
    #[serde(default)]
    service_account: Words,
}

/// What a service account says about itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Words {
    display_name: String,
    description: String,
}

impl Accounts {
    /// Makes a service account in a project, named by ID or number.
    ///
    /// # Errors
    /// No such project, there is one, or no account can have that ID.
    pub fn add_service_account(
        &mut self,
        project: &str,
        request: CreateServiceAccount,
    ) -> Result<Value, Status> {
        let CreateServiceAccount {
            account_id,
            service_account,
        } = request;
        let id = self
            .id(project)
            .ok_or_else(|| Status::no_project(project))?;
        if !is_account_id(&account_id) {
            return Err(Status::invalid(format!(
                "Invalid value for account_id: {account_id}. It must be 6-30 characters long, and \
                 match the regular expression `[a-z]([-a-z0-9]*[a-z0-9])`."
            )));
        }
        let address = format!("{account_id}@{id}.iam.gserviceaccount.com");
        if self.has_service_account(&address) {
            return Err(Status::exists(format!(
                "Service account {account_id} already exists within project projects/{id}."
            )));
        }
        let account = json!({
            "name": format!("projects/{id}/serviceAccounts/{address}"),
            "projectId": id.as_str(),
            "uniqueId": format!("1{:020}", number(&address)),
            "email": address,
            "displayName": service_account.display_name,
            "description": service_account.description,
            "oauth2ClientId": format!("1{:020}", number(&address)),
        });
        self.service_accounts.insert(address, account.clone());
        Ok(account)
    }

    /// A service account that was made.
    pub fn service_account(&self, address: &str) -> Option<&Value> {
        self.service_accounts.get(address)
    }

    /// Whether a policy can name this service account: an owner, one that was made, or one that Google
    /// makes with a project.
    pub fn has_service_account(&self, address: &str) -> bool {
        let mut projects = self.projects.values();
        self.service_accounts.contains_key(address)
            || projects
                .any(|project| project.owner == address || is_of_google(&project.number, address))
    }
}

/// The accounts that Google makes by a project's number (IAM, "Service agents", "Default service
/// accounts").
fn is_of_google(number: &str, address: &str) -> bool {
    let Some((name, domain)) = address.split_once('@') else {
        return false;
    };
    let is_default =
        domain == "developer.gserviceaccount.com" && name == format!("{number}-compute");
    let is_agent = domain.ends_with(".iam.gserviceaccount.com")
        && domain.starts_with("gcp-sa-")
        && name == format!("service-{number}");
    is_default || is_agent
}

fn is_account_id(text: &str) -> bool {
    let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (6..=30).contains(&text.len())
        && text.bytes().all(is_known)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
}

/// Service accounts by address, as they are described.
pub(super) type ServiceAccounts = BTreeMap<String, Value>;

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        let folder = tempfile::tempdir().unwrap();
        let mut accounts = Accounts::default();
        let id = "project".parse().unwrap();
        accounts
            .add_project(&id, folder.path(), "http://sts/token")
            .unwrap();
        accounts
    }

    fn request(id: &str) -> CreateServiceAccount {
        let body = json!({"accountId": id, "serviceAccount": {"displayName": "A"}});
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn an_account_exists_once_it_was_made() {
        let mut accounts = accounts();
        let address = "operator@project.iam.gserviceaccount.com";
        assert!(!accounts.has_service_account(address));
        let made = accounts
            .add_service_account("project", request("operator"))
            .unwrap();
        assert_eq!(made["email"], address);
        assert!(accounts.has_service_account(address));
        assert_eq!(accounts.service_account(address), Some(&made));
        let code = |result: Result<Value, Status>| result.unwrap_err().code;
        assert_eq!(
            code(accounts.add_service_account("project", request("operator"))),
            409
        );
        assert_eq!(
            code(accounts.add_service_account("nothing", request("operator"))),
            403
        );
        for id in ["short", "Upper1", "hyphen-", "1letter", "under_score"] {
            assert_eq!(
                code(accounts.add_service_account("project", request(id))),
                400,
                "{id}"
            );
        }
    }

    #[test]
    fn googles_own_accounts_are_of_projects_that_exist() {
        let accounts = accounts();
        let number = accounts.number("project").unwrap().to_owned();
        for (number, exists) in [(number.as_str(), true), ("1", false)] {
            for address in [
                format!("{number}-compute@developer.gserviceaccount.com"),
                format!("service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"),
            ] {
                assert_eq!(accounts.has_service_account(&address), exists, "{address}");
            }
        }
        let other = format!("service-{number}@project.iam.gserviceaccount.com");
        assert!(!accounts.has_service_account(&other));
    }
}
