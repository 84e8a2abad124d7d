//! Edits the IAM policy of a Cloud KMS key.
//!
//! IAM cannot add a single member, only replace the whole policy. So the policy is read with its etag, some members are
//! changed, and the policy is written with that etag. If another writer has changed the policy in between, this
//! starts again.

use std::time::{Duration, Instant};

use console::hint::Hinted;

use google_cloud_gax::backoff_policy::BackoffPolicy;
use google_cloud_gax::exponential_backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
use google_cloud_gax::retry_state::RetryState;

use gcp::{Endpoint, Policies, Written};
use google::kms::Key;
use google_cloud_iam_v1::model::Policy;

use crate::grant::plan::Plan;

mod edit;
mod retire;

pub use edit::Edit;
pub use retire::{Fate, Retirement};

/// How long a write is retried if other writers change the policy at the same time.
const CONTENTION: Duration = Duration::from_secs(60);
/// The largest first pause and the largest pause at all. Pauses between attempts are random, so that writers that
/// collided do not collide again; the largest pause doubles with each attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
const OPENING: &str = "changing the key's policy";
const BUSY: &str = "another program keeps changing the policy: stop it, and repeat the command";

/// The result of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The policy was written.
    Written,
    /// The policy already was as requested.
    AlreadySo,
}

/// Policies of Cloud KMS keys.
#[derive(Clone, Debug)]
pub struct Keys(Policies);

impl Keys {
    /// Connects with application default credentials.
    ///
    /// # Errors
    /// There are no credentials, or the client for the endpoint cannot be built.
    pub async fn connect(endpoint: Option<&Endpoint>) -> Result<Self, Hinted> {
        let policies = Policies::connect(endpoint).await;
        policies.map(Self).map_err(|error| error.during(OPENING))
    }

    /// Checks that the policy of the key can be read, so that an error is found before anything is signed.
    ///
    /// # Errors
    /// There are no credentials, the key does not exist, or its policy may not be read.
    pub async fn check(&self, key: &Key) -> Result<(), Hinted> {
        let read = self.0.read(&key.to_string()).await;
        read.map(drop).map_err(|error| error.during(OPENING))
    }

    /// Says what the edits would change, one after the other. Nothing is written.
    ///
    /// # Errors
    /// The policy cannot be read.
    pub async fn plan(&self, key: &Key, edits: &[Edit]) -> Result<Plan, Hinted> {
        let read = self.0.read(&key.to_string()).await;
        let policy = read.map_err(|error| error.during("planning"))?;
        let edited = edits.iter().fold(policy.clone(), |policy, edit| {
            edit.apply(policy.clone()).unwrap_or(policy)
        });
        Ok(Plan::between(key, &policy, &edited))
    }

    /// The policy of a key or of a key ring, in the version that has conditions.
    ///
    /// # Errors
    /// The policy cannot be read.
    pub async fn policy(&self, resource: &str) -> Result<Policy, Hinted> {
        self.0.read(resource).await
    }

    /// Edits the policy of a key: the only way to change it. Repeating it changes nothing.
    ///
    /// # Errors
    /// The policy cannot be read or written.
    pub async fn apply(&self, key: &Key, edit: &Edit) -> Result<Change, Hinted> {
        self.change(&key.to_string(), edit).await
    }

    async fn change(&self, key: &str, edit: &Edit) -> Result<Change, Hinted> {
        let (begin, pauses) = (Instant::now(), pauses());
        let mut attempts = 0;
        loop {
            let policy = self.0.read(key).await?;
            let Some(edited) = edit.apply(policy) else {
                return Ok(Change::AlreadySo);
            };
            if self.0.write(key, edited).await? == Written::Yes {
                return Ok(Change::Written);
            }
            attempts += 1;
            let state = RetryState::new(true).set_attempt_count(attempts);
            let pause = pauses.on_failure(&state);
            if begin.elapsed() + pause > CONTENTION {
                return Err(contention(key, attempts));
            }
            tokio::time::sleep(pause).await;
        }
    }
}

