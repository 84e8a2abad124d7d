//! What a metadata server knows about its machine.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::super::account::Account;
use super::super::attest::Machine;

/// The machine, and the account that it runs as.
#[derive(Clone)]
pub struct Facts {
    /// The machine.
    pub machine: Machine,
    /// The scopes of the account's access tokens.
    pub scopes: Vec<String>,
    /// The account.
    pub account: Option<Account>,
}

impl Facts {
    /// The value at a path below `/computeMetadata/v1/`; `None` if there is none.
    pub(super) fn get(&self, path: &str) -> Option<Response> {
        let machine = &self.machine;
        if let Some(path) = path.strip_prefix("instance/service-accounts/") {
            let email = machine.service_accounts.first()?;
            let (account, what) = path.split_once('/')?;
            return (account == "default" || account == email)
                .then(|| self.of_account(email, what))?;
        }
        let text = match path {
            "project/project-id" => machine.project.clone(),
            "project/numeric-project-id" => machine.project_number.clone(),
            "instance/id" => machine.id.clone(),
            "instance/name" | "instance/hostname" => machine.name.clone(),
            "instance/zone" => {
                format!("projects/{}/zones/{}", machine.project_number, machine.zone)
            }
            _ => return None,
        };
        Some(text.into_response())
    }

    fn of_account(&self, email: &str, what: &str) -> Option<Response> {
        match what {
            "email" => Some(email.to_owned().into_response()),
            "scopes" => Some(format!("{}\n", self.scopes.join("\n")).into_response()),
            "token" => {
                let (token, seconds) = self.account.as_ref()?()?;
                let body =
                    json!({"access_token": token, "expires_in": seconds, "token_type": "Bearer"});
                Some(Json(body).into_response())
            }
            _ => None,
        }
    }
}
