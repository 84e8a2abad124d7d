//! The cloud over the wire: what one owner may do with another's things, and requests out of order.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;

use emulator::serve::{Serving, serve};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A cloud of two owners.
struct Scene {
    runtime: Runtime,
    endpoints: Value,
    _serving: Serving,
    _state: TempDir,
}

const FIRST: &str = "collaborator-1";
const SECOND: &str = "collaborator-2";

impl Scene {
    fn set() -> Self {
        let runtime = Runtime::new().unwrap();
        let state = tempfile::tempdir().unwrap();
        let projects = [FIRST, SECOND].map(|id| id.parse().unwrap());
        let serving = runtime.block_on(serve(state.path(), &projects, || 1_700_000_000));
        let serving = serving.unwrap();
        Self {
            runtime,
            endpoints: serde_json::to_value(&serving.endpoints).unwrap(),
            _serving: serving,
            _state: state,
        }
    }

    /// Sends a request as an owner.
    fn call(&self, owner: &str, method: Method, url: &str, body: &Value) -> (u16, Value) {
        let (service, path) = url.split_once('/').unwrap();
        let url = format!("{}/v1/{path}", self.endpoints[service].as_str().unwrap());
        let token = self.endpoints["projects"][owner]["access_token"].as_str();
        let token = std::fs::read_to_string(token.unwrap()).unwrap();
        let request = Client::new().request(method, url).bearer_auth(token);
        let request = match body.is_null() {
            true => request,
            false => request.json(body),
        };
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap())
        })
    }

    fn exchange(&self, fields: &BTreeMap<&str, &str>) -> Value {
        let url = format!("{}/v1/token", self.endpoints["sts"].as_str().unwrap());
        let request = Client::new().post(url).form(fields);
        self.runtime
            .block_on(async { request.send().await.unwrap().json().await.unwrap() })
    }
}

#[test]
fn a_topic_is_read_by_whom_its_owner_lets() {
    let scene = Scene::set();
    let topic = format!("projects/{FIRST}/topics/data");
    let made = scene.call(FIRST, Method::PUT, &format!("pubsub/{topic}"), &json!({}));
    assert_eq!(made.0, 200);
    let name = format!("pubsub/projects/{SECOND}/subscriptions/theirs");
    let subscribe = || scene.call(SECOND, Method::PUT, &name, &json!({"topic": topic}));
    let (status, refusal) = subscribe();
    assert_eq!(status, 403);
    let permission = &refusal["error"]["details"][0]["metadata"]["permission"];
    assert_eq!(permission, "pubsub.topics.attachSubscription");
    let member = format!("serviceAccount:owner@{SECOND}.iam.gserviceaccount.com");
    let policy =
        json!({"policy": {"bindings": [{"role": "roles/pubsub.subscriber", "members": [member]}]}});
    let url = format!("pubsub/{topic}:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &url, &policy).0, 200);
    assert_eq!(subscribe().0, 200);
}

#[test]
fn names_come_with_escapes() {
    let scene = Scene::set();
    let topic = |id: &str| {
        let url = format!("pubsub/projects/{FIRST}/topics/{id}");
        scene.call(FIRST, Method::PUT, &url, &json!({}))
    };
    assert_eq!(topic("a%20space").0, 400);
    assert_eq!(topic("a%2Fslash").0, 400);
    let (status, made) = topic("a%7Etilde");
    assert_eq!(status, 200);
    assert_eq!(made["name"], format!("projects/{FIRST}/topics/a~tilde"));
}

#[test]
fn a_token_of_any_size_that_a_token_may_have() {
    let scene = Scene::set();
    let location = format!("iam/projects/{FIRST}/locations/global/workloadIdentityPools");
    let pool = format!("{location}?workloadIdentityPoolId=pool");
    assert_eq!(scene.call(FIRST, Method::POST, &pool, &json!({})).0, 200);
    let provider = format!("{location}/pool/providers?workloadIdentityPoolProviderId=provider");
    let body = json!({
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    assert_eq!(scene.call(FIRST, Method::POST, &provider, &body).0, 200);
    let number = scene.endpoints["projects"][FIRST]["number"]
        .as_str()
        .unwrap();
    let audience = format!(
        "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/pool/providers/provider"
    );
    let token = "x".repeat(200 << 10);
    let fields = BTreeMap::from([
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("audience", &audience),
        ("subject_token", &token),
    ]);
    assert_eq!(scene.exchange(&fields)["error"], "invalid_grant");
    for name in [
        "grant_type",
        "requested_token_type",
        "subject_token_type",
        "scope",
        "audience",
    ] {
        let mut fields = fields.clone();
        fields.remove(name);
        let refused = scene.exchange(&fields);
        assert_eq!(refused["error"], "invalid_request", "{name}: {refused}");
        let told = refused["error_description"].as_str().unwrap();
        assert!(told.contains(&format!("\"{name}\"")), "{told}");
    }
}

#[test]
fn a_deep_condition_is_refused_and_the_cloud_goes_on() {
    let scene = Scene::set();
    let rings = format!("kms/projects/{FIRST}/locations/global/keyRings");
    let ring = format!("{rings}?keyRingId=ring");
    assert_eq!(scene.call(FIRST, Method::POST, &ring, &json!({})).0, 200);
    let expression = format!("1{}>0", "+1".repeat(2000));
    let policy = json!({"policy": {"version": 3, "bindings": [{
        "role": "roles/cloudkms.cryptoKeyDecrypter",
        "members": ["allUsers"],
        "condition": {"title": "deep", "expression": expression},
    }]}});
    let url = format!("{rings}/ring:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &url, &policy).0, 400);
    let url = format!("{rings}/ring:getIamPolicy");
    let (status, policy) = scene.call(FIRST, Method::GET, &url, &Value::Null);
    assert_eq!((status, policy.get("bindings")), (200, None));
    let url = format!("{rings}/ring:getIamPolicy?options.requestedPolicyVersion=2");
    assert_eq!(scene.call(FIRST, Method::GET, &url, &Value::Null).0, 400);
}
