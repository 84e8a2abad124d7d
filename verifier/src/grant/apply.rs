//! The grant, written into the live policy of a Cloud KMS key.
//!
//! Google offers no way to add one member, only to set the whole policy. So: read it with its etag,
//! change our member and nothing else, write it back under that etag, and start again when someone
//! else wrote in between.

use std::time::Duration;

use google_cloud_iam_v1::model::{Binding as Granted, GetPolicyOptions, Policy};
use google_cloud_kms_v1::client::KeyManagementService;
use signer::KmsEndpoint;

use crate::binding::Binding;
use crate::grant::{Grant, KeyName};

/// Google's own samples try five times.
const ATTEMPTS: u32 = 5;
/// How long one call may take, retries of the client included.
const PATIENCE: Duration = Duration::from_secs(15);
/// Conditions are only returned, and only kept, from this version on.
const POLICY_VERSION: i32 = 3;
const WRITING: &str = "writing";

/// A change of a policy that did not happen, as far as we know.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The client cannot be made: no credentials, as a rule.
    #[error("opening the key service: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The policy cannot be read.
    #[error("reading policy of {key}: {source}")]
    Read {
        /// Of which key.
        key: String,
        /// What the service said.
        source: google_cloud_kms_v1::Error,
    },
    /// The policy cannot be written.
    #[error("writing policy of {key}: {source}")]
    Write {
        /// Of which key.
        key: String,
        /// What the service said.
        source: google_cloud_kms_v1::Error,
    },
    /// The service, or whoever hands out credentials, is still silent.
    #[error("{doing} policy of {key}: no answer within {seconds} seconds")]
    Silent {
        /// Reading or writing.
        doing: &'static str,
        /// Of which key.
        key: String,
        /// How long we waited.
        seconds: u64,
    },
    /// A write without an etag would undo whatever others wrote since.
    #[error("reading policy of {key}: no etag")]
    NoEtag {
        /// Of which key.
        key: String,
    },
    /// Somebody else kept writing.
    #[error("writing policy of {key}: overtaken {attempts} times by other writers")]
    Contention {
        /// Of which key.
        key: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl ApplyError {
    /// What the reader can do, by cause.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Silent { doing, .. } if *doing == WRITING => UNKNOWN,
            Self::Client(_) | Self::Silent { .. } => CREDENTIALS,
            Self::Read { source, .. } => service_hint(source, AGAIN),
            Self::Write { source, .. } => service_hint(source, UNKNOWN),
            Self::NoEtag { .. } | Self::Contention { .. } => AGAIN,
        }
    }
}

const CREDENTIALS: &str = "the key service is asked with GOOGLE_APPLICATION_CREDENTIALS, at its public address or at --kms-endpoint";
const AGAIN: &str = "the policy is as it was or as others left it; the command can be repeated";
const UNKNOWN: &str =
    "whether the policy was written is not known: look at it, or repeat the command";

fn service_hint(error: &google_cloud_kms_v1::Error, otherwise: &'static str) -> &'static str {
    if error.is_authentication() {
        return CREDENTIALS;
    }
    match error.status().map(|status| status.code.name()) {
        Some("NOT_FOUND") => "is the key of the grant spelled as Cloud KMS has it?",
        Some("PERMISSION_DENIED") => {
            "the credentials need cloudkms.cryptoKeys.getIamPolicy and setIamPolicy on the key"
        }
        Some("UNAUTHENTICATED") => CREDENTIALS,
        _ => otherwise,
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The policy was written.
    Written,
    /// It said so already.
    AlreadySo,
}

/// Policies of Cloud KMS keys.
#[derive(Clone, Debug)]
pub struct Keys(KeyManagementService);

impl Keys {
    /// Connects with application default credentials.
    ///
    /// # Errors
    /// No credentials, or an endpoint that is none.
    pub async fn connect(endpoint: Option<&KmsEndpoint>) -> Result<Self, ApplyError> {
        let builder = KeyManagementService::builder();
        let builder = match endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.as_str()),
            None => builder,
        };
        let client = builder.build().await;
        client
            .map(Self)
            .map_err(|error| ApplyError::Client(Box::new(error)))
    }

    /// Reads the policy of the key once and changes nothing: what cannot be read later cannot be
    /// written either, and is better known before anything is signed.
    ///
    /// # Errors
    /// No credentials, no such key, or no leave to read its policy.
    pub async fn check(&self, key: &KeyName) -> Result<(), ApplyError> {
        self.read(&key.to_string()).await.map(drop)
    }

    /// Grants. Repeating it changes nothing.
    ///
    /// # Errors
    /// The policy cannot be read or written.
    pub async fn add(&self, binding: &Binding) -> Result<Change, ApplyError> {
        let (role, member) = (binding.role(), binding.member());
        self.change(&binding.key().to_string(), &|policy| {
            add(policy, role, member)
        })
        .await
    }

    /// Takes the grant for `digest` away. Repeating it changes nothing.
    ///
    /// # Errors
    /// The policy cannot be read or written.
    pub async fn remove(
        &self,
        grant: &Grant,
        digest: &content::Digest,
    ) -> Result<Change, ApplyError> {
        let (role, member) = (grant.role(), grant.member(digest));
        self.change(&grant.key().to_string(), &|policy| {
            remove(policy, role, &member)
        })
        .await
    }

    async fn change(
        &self,
        key: &str,
        edit: &(dyn Fn(Policy) -> Option<Policy> + Sync),
    ) -> Result<Change, ApplyError> {
        for _ in 0..ATTEMPTS {
            let policy = self.read(key).await?;
            let Some(edited) = edit(policy) else {
                return Ok(Change::AlreadySo);
            };
            let request = self.0.set_iam_policy().set_resource(key).set_policy(edited);
            match in_time(WRITING, key, request.send()).await? {
                Ok(_) => return Ok(Change::Written),
                Err(error) if is_aborted(&error) => {}
                Err(source) => {
                    let key = key.to_owned();
                    return Err(ApplyError::Write { key, source });
                }
            }
        }
        Err(ApplyError::Contention {
            key: key.to_owned(),
            attempts: ATTEMPTS,
        })
    }

    async fn read(&self, key: &str) -> Result<Policy, ApplyError> {
        let options = GetPolicyOptions::new().set_requested_policy_version(POLICY_VERSION);
        let request = self
            .0
            .get_iam_policy()
            .set_resource(key)
            .set_options(options);
        let answer = in_time("reading", key, request.send()).await?;
        let policy = answer.map_err(|source| ApplyError::Read {
            key: key.to_owned(),
            source,
        })?;
        match policy.etag.is_empty() {
            true => Err(ApplyError::NoEtag {
                key: key.to_owned(),
            }),
            false => Ok(policy),
        }
    }
}