fn pauses() -> ExponentialBackoff {
    let builder = ExponentialBackoffBuilder::new();
    let builder = builder.with_initial_delay(PAUSES[0]);
    builder.with_maximum_delay(PAUSES[1]).clamp()
}

/// Other writers were faster each time.
fn contention(key: &str, attempts: u32) -> Hinted {
    let seconds = CONTENTION.as_secs();
    let overtaken = format_args!(
        "other writers changed the policy during all {attempts} attempts in {seconds} seconds"
    );
    Hinted::new(format_args!("writing policy of {key}: {overtaken}")).hinting(BUSY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter";
    const OURS: &str = "principalSet://iam.googleapis.com/pool/attribute.image_digest/sha256:aa";

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

    /// A key service whose policy has `members`, and that answers the first writes with `refusals`.
    fn serve(members: usize, refusals: Vec<(u16, &'static str)>) -> Endpoint {
        let members: Vec<_> = (0..members)
            .map(|n| format!("user:{n}@example.com"))
            .collect();
        let bindings = serde_json::json!([{"role": "roles/owner", "members": members}]);
        let policy = serde_json::json!({"etag": "YQ==", "bindings": bindings});
        let mut refusals = refusals.into_iter();
        let url = testkit::http::service(move |request| {
            let path = request.split([' ', '?']).nth(1).unwrap_or_default();
            let refusal = match path.ends_with(":setIamPolicy") {
                true => refusals.next(),
                false => None,
            };
            match refusal {
                Some((status, name)) => {
                    let error =
                        serde_json::json!({"code": status, "message": "no", "status": name});
                    (status, serde_json::json!({"error": error}).to_string())
                }
                None => (200, policy.to_string()),
            }
        });
        url.parse().unwrap()
    }

    async fn grant(endpoint: &Endpoint) -> Result<Change, Hinted> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let anonymous = google_cloud_auth::credentials::anonymous::Builder::new().build();
        let policies = Policies::open(Some(endpoint), anonymous).await.unwrap();
        let keys = Keys(policies);
        let edit = Edit::Add {
            role: ROLE.to_owned(),
            member: OURS.to_owned(),
        };
        keys.change(KEY, &edit).await
    }

    #[tokio::test]
    async fn retries_while_other_writers_change_the_policy() {
        let endpoint = serve(1, vec![(409, "ABORTED"); 8]);
        let change = grant(&endpoint).await;
        assert!(matches!(change, Ok(Change::Written)), "{change:?}");
    }

    #[tokio::test]
    async fn says_why_a_policy_was_refused() {
        let invalid = vec![(400, "INVALID_ARGUMENT")];
        let hint = |error: Hinted| error.hint().unwrap();
        let full = grant(&serve(1500, invalid.clone())).await.unwrap_err();
        let start = format!("writing policy of {KEY}: ");
        assert!(full.to_string().starts_with(&start), "{full}");
        assert!(hint(full).contains("1500 members"));
        let other = grant(&serve(1, invalid)).await.unwrap_err();
        assert!(hint(other).contains("check that the pool and the role"));
        let denied = grant(&serve(1, vec![(403, "PERMISSION_DENIED")])).await;
        assert!(hint(denied.unwrap_err()).contains("setIamPolicy"));
    }

    #[test]
    fn pauses_grow_differ_and_have_a_limit() {
        let pauses = pauses();
        let pause =
            |attempts: u32| pauses.on_failure(&RetryState::new(true).set_attempt_count(attempts));
        let many = |attempts: u32| (0..50).map(|_| pause(attempts)).collect::<Vec<_>>();
        assert!(many(1).iter().all(|pause| *pause <= PAUSES[0]));
        let late = many(40);
        assert!(late.iter().all(|pause| *pause <= PAUSES[1]));
        assert!(late.iter().any(|pause| *pause > PAUSES[0]));
        assert!(late.iter().collect::<std::collections::BTreeSet<_>>().len() > 1);
    }
}
