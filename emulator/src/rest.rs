//! The cloud's interfaces as requests come in: who calls, what for, and which room answers.

mod call;
pub mod protojson;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub use self::call::Call;
use crate::attestation::Attestation;
use crate::location;
use crate::oauth::Refusal;
use crate::random;
use crate::services::accounts::{Accounts, Caller, Service};
use crate::services::iam::{self, Change, Policies, Pools, Principals};
use crate::services::kms::Keys;
use crate::services::pubsub::Queues;
use crate::services::sts;
use crate::status::Status;

/// The time in Unix seconds.
pub type Clock = fn() -> u64;

/// All state, behind one lock: a rehearsal needs no more.
pub struct Cloud {
    state: Mutex<State>,
    clock: Clock,
}

struct State {
    accounts: Accounts,
    policies: Policies,
    pools: Pools,
    keys: Keys,
    queues: Queues,
    attestation: Attestation,
}

impl Cloud {
    /// A cloud with these accounts.
    pub fn new(accounts: Accounts, attestation: Attestation, clock: Clock) -> Self {
        let state = State {
            accounts,
            attestation,
            policies: Policies::default(),
            pools: Pools::default(),
            keys: Keys::default(),
            queues: Queues::default(),
        };
        Self {
            state: Mutex::new(state),
            clock,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Identity and access management.
    ///
    /// # Errors
    /// Google's.
    pub fn iam(&self, call: &Call) -> Result<Value, Status> {
        let mut state = self.state();
        let caller = state.caller(call, Service::Iam, (self.clock)())?;
        let parts: Vec<_> = call.resource.split('/').collect();
        if let ["projects", project, "serviceAccounts", rest @ ..] = &parts[..] {
            return state.service_account(call, &caller, project, rest);
        }
        let (
            "POST",
            [
                "projects",
                project,
                "locations",
                location,
                "workloadIdentityPools",
                rest @ ..,
            ],
        ) = (call.method.as_str(), &parts[..])
        else {
            return Err(call.unknown());
        };
        if !state.accounts.owns(&caller, project) {
            let permission = "iam.workloadIdentityPools.create";
            return Err(Status::denied(permission, &format!("projects/{project}")));
        }
        location::check_global(location)?;
        let number = state.accounts.number(project).unwrap_or(project);
        let pools = format!("projects/{number}/locations/global/workloadIdentityPools");
        let name = match rest {
            [] => {
                let id = call.parameter("workloadIdentityPoolId");
                state.pools.add_pool(&pools, id, call.body.clone())?
            }
            [pool, "providers"] => {
                let (pool, id) = (
                    format!("{pools}/{pool}"),
                    call.parameter("workloadIdentityPoolProviderId"),
                );
                state.pools.add_provider(&pool, id, call.body.clone())?;
                format!("{pool}/providers/{id}")
            }
            _ => return Err(call.unknown()),
        };
        Ok(
            json!({"name": format!("{name}/operations/done"), "done": true, "response": {"name": name}}),
        )
    }

    /// Key management.
    ///
    /// # Errors
    /// Google's.
    pub fn kms(&self, call: &Call) -> Result<Value, Status> {
        let mut state = self.state();
        let now = (self.clock)();
        let caller = state.caller(call, Service::Kms, now)?;
        let resource = call.resource.as_str();
        let held = holders(resource);
        let demand =
            |state: &State, permission: &str| state.demand(&caller, permission, &held, now);
        match (call.method.as_str(), call.verb.as_str()) {
            ("POST", "encrypt") => {
                demand(&state, "cloudkms.cryptoKeyVersions.useToEncrypt")?;
                state.keys.encrypt(resource, &call.body)
            }
            ("POST", "decrypt") => {
                demand(&state, "cloudkms.cryptoKeyVersions.useToDecrypt")?;
                state.keys.decrypt(resource, &call.body)
            }
            ("POST", "asymmetricSign") => {
                demand(&state, "cloudkms.cryptoKeyVersions.useToSign")?;
                state.keys.sign(resource, &call.body)
            }
            ("GET", "") if resource.ends_with("/publicKey") => {
                demand(&state, "cloudkms.cryptoKeyVersions.viewPublicKey")?;
                state
                    .keys
                    .public_key(resource.trim_end_matches("/publicKey"))
            }
            ("GET", "getIamPolicy") | ("POST", "setIamPolicy") => {
                let kind = if resource.contains("/cryptoKeys/") {
                    "cryptoKeys"
                } else {
                    "keyRings"
                };
                demand(&state, &format!("cloudkms.{kind}.{}", call.verb))?;
                if !state.keys.has(resource) {
                    return Err(Status::not_found(format!("{resource} not found.")));
                }
                state.policy(call)
            }
            ("POST", "") => state.make_key(call, &caller, now),
            _ => Err(call.unknown()),
        }
    }

    /// Messages.
    ///
    /// # Errors
    /// Google's.
    pub fn pubsub(&self, call: &Call) -> Result<Value, Status> {
        let mut state = self.state();
        let now = (self.clock)();
        let caller = state.caller(call, Service::PubSub, now)?;
        let resource = call.resource.as_str();
        let kind = resource.split('/').nth(2).unwrap_or_default();
        let verb = call.verb.as_str();
        let permission = match (call.method.as_str(), kind, verb) {
            ("PUT", "topics" | "subscriptions", "") => "create",
            ("GET", "topics" | "subscriptions", "") => "get",
            ("GET", "topics" | "subscriptions", "getIamPolicy")
            | ("POST", "topics" | "subscriptions", "setIamPolicy") => verb,
            ("POST", "topics", "publish") => "publish",
            ("POST", "subscriptions", "pull" | "acknowledge" | "modifyAckDeadline") => "consume",
            _ => return Err(call.unknown()),
        };
        let demand = |permission: &str, resource: &str| {
            state.demand(&caller, &format!("pubsub.{permission}"), &[resource], now)
        };
        demand(&format!("{kind}.{permission}"), resource)?;
        if (kind, permission) == ("subscriptions", "create") {
            // Whoever owns the subscription reads what others publish to the topic.
            let topic = call.body["topic"].as_str().unwrap_or_default();
            demand("topics.attachSubscription", topic)?;
        }
        match (permission, verb) {
            ("create", _) if kind == "topics" => state.queues.add_topic(resource),
            ("create", _) => state.queues.add_subscription(resource, &call.body),
            (_, "publish") => state.queues.publish(resource, &call.body, now),
            (_, "pull") => state.queues.pull(resource, &call.body, now),
            (_, "acknowledge") => state.queues.acknowledge(resource, &call.body),
            (_, "modifyAckDeadline") => state.queues.modify(resource, &call.body, now),
            _ => match state.queues.get(resource).cloned() {
                None => Err(Status::not_found(format!(
                    "Resource not found (resource={resource})."
                ))),
                Some(found) if verb.is_empty() => Ok(found),
                Some(_) => state.policy(call),
            },
        }
    }

    /// The attestation service.
    ///
    /// # Errors
    /// Google's.
    pub fn attestation(&self, call: &Call) -> Result<Value, Status> {
        let attestation = &mut self.state().attestation;
        let now = (self.clock)();
        let location = call.resource.strip_suffix("/challenges");
        match (call.method.as_str(), call.verb.as_str(), location) {
            ("POST", "", Some(location)) => {
                location::check_region(location.rsplit('/').next().unwrap_or_default())?;
                attestation.challenge(location, now)
            }
            ("POST", "verifyConfidentialSpace", None) => {
                attestation.verify(&call.resource, call.body.clone(), now)
            }
            _ => Err(call.unknown()),
        }
    }

    /// The keys of the attestation service.
    pub fn key_set(&self) -> Value {
        self.state().attestation.key_set()
    }

    /// The token exchange.
    ///
    /// # Errors
    /// OAuth's.
    pub fn exchange(&self, fields: &BTreeMap<String, String>) -> Result<Value, Refusal> {
        let mut state = self.state();
        let request = sts::Request::new(fields);
        let now = (self.clock)();
        let federated = sts::exchange(&request, &state.pools, &state.attestation, now)?;
        let token = random::text().map_err(|_| Refusal::server())?;
        let token = format!("ya29.d.{token}");
        state.accounts.admit(&token, federated, now);
        Ok(sts::answer(&token))
    }
}

impl Cloud {
    /// An access token for an assertion of a service account. `token_uri` is where this is asked for.
    ///
    /// # Errors
    /// OAuth's.
    pub fn grant(
        &self,
        fields: &BTreeMap<String, String>,
        token_uri: &str,
    ) -> Result<Value, Refusal> {
        let now = (self.clock)();
        self.state().accounts.grant(fields, token_uri, now)
    }
}

impl State {
    fn caller(&self, call: &Call, service: Service, now: u64) -> Result<Caller, Status> {
        self.accounts.caller(call.bearer.as_deref(), service, now)
    }

    fn demand(
        &self,
        caller: &Caller,
        permission: &str,
        resources: &[&str],
        now: u64,
    ) -> Result<(), Status> {
        iam::demand(
            caller,
            permission,
            resources,
            &self.accounts,
            &self.policies,
            now,
        )
    }

    fn policy(&mut self, call: &Call) -> Result<Value, Status> {
        let policy = match call.verb.as_str() {
            "getIamPolicy" => {
                let version = call.query.get("options.requestedPolicyVersion");
                let version = version.map_or(Ok(1), |text| text.parse());
                let version = version.map_err(|_| Status::invalid("Invalid policy version."))?;
                self.policies.get(&call.resource, version)?
            }
            _ => {
                let change: Change = serde_json::from_value(call.body.clone())
                    .map_err(|error| Status::invalid(error.to_string()))?;
                let principals = Principals {
                    accounts: &self.accounts,
                    pools: &self.pools,
                };
                self.policies.set(&call.resource, change, principals)?
            }
        };
        serde_json::to_value(policy).map_err(|_| Status::internal())
    }

    fn service_account(
        &mut self,
        call: &Call,
        caller: &Caller,
        project: &str,
        rest: &[&str],
    ) -> Result<Value, Status> {
        let owned = self.accounts.owns(caller, project);
        let demand = |permission: &str| match owned {
            true => Ok(()),
            false => Err(Status::denied(permission, &format!("projects/{project}"))),
        };
        match (call.method.as_str(), rest) {
            ("POST", []) => {
                demand("iam.serviceAccounts.create")?;
                let request = serde_json::from_value(call.body.clone());
                let request = request.map_err(|e| Status::invalid(e.to_string()))?;
                self.accounts.add_service_account(project, request)
            }
            ("GET", [address]) => {
                demand("iam.serviceAccounts.get")?;
                let found = self.accounts.service_account(address).cloned();
                found.ok_or_else(|| Status::not_found(format!("Unknown service account {address}")))
            }
            _ => Err(call.unknown()),
        }
    }

    /// The keys, if there is such a location to have them in.
    fn keys_in(&mut self, location: &str) -> Result<&mut Keys, Status> {
        location::check_kms(location.rsplit('/').next().unwrap_or_default())?;
        Ok(&mut self.keys)
    }

    fn make_key(&mut self, call: &Call, caller: &Caller, now: u64) -> Result<Value, Status> {
        let (parent, kind) = call
            .resource
            .rsplit_once('/')
            .ok_or_else(|| call.unknown())?;
        self.demand(caller, &format!("cloudkms.{kind}.create"), &[parent], now)?;
        match kind {
            "keyRings" => self
                .keys_in(parent)?
                .add_ring(&format!("{parent}/keyRings/{}", call.id("keyRingId")?)),
            "cryptoKeys" => self
                .keys
                .add_key(parent, call.id("cryptoKeyId")?, &call.body),
            _ => Err(call.unknown()),
        }
    }
}

/// A key version's key, a key, and the ring that holds it: a policy on any of them counts.
fn holders(resource: &str) -> Vec<&str> {
    let key = resource
        .split("/cryptoKeyVersions/")
        .next()
        .unwrap_or(resource);
    let ring = key.split("/cryptoKeys/").next().unwrap_or(key);
    if ring == key {
        vec![key]
    } else {
        vec![key, ring]
    }
}
