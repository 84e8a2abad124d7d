//! The services over HTTP: access of one owner to another's resources, and invalid requests.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod grants;
mod labels;
mod lifecycle;
mod networks;
mod registry;
mod requests;
mod roles;
mod state;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use emulator::rest::artifact_registry::{Readers, Users, Writers};
use emulator::serve::{Ports, Serving, Settings, serve};
use emulator::services::accounts::Parent;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The services with two projects.
struct Scene {
    runtime: Runtime,
    endpoints: Value,
    users: Users,
    ports: Ports,
    parents: Vec<Parent>,
    serving: Option<Serving>,
    state: TempDir,
}

const FIRST: &str = "collaborator-1";
const SECOND: &str = "collaborator-2";

impl Scene {
    fn set() -> Self {
        Self::with(Writers::Anyone)
    }

    /// The services with a registry to which these may write.
    fn with(writers: Writers) -> Self {
        let mut scene = Self {
            users: Users {
                writers,
                ..Users::default()
            },
            ports: Ports::Free,
            parents: Vec::new(),
            runtime: Runtime::new().unwrap(),
            endpoints: Value::Null,
            serving: None,
            state: tempfile::tempdir().unwrap(),
        };
        scene.restart();
        scene
    }

    /// Stops the services, and starts them again with the same state folder.
    fn restart(&mut self) {
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving.end());
        }
        let projects = [FIRST, SECOND].map(|id| id.parse().unwrap());
        let settings = Settings {
            folder: self.state.path(),
            projects: &projects,
            parents: &self.parents,
            users: self.users,
            ports: self.ports,
            metadata: free(),
        };
        let serving = serve(settings, || 1_700_000_000);
        let serving = self.runtime.block_on(serving).unwrap();
        self.endpoints = serde_json::to_value(&serving.endpoints).unwrap();
        self.serving = Some(serving);
    }

    /// Sends a request as the owner of a project.
    fn call(&self, owner: &str, method: Method, url: &str, body: &Value) -> (u16, Value) {
        self.call_as(&self.token(owner), method, url, body)
    }

    /// The access token of the owner of a project.
    fn token(&self, owner: &str) -> String {
        let token = self.endpoints["projects"][owner]["access_token"].as_str();
        std::fs::read_to_string(token.unwrap()).unwrap()
    }

    /// Sends a request with an access token.
    fn call_as(&self, token: &str, method: Method, url: &str, body: &Value) -> (u16, Value) {
        let (service, path) = url.split_once('/').unwrap();
        let url = format!("{}/v1/{path}", self.endpoints[service].as_str().unwrap());
        self.send(token, method, &url, body)
    }

    fn send(&self, token: &str, method: Method, url: &str, body: &Value) -> (u16, Value) {
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

/// A free address: the listener that found it is gone.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[test]
fn a_topic_is_read_only_with_permission_of_its_owner() {
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

/// An owner's resources exist after a restart, and its credentials are still valid.
#[test]
fn a_restart_with_the_same_state_keeps_everything() {
    let mut scene = Scene::set();
    let location = format!("projects/{FIRST}/locations/global");
    let key = format!("kms/{location}/keyRings/ring/cryptoKeys/data");
    let ring = format!("kms/{location}/keyRings?keyRingId=ring");
    let data = format!("kms/{location}/keyRings/ring/cryptoKeys?cryptoKeyId=data");
    let pool = format!("iam/{location}/workloadIdentityPools?workloadIdentityPoolId=pool");
    let provider = format!(
        "iam/{location}/workloadIdentityPools/pool/providers?workloadIdentityPoolProviderId=provider"
    );
    let topic = format!("pubsub/projects/{FIRST}/topics/data");
    let subscription = format!("pubsub/projects/{FIRST}/subscriptions/data");
    let trusting = json!({
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    let subscribing = json!({"topic": format!("projects/{FIRST}/topics/data")});
    let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
    let number = scene.endpoints["projects"][FIRST]["number"].clone();
    let pools = format!(
        "principalSet://iam.googleapis.com/projects/{}/locations/global/workloadIdentityPools",
        number.as_str().unwrap()
    );
    let role = "roles/cloudkms.cryptoKeyDecrypter";
    let binding = json!({"role": role, "members": [format!("{pools}/pool/*")]});
    let set = format!("{key}:setIamPolicy");
    let policy = json!({"policy": {"bindings": [binding]}});
    for (method, url, body) in [
        (Method::POST, &ring, &json!({})),
        (Method::POST, &data, &purpose),
        (Method::POST, &pool, &json!({})),
        (Method::POST, &provider, &trusting),
        (Method::POST, &set, &policy),
        (Method::PUT, &topic, &json!({})),
        (Method::PUT, &subscription, &subscribing),
    ] {
        let (status, answer) = scene.call(FIRST, method, url, body);
        assert_eq!(status, 200, "{url}: {answer}");
    }
    let messages = json!({"messages": [{"data": "Zmlyc3Q="}, {"data": "c2Vjb25k"}]});
    let publish = format!("{topic}:publish");
    assert_eq!(scene.call(FIRST, Method::POST, &publish, &messages).0, 200);
    let pull = |scene: &Scene| {
        let (url, most) = (format!("{subscription}:pull"), json!({"maxMessages": 1}));
        let received = scene.call(FIRST, Method::POST, &url, &most).1;
        let received = received["receivedMessages"][0].clone();
        let acknowledge = format!("{subscription}:acknowledge");
        let ids = json!({"ackIds": [received["ackId"]]});
        scene.call(FIRST, Method::POST, &acknowledge, &ids);
        received["message"]["data"].clone()
    };
    assert_eq!(pull(&scene), "Zmlyc3Q=");
    let encrypt = format!("{key}:encrypt");
    let sealed = scene.call(
        FIRST,
        Method::POST,
        &encrypt,
        &json!({"plaintext": "dGV4dA=="}),
    );
    let token = scene.endpoints["projects"][FIRST]["access_token"].clone();
    let token = std::fs::read_to_string(token.as_str().unwrap()).unwrap();
    scene.restart();
    let again = scene.endpoints["projects"][FIRST]["access_token"].clone();
    let again = std::fs::read_to_string(again.as_str().unwrap()).unwrap();
    assert_eq!(token, again);
    let decrypt = format!("{key}:decrypt");
    let body = json!({"ciphertext": sealed.1["ciphertext"]});
    let opened = scene.call(FIRST, Method::POST, &decrypt, &body);
    assert_eq!(opened.1["plaintext"], "dGV4dA==", "{opened:?}");
    let get = format!("{key}:getIamPolicy?options.requestedPolicyVersion=3");
    let kept = scene.call(FIRST, Method::GET, &get, &Value::Null).1;
    assert_eq!(kept["bindings"], policy["policy"]["bindings"]);
    assert_eq!(pull(&scene), "c2Vjb25k");
    assert_eq!(pull(&scene), Value::Null);
    for (method, url, body) in [
        (Method::POST, &ring, &json!({})),
        (Method::POST, &data, &purpose),
        (Method::POST, &pool, &json!({})),
        (Method::POST, &provider, &trusting),
        (Method::PUT, &topic, &json!({})),
        (Method::PUT, &subscription, &subscribing),
    ] {
        assert_eq!(scene.call(FIRST, method, url, body).0, 409, "{url}");
    }
}

/// A policy can name a service account only after the account was created.
#[test]
fn a_policy_names_service_accounts_that_exist() {
    let scene = Scene::set();
    let topic = format!("pubsub/projects/{FIRST}/topics/data");
    assert_eq!(scene.call(FIRST, Method::PUT, &topic, &json!({})).0, 200);
    let address = format!("operator@{FIRST}.iam.gserviceaccount.com");
    let member = format!("serviceAccount:{address}");
    let binding = json!({"role": "roles/pubsub.subscriber", "members": [member]});
    let policy = json!({"policy": {"bindings": [binding]}});
    let set = || {
        let url = format!("{topic}:setIamPolicy");
        scene.call(FIRST, Method::POST, &url, &policy)
    };
    let (status, refused) = set();
    assert_eq!(status, 400);
    let words = format!("Service account {address} does not exist.");
    assert_eq!(refused["error"]["message"], words.as_str());
    let accounts = format!("iam/projects/{FIRST}/serviceAccounts");
    let body = json!({"accountId": "operator", "serviceAccount": {"displayName": "Operator"}});
    let (status, made) = scene.call(FIRST, Method::POST, &accounts, &body);
    assert_eq!((status, &made["email"]), (200, &json!(address)));
    let found = scene.call(
        FIRST,
        Method::GET,
        &format!("{accounts}/{address}"),
        &Value::Null,
    );
    assert_eq!(found, (200, made));
    assert_eq!(set().0, 200);
    assert_eq!(scene.call(SECOND, Method::POST, &accounts, &body).0, 403);
}
