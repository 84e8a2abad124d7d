//! Service accounts other than the owners (IAM v1, `projects.serviceAccounts`).

use content::json::null_is_default;
use serde::{Deserialize, Serialize};

use super::ProjectId;
use crate::project::number;
use crate::protojson::Ignored;
use crate::status::Status;

/// A service account (IAM v1, `ServiceAccount`). Requests set only display name and description.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ServiceAccount {
    #[serde(deserialize_with = "null_is_default")]
    name: String,
    #[serde(alias = "project_id", deserialize_with = "null_is_default")]
    project_id: String,
    #[serde(alias = "unique_id", deserialize_with = "null_is_default")]
    unique_id: String,
    /// The address of the account.
    #[serde(deserialize_with = "null_is_default")]
    pub email: String,
    #[serde(alias = "display_name", deserialize_with = "null_is_default")]
    display_name: String,
    #[serde(skip_serializing)]
    etag: Ignored<String>,
    #[serde(deserialize_with = "null_is_default")]
    description: String,
    #[serde(alias = "oauth2_client_id", deserialize_with = "null_is_default")]
    oauth2_client_id: String,
    #[serde(skip_serializing)]
    disabled: Ignored<bool>,
}

impl ServiceAccount {
    /// The ID of its project.
    pub fn project(&self) -> &str {
        &self.project_id
    }

    /// The account with this ID in a project, with display name and description of `self`.
    ///
    /// # Errors
    /// The ID is invalid.
    pub(super) fn named(self, project: &ProjectId, account_id: &str) -> Result<Self, Status> {
        if !is_account_id(account_id) {
            return Err(Status::invalid(format!(
                "Invalid value for account_id: {account_id}. It must be 6-30 characters long, and \
                 match the regular expression `[a-z]([-a-z0-9]*[a-z0-9])`."
            )));
        }
        let address = format!("{account_id}@{project}.iam.gserviceaccount.com");
        let number = format!("1{:020}", number(&address));
        Ok(Self {
            name: format!("projects/{project}/serviceAccounts/{address}"),
            project_id: project.to_string(),
            unique_id: number.clone(),
            email: address,
            oauth2_client_id: number,
            ..self
        })
    }
}

/// Whether Google creates the account with a project of this number (IAM, "Service agents", "Default
/// service accounts").
pub(super) fn is_of_google(number: &str, address: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::accounts;

    #[test]
    fn an_account_exists_once_it_is_created() {
        let accounts = accounts();
        let address = "operator@project.iam.gserviceaccount.com";
        assert!(!accounts.has_service_account(address));
        let make = |project: &str, id: &str| {
            let made = accounts.add_service_account(project, id, ServiceAccount::default());
            made.map_err(|status| status.code)
        };
        let made = make("project", "operator").unwrap();
        assert_eq!(made.email, address);
        assert!(accounts.has_service_account(address));
        assert_eq!(accounts.service_account(address), Some(made));
        assert_eq!(make("project", "operator"), Err(409));
        assert_eq!(make("nothing", "operator"), Err(403));
        for id in ["short", "Upper1", "hyphen-", "1letter", "under_score"] {
            assert_eq!(make("project", id), Err(400), "{id}");
        }
    }

    #[test]
    fn accounts_of_google_exist_for_known_projects() {
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