/// Google's client tries for minutes, also when there are no credentials at all.
async fn in_time<T>(
    doing: &'static str,
    key: &str,
    answer: impl Future<Output = T>,
) -> Result<T, ApplyError> {
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.map_err(|_| ApplyError::Silent {
        doing,
        key: key.to_owned(),
        seconds: PATIENCE.as_secs(),
    })
}

/// 409 is also `ALREADY_EXISTS`, which no policy write answers.
fn is_aborted(error: &google_cloud_kms_v1::Error) -> bool {
    match error.status() {
        Some(status) => status.code.name() == "ABORTED",
        None => error.http_status_code() == Some(409),
    }
}

/// Adds `member`, to a binding without a condition; `None` when it is there already.
fn add(mut policy: Policy, role: &str, member: &str) -> Option<Policy> {
    let ours = |granted: &&mut Granted| granted.role == role && granted.condition.is_none();
    match policy.bindings.iter_mut().find(ours) {
        Some(granted) if granted.members.iter().any(|known| known == member) => return None,
        Some(granted) => granted.members.push(member.to_owned()),
        None => {
            let granted = Granted::new().set_role(role).set_members([member]);
            policy.bindings.push(granted);
        }
    }
    Some(keep_conditions(policy))
}

/// Removes `member` from the role, under any condition; `None` when it is not there. A binding that
/// had no other member goes with it, as the service refuses empty ones.
fn remove(mut policy: Policy, role: &str, member: &str) -> Option<Policy> {
    let mut removed = false;
    for granted in &mut policy.bindings {
        if granted.role == role {
            let before = granted.members.len();
            granted.members.retain(|known| known != member);
            removed |= granted.members.len() != before;
        }
    }
    policy
        .bindings
        .retain(|granted| granted.role != role || !granted.members.is_empty());
    removed.then(|| keep_conditions(policy))
}

/// A policy written at a version below 3 loses the conditions of everyone else.
fn keep_conditions(policy: Policy) -> Policy {
    let conditional = policy
        .bindings
        .iter()
        .any(|granted| granted.condition.is_some());
    match conditional {
        true => policy.set_version(POLICY_VERSION),
        false => policy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use google_cloud_iam_v1::model::AuditConfig;

    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";
    const OURS: &str = "principalSet://iam.googleapis.com/pool/attribute.image_digest/sha256:aa";

    fn foreign() -> Policy {
        let conditional = serde_json::json!({
            "role": ROLE,
            "members": ["user:other@example.com"],
            "condition": {"title": "office hours", "expression": "request.time.getHours() < 17"}
        });
        let plain = Granted::new()
            .set_role("roles/owner")
            .set_members(["user:boss@example.com"]);
        Policy::new()
            .set_etag("etag")
            .set_version(3)
            .set_audit_configs([AuditConfig::new().set_service("allServices")])
            .set_bindings([serde_json::from_value(conditional).unwrap(), plain])
    }

    #[test]
    fn adding_keeps_everything_that_is_not_ours() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(added.bindings[..2], foreign().bindings[..]);
        assert_eq!(added.audit_configs, foreign().audit_configs);
        assert_eq!((added.version, &added.etag), (3, &foreign().etag));
        assert_eq!(added.bindings[2].members, [OURS]);
        assert!(added.bindings[2].condition.is_none());
    }

    #[test]
    fn adding_twice_writes_once() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(add(added, ROLE, OURS), None);
    }

    #[test]
    fn removing_undoes_adding_and_no_more() {
        let added = add(foreign(), ROLE, OURS).unwrap();
        assert_eq!(remove(added, ROLE, OURS), Some(foreign()));
        assert_eq!(remove(foreign(), ROLE, OURS), None);
    }

    #[test]
    fn a_second_digest_joins_the_first() {
        let second = OURS.replace("sha256:aa", "sha256:bb");
        let added = add(add(foreign(), ROLE, OURS).unwrap(), ROLE, &second).unwrap();
        assert_eq!(added.bindings[2].members, [OURS, &second]);
        let left = remove(added, ROLE, OURS).unwrap();
        assert_eq!(left.bindings[2].members, [second]);
    }

    #[test]
    fn conditions_of_others_force_version_three() {
        let policy = foreign().set_version(0);
        assert_eq!(add(policy, ROLE, OURS).unwrap().version, 3);
    }
}
