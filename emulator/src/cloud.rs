//! The cloud's interfaces as requests come in: who calls, what for, and which room answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use content::limits;
use serde_json::{Value, json};

use crate::accounts::{Accounts, Caller};
use crate::attestation::Attestation;
use crate::iam::{self, Policies, Policy, Pools};
use crate::kms::Keys;
use crate::pubsub::Queues;
use crate::random;
use crate::status::Status;
use crate::sts::{self, Refusal};

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

/// One call of one of Google's interfaces.
#[derive(Clone, Debug)]
pub struct Call {
    /// `GET`, `POST`, `PUT`.
    pub method: String,
    /// What stands behind `/v1/`, without the verb.
    pub resource: String,
    /// What stands behind the colon.
    pub verb: String,
    /// The parameters; those that begin with `$` are for the transport and play no part.
    pub query: BTreeMap<String, String>,
    /// The body, `null` if there is none.
    pub body: Value,
    /// The bearer token.
    pub bearer: Option<String>,
}

impl Call {
    /// Reads a call.
    ///
    /// # Errors
    /// Another path, or a body that is no JSON.
    pub fn read(
        method: &str,
        path: &str,
        query: BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Status> {
        let path = path
            .strip_prefix("/v1/")
            .ok_or_else(|| Status::not_found("Not Found"))?;
        let (resource, verb) = match path.rsplit_once('/') {
            Some((_, last)) if last.contains(':') => path.rsplit_once(':').unwrap_or((path, "")),
            _ => (path, ""),
        };
        let body = match body.is_empty() {
            true => Value::Null,
            false => content::json::parse(body, limits::HTTP_BODY)
                .map_err(|error| Status::invalid(error.to_string()))?,
        };
        let bearer = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        let bearer = bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned);
        let (method, resource, verb) = (method.to_owned(), resource.to_owned(), verb.to_owned());
        Ok(Self {
            method,
            resource,
            verb,
            query,
            body,
            bearer,
        })
    }

    fn unknown(&self) -> Status {
        let Self {
            method,
            resource,
            verb,
            ..
        } = self;
        Status::not_found(format!("Method not found: {method} {resource}:{verb}"))
    }

    fn id(&self, name: &str) -> Result<&str, Status> {
        let id = self.query.get(name).map(String::as_str).filter(|id| {
            !id.is_empty()
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        });
        id.ok_or_else(|| Status::invalid(format!("Invalid value for {name}.")))
    }
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
        let caller = state.caller(call, (self.clock)())?;
        let parts: Vec<_> = call.resource.split('/').collect();
        let (
            "POST",
            [
                "projects",
                project,
                "locations",
                "global",
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
        let number = state.accounts.number(project).unwrap_or(project);
        let pools = format!("projects/{number}/locations/global/workloadIdentityPools");
        let name = match rest {
            [] => {
                let name = format!("{pools}/{}", call.id("workloadIdentityPoolId")?);
                state.pools.add_pool(&name)?;
                name
            }
            [pool, "providers"] => {
                let (pool, id) = (
                    format!("{pools}/{pool}"),
                    call.id("workloadIdentityPoolProviderId")?,
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
        let caller = state.caller(call, now)?;
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
            ("GET" | "POST", "getIamPolicy" | "setIamPolicy") => {
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
        let caller = state.caller(call, now)?;
        let resource = call.resource.as_str();
        let kind = resource.split('/').nth(2).unwrap_or_default();
        let verb = call.verb.as_str();
        let permission = match (call.method.as_str(), kind, verb) {
            ("PUT", "topics" | "subscriptions", "") => "create",
            ("GET", "topics" | "subscriptions", "") => "get",
            ("GET" | "POST", "topics" | "subscriptions", "getIamPolicy" | "setIamPolicy") => verb,
            ("POST", "topics", "publish") => "publish",
            ("POST", "subscriptions", "pull" | "acknowledge" | "modifyAckDeadline") => "consume",
            _ => return Err(call.unknown()),
        };
        state.demand(
            &caller,
            &format!("pubsub.{kind}.{permission}"),
            &[resource],
            now,
        )?;
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
        let mut state = self.state();
        match (call.method.as_str(), call.verb.as_str()) {
            ("POST", "") if call.resource.ends_with("/challenges") => state
                .attestation
                .challenge(call.resource.trim_end_matches("/challenges")),
            ("POST", "verifyConfidentialSpace") => {
                let now = (self.clock)();
                state
                    .attestation
                    .verify(&call.resource, call.body.clone(), now)
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
        let federated = sts::exchange(&request, &state.pools, &state.attestation, (self.clock)())?;
        let token = random::text().map_err(|_| Refusal::server())?;
        let token = format!("ya29.d.{token}");
        state.accounts.admit(&token, federated);
        Ok(sts::answer(&token))
    }
}

impl State {
    fn caller(&self, call: &Call, now: u64) -> Result<Caller, Status> {
        let caller = call
            .bearer
            .as_deref()
            .and_then(|bearer| self.accounts.caller(bearer, now));
        caller.ok_or_else(Status::unauthenticated)
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
                let version = version.and_then(|text| text.parse().ok()).unwrap_or(1);
                self.policies.get(&call.resource, version)
            }
            _ => {
                let policy: Policy = serde_json::from_value(call.body["policy"].clone())
                    .map_err(|error| Status::invalid(error.to_string()))?;
                self.policies.set(&call.resource, policy)?
            }
        };
        serde_json::to_value(policy).map_err(|_| Status::internal())
    }

    fn make_key(&mut self, call: &Call, caller: &Caller, now: u64) -> Result<Value, Status> {
        let (parent, kind) = call
            .resource
            .rsplit_once('/')
            .ok_or_else(|| call.unknown())?;
        self.demand(caller, &format!("cloudkms.{kind}.create"), &[parent], now)?;
        match kind {
            "keyRings" => self
                .keys
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
