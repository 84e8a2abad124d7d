//! Service accounts, their keys (IAM v1) and their access tokens (IAM Credentials v1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::json::null_is_default;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::page::{Page, Sizes};
use super::super::policy;
use crate::clock::rfc3339;
use crate::protojson::{Enumeration, Ignored};
use crate::services::Context;
use crate::services::accounts::{AccountKey, ServiceAccount};
use crate::services::iam::Iam;
use crate::status::Status;

/// Accounts per page (IAM v1, `projects.serviceAccounts.list`).
const PAGE: Sizes = Sizes {
    default: 20,
    most: 100,
};

/// The body of `projects.serviceAccounts.create`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Create {
    name: Ignored<String>,
    #[serde(alias = "account_id", deserialize_with = "null_is_default")]
    account_id: String,
    #[serde(alias = "service_account", deserialize_with = "null_is_default")]
    service_account: ServiceAccount,
}

/// The body of `keys.create`. One kind of key is emulated: a file for Google's clients.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct CreateKey {
    name: Ignored<String>,
    #[serde(alias = "private_key_type")]
    private_key_type: Enumeration,
    #[serde(alias = "key_algorithm")]
    key_algorithm: Enumeration,
}

/// The body of `generateAccessToken`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct GenerateAccessToken {
    name: Ignored<String>,
    delegates: Ignored<Vec<String>>,
    #[serde(deserialize_with = "null_is_default")]
    scope: Vec<String>,
    #[serde(deserialize_with = "null_is_default")]
    lifetime: String,
}

/// Answers a call below `projects/P/serviceAccounts`; `rest` follows that.
pub(super) fn answer(
    iam: &Iam,
    context: &Context,
    call: &Call,
    project: &str,
    rest: &[&str],
) -> Result<Value, Status> {
    match (call.method.as_str(), rest) {
        ("POST", []) => {
            let Create {
                account_id,
                service_account,
                ..
            } = call.message()?;
            let made =
                iam.create_service_account(context, project, &account_id, service_account)?;
            Ok(json!(made))
        }
        ("GET", []) => {
            let page = Page::read(call, PAGE)?;
            let found = iam.service_accounts(context, project)?.into_iter();
            let found = found.map(|account| (account.email.clone(), account));
            let (found, next) = page.of(found.collect());
            let accounts: Vec<_> = found.into_values().collect();
            Ok(json!({"accounts": accounts, "nextPageToken": next}))
        }
        (_, [address]) => of_account(iam, context, call, [project, address]),
        (_, [address, "keys", rest @ ..]) => keys(iam, context, call, [project, address], rest),
        _ => Err(call.unknown()),
    }
}

fn of_account(
    iam: &Iam,
    context: &Context,
    call: &Call,
    account: [&str; 2],
) -> Result<Value, Status> {
    match (call.method.as_str(), call.verb.as_str()) {
        ("GET", "") => Ok(json!(iam.service_account(context, account[0], account[1])?)),
        ("DELETE", "") => {
            iam.delete_service_account(context, account)?;
            Ok(json!({}))
        }
        ("POST", "getIamPolicy") => {
            let version = policy::version(call)?;
            policy::answer(&iam.account_policy(context, account, version)?)
        }
        ("POST", "setIamPolicy") => {
            let change = policy::change(call)?;
            policy::answer(&iam.set_account_policy(context, account, change)?)
        }
        ("POST", "generateAccessToken") => {
            let asked: GenerateAccessToken = call.message()?;
            let seconds = lifetime(&asked.lifetime)?;
            let token = iam.token_of(context, account, asked.scope, seconds)?;
            let expires = rfc3339(context.now + token.lifetime);
            Ok(json!({"accessToken": token.text, "expireTime": expires}))
        }
        _ => Err(call.unknown()),
    }
}

/// A duration in the JSON mapping of Protocol Buffers, as in `3600s`; an hour by default.
fn lifetime(text: &str) -> Result<u64, Status> {
    let text = if text.is_empty() { "3600s" } else { text };
    let seconds = text
        .strip_suffix('s')
        .and_then(|seconds| seconds.parse().ok());
    seconds.ok_or_else(|| Status::invalid(format!("Invalid lifetime: {text}")))
}

fn keys(
    iam: &Iam,
    context: &Context,
    call: &Call,
    account: [&str; 2],
    rest: &[&str],
) -> Result<Value, Status> {
    let of_account = format!(
        "projects/{}/serviceAccounts/{}/keys",
        account[0], account[1]
    );
    let described = |(id, key): &(String, AccountKey)| {
        json!({
            "name": format!("{of_account}/{id}"),
            "keyAlgorithm": "KEY_ALG_RSA_2048",
            "keyOrigin": "GOOGLE_PROVIDED",
            "keyType": "USER_MANAGED",
            "validAfterTime": rfc3339(key.created),
            "validBeforeTime": "9999-12-31T23:59:59Z",
        })
    };
    match (call.method.as_str(), rest) {
        ("POST", []) => {
            let asked: CreateKey = call.message()?;
            let kind = [(2, "TYPE_GOOGLE_CREDENTIALS_FILE")];
            let algorithm = [(2, "KEY_ALG_RSA_2048")];
            match (
                asked.private_key_type.name(&kind),
                asked.key_algorithm.name(&algorithm),
            ) {
                ("" | "TYPE_GOOGLE_CREDENTIALS_FILE", "" | "KEY_ALG_RSA_2048") => {}
                _ => {
                    return Err(Status::unimplemented(
                        "Another kind of key is not emulated.",
                    ));
                }
            }
            let (id, file) = iam.create_key(context, account)?;
            Ok(json!({
                "name": format!("{of_account}/{id}"),
                "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
                "privateKeyData": STANDARD.encode(file),
                "keyAlgorithm": "KEY_ALG_RSA_2048",
                "validAfterTime": rfc3339(context.now),
                "validBeforeTime": "9999-12-31T23:59:59Z",
            }))
        }
        ("GET", []) => {
            let found = iam.keys(context, account)?;
            Ok(json!({"keys": found.iter().map(described).collect::<Vec<_>>()}))
        }
        ("GET", [id]) => {
            let found = iam.keys(context, account)?;
            let found = found.iter().find(|(known, _)| known == id);
            found.map(described).ok_or_else(|| {
                Status::not_found(format!("Service account key {id} does not exist."))
            })
        }
        ("DELETE", [id]) => {
            iam.delete_key(context, account, id)?;
            Ok(json!({}))
        }
        _ => Err(call.unknown()),
    }
}
