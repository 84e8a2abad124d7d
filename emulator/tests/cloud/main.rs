//! The services over HTTP: access of one owner to another's resources, and invalid requests.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod accounts;
mod grants;
mod labels;
mod lifecycle;
mod networks;
mod requests;
mod state;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use emulator::rest::artifact_registry::{Readers, Users, Writers};
use emulator::serve::{Ports, Serving, Settings, serve};
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

/// With `--registry-writers owners`, everyone reads a repository, and only the owner of its project writes to it.
#[test]
fn a_party_may_read_another_ones_repository_only() {
    let scene = Scene::with(Writers::Owners);
    let registry = format!(
        "http://{}/v2",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let begin = format!("{registry}/{FIRST}/image/blobs/uploads/");
    let status = |method: Method, url: &str, owner: Option<&str>| {
        let request = Client::new().request(method, url);
        let request = match owner {
            Some(owner) => {
                let path = scene.endpoints["projects"][owner]["access_token"].as_str();
                let token = std::fs::read_to_string(path.unwrap()).unwrap();
                request.basic_auth("oauth2accesstoken", Some(token))
            }
            None => request,
        };
        let answer = scene.runtime.block_on(request.send()).unwrap();
        (
            answer.status().as_u16(),
            answer.headers().contains_key("www-authenticate"),
        )
    };
    assert_eq!(status(Method::POST, &begin, None), (401, true));
    assert_eq!(status(Method::POST, &begin, Some(SECOND)), (403, false));
    assert_eq!(status(Method::POST, &begin, Some(FIRST)), (202, false));
    let tags = format!("{registry}/{FIRST}/image/tags/list");
    assert_eq!(status(Method::GET, &tags, None).0, 200);
    let other = format!("{registry}/elsewhere/image/blobs/uploads/");
    assert_eq!(status(Method::POST, &other, Some(FIRST)), (403, false));
    let version = format!("{registry}/");
    assert_eq!(status(Method::GET, &version, None), (401, true));
    assert_eq!(status(Method::GET, &version, Some(SECOND)), (200, false));
}

/// With `--registry-readers granted`, a service account reads a repository with the role of a reader only.
#[test]
fn a_repository_is_read_with_the_role_of_a_reader() {
    let mut scene = Scene::set();
    scene.users.readers = Readers::Granted;
    scene.restart();
    let tags = format!(
        "http://{}/v2/{FIRST}/image/tags/list",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let read = |token: Option<&str>| {
        let request = Client::new().get(&tags);
        let request = match token {
            Some(token) => request.basic_auth("oauth2accesstoken", Some(token)),
            None => request,
        };
        let answer = scene.runtime.block_on(request.send());
        answer.unwrap().status().as_u16()
    };
    let reader = lifecycle::account(&scene, "reader");
    assert_eq!((read(None), read(Some(&reader))), (401, 403));
    let owner = format!("serviceAccount:owner@{FIRST}.iam.gserviceaccount.com");
    let member = format!("serviceAccount:reader@{FIRST}.iam.gserviceaccount.com");
    let policy = json!({"policy": {"bindings": [
        {"role": "roles/owner", "members": [owner]},
        {"role": "roles/artifactregistry.reader", "members": [member]},
    ]}});
    let set = format!("resource_manager/projects/{FIRST}:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &set, &policy).0, 200);
    // The repository is empty.
    assert_eq!(read(Some(&reader)), 404);
}

/// With a role on one repository, a service account reads and writes that one and no other.
#[test]
fn a_role_on_a_repository_is_on_no_other() {
    let mut scene = Scene::with(Writers::Owners);
    scene.users.readers = Readers::Granted;
    scene.restart();
    let account = lifecycle::account(&scene, "pusher");
    let registry = scene.endpoints["registry"].as_str().unwrap();
    let status = |method: Method, path: &str| {
        let request = Client::new().request(method, format!("http://{registry}/v2/{path}"));
        let request = request.basic_auth("oauth2accesstoken", Some(&account));
        let answer = scene.runtime.block_on(request.send());
        answer.unwrap().status().as_u16()
    };
    let both = |repository: &str| {
        let image = format!("{FIRST}/{repository}/app");
        let pull = status(Method::GET, &format!("{image}/tags/list"));
        (
            pull,
            status(Method::POST, &format!("{image}/blobs/uploads/")),
        )
    };
    let bind = |role: &str| {
        let member = format!("serviceAccount:pusher@{FIRST}.iam.gserviceaccount.com");
        let policy = json!({"policy": {"bindings": [{"role": role, "members": [member]}]}});
        let images = format!("projects/{FIRST}/locations/us/repositories/images");
        let url = format!("artifact_registry/{images}:setIamPolicy");
        let set = scene.call(FIRST, Method::POST, &url, &policy);
        let denied = scene.call(SECOND, Method::POST, &url, &policy);
        assert_eq!((set.0, denied.0), (200, 403), "{set:?}");
    };
    assert_eq!(both("images"), (403, 403));
    bind("roles/artifactregistry.reader");
    assert_eq!(both("images"), (404, 403));
    bind("roles/artifactregistry.writer");
    assert_eq!(both("images"), (404, 202));
    assert_eq!(both("others"), (403, 403));
}

/// A mount is a read of the other repository.
#[test]
fn a_blob_is_mounted_from_a_repository_that_the_caller_may_read() {
    let mut scene = Scene::set();
    scene.users.readers = Readers::Granted;
    scene.restart();
    let registry = format!(
        "http://{}/v2",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let send = |method: Method, path: &str, owner: Option<&str>| {
        let request = Client::new().request(method, format!("{registry}/{path}"));
        let request = match owner {
            Some(owner) => {
                let path = scene.endpoints["projects"][owner]["access_token"].as_str();
                let token = std::fs::read_to_string(path.unwrap()).unwrap();
                request.basic_auth("oauth2accesstoken", Some(token))
            }
            None => request,
        };
        let answer = scene.runtime.block_on(request.body("secret").send());
        answer.unwrap().status().as_u16()
    };
    let digest = content::Digest::of(b"secret");
    let upload = format!("{FIRST}/image/blobs/uploads/?digest={digest}");
    assert_eq!(send(Method::POST, &upload, Some(FIRST)), 201);
    let mount = |to: &str, query: &str, owner: Option<&str>| {
        let path = format!("{to}/image/blobs/uploads/?{query}");
        send(Method::POST, &path, owner)
    };
    let from = format!("mount={digest}&from={FIRST}/image");
    assert_eq!(mount(FIRST, &from, Some(FIRST)), 201);
    for query in [
        from.clone(),
        format!("%6dount={digest}&from={FIRST}%2Fimage"),
        format!("mount={digest}&from={SECOND}/image&from={FIRST}/image"),
        format!("mount={digest}"),
    ] {
        // The client has to upload it.
        assert_eq!(mount(SECOND, &query, Some(SECOND)), 202, "{query}");
        assert_eq!(mount(SECOND, &query, None), 202, "{query}");
    }
    let blob = format!("{SECOND}/image/blobs/{digest}");
    assert_eq!(send(Method::GET, &blob, Some(SECOND)), 404);
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
