//! IAM policies of Cloud KMS keys and key rings.

use std::time::Duration;

use console::hint::Hinted;
use google::kms::Key;
use google_cloud_iam_v1::model::{GetPolicyOptions, Policy};
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::CryptoKey;
use grant::live;
use signer::{Credentials, Endpoint};

use crate::error::{AGAIN, Doing, SERVICE, code, describe_hint, opening, read_hint, write_hint};

/// The lowest policy version in which conditions are returned and kept.
const POLICY_VERSION: i32 = 3;
/// Time limit for one call, including the client's retries.
const PATIENCE: Duration = Duration::from_secs(15);

/// Policies of Cloud KMS keys and key rings.
#[derive(Clone, Debug)]
pub struct Policies(KeyManagementService);

/// The outcome of one write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Written {
    /// The policy was replaced.
    Yes,
    /// Another writer changed the policy: the etag was no longer that of the policy.
    Overtaken,
}

impl Policies {
    /// Connects with application default credentials.
    ///
    /// # Errors
    /// There are no credentials, or the client for the endpoint cannot be built.
    pub async fn connect(endpoint: Option<&Endpoint>) -> Result<Self, Hinted> {
        Self::open(endpoint, crate::credentials().await?).await
    }

    /// Connects with these credentials.
    ///
    /// # Errors
    /// The client for the endpoint cannot be built.
    pub async fn open(
        endpoint: Option<&Endpoint>,
        credentials: Credentials,
    ) -> Result<Self, Hinted> {
        let builder = KeyManagementService::builder().with_credentials(credentials);
        let builder = match endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.as_str()),
            None => builder,
        };
        let client = builder.build().await;
        client.map(Self).map_err(|error| opening(error, SERVICE))
    }

    /// Reads the policy of a key or key ring, with its conditions and its etag.
    ///
    /// # Errors
    /// It does not exist, its policy may not be read, or the service does not answer.
    pub async fn read(&self, resource: &str) -> Result<Policy, Hinted> {
        let options = GetPolicyOptions::new().set_requested_policy_version(POLICY_VERSION);
        let request = self.0.get_iam_policy();
        let request = request.set_resource(resource).set_options(options);
        let answer = in_time(Doing::Reading, resource, request.send()).await?;
        let policy = answer.map_err(|error| {
            let hint = read_hint(&error);
            Doing::Reading.failed(resource, error, hint)
        })?;
        match policy.etag.is_empty() {
            // A write without an etag would undo all changes that others have made since.
            true => Err(Doing::Reading.failed(resource, "no etag", AGAIN)),
            false => Ok(policy),
        }
    }

    /// Reads what a key is for, and how it is protected.
    ///
    /// # Errors
    /// It does not exist, may not be read, or the service does not answer.
    pub async fn key(&self, key: &Key) -> Result<live::Key, Hinted> {
        let name = key.to_string();
        let request = self.0.get_crypto_key().set_name(&name);
        let answer = in_time(Doing::Describing, &name, request.send()).await?;
        let found = answer.map_err(|error| {
            let hint = describe_hint(&error);
            Doing::Describing.failed(&name, error, hint)
        })?;
        Ok(described(&found))
    }

    /// Replaces the policy of a key or key ring, unless it has changed since it was read.
    ///
    /// # Errors
    /// The service refuses the policy, or does not answer: then it is unknown whether it was written.
    pub async fn write(&self, resource: &str, policy: Policy) -> Result<Written, Hinted> {
        let members = policy.bindings.iter().map(|b| b.members.len()).sum();
        let request = self.0.set_iam_policy();
        let request = request.set_resource(resource).set_policy(policy);
        match in_time(Doing::Writing, resource, request.send()).await? {
            Ok(_) => Ok(Written::Yes),
            Err(error) if code(&error).as_deref() == Some("ABORTED") => Ok(Written::Overtaken),
            Err(error) => {
                let hint = write_hint(&error, members);
                Err(Doing::Writing.failed(resource, error, hint))
            }
        }
    }
}

/// The policy as [`grant::inspect`] reads it.
pub(crate) fn live(policy: &Policy) -> live::Policy {
    let bindings = policy.bindings.iter().map(|binding| live::Binding {
        role: binding.role.clone(),
        members: binding.members.clone(),
        condition: binding.condition.as_ref().map(|condition| live::Condition {
            expression: condition.expression.clone(),
        }),
    });
    live::Policy {
        bindings: bindings.collect(),
    }
}

/// The names of purpose, protection level and state; names that this program does not know are `(unknown)`.
fn described(key: &CryptoKey) -> live::Key {
    let name = |name: Option<&str>| name.unwrap_or("(unknown)").to_owned();
    let (template, primary) = (key.version_template.as_ref(), key.primary.as_ref());
    let protection = template
        .map(|template| &template.protection_level)
        .or(primary.map(|primary| &primary.protection_level));
    live::Key {
        purpose: name(key.purpose.name()),
        protection: name(protection.and_then(|level| level.name())),
        primary: primary.map(|version| name(version.state.name())),
    }
}

/// Limits the time of a call: Google's client retries for minutes.
async fn in_time<T>(
    doing: Doing,
    resource: &str,
    answer: impl Future<Output = T>,
) -> Result<T, Hinted> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.map_err(|_| doing.silent(resource, PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests {
    use google_cloud_iam_v1::model::Binding;

    use super::*;

    #[test]
    fn members_and_conditions_are_what_is_judged() {
        let condition = serde_json::json!({"title": "t", "expression": "request.time < x"});
        let conditional =
            serde_json::json!({"role": "r", "members": ["a"], "condition": condition});
        let plain = Binding::new().set_role("r").set_members(["a", "b"]);
        let conditional = serde_json::from_value(conditional).unwrap();
        let live = live(&Policy::new().set_bindings([plain, conditional]));
        assert_eq!(live.bindings[0].members, ["a", "b"]);
        assert_eq!(live.bindings[0].condition, None);
        let condition = live.bindings[1].condition.as_ref().unwrap();
        assert_eq!(condition.expression, "request.time < x");
    }
}
