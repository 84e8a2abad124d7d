//! The other side: launcher, issuer, Security Token Service, Cloud KMS and Pub/Sub, small but with
//! real signatures and real encryption.

mod http;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use content::Digest;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};
use workload::Error;
use workload::count::Counts;
use workload::identity::Launcher;
use workload::run::{World, run};
use workload::terms::Terms;

use http::{Request, Response};

/// When everything is played, in Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// Those who must sign.
pub const SIGNERS: [&str; 3] = ["builder", "one", "two"];

/// The image that is played.
pub fn image() -> Digest {
    Digest::of(b"image")
}

/// The identifier of the key of `name`.
pub fn key_id(name: &str) -> String {
    Digest::of(name.as_bytes()).hex()
}

/// The key that `name` encrypts with.
pub fn kms_key(name: &str) -> String {
    format!("projects/{name}/locations/global/keyRings/ring/cryptoKeys/data")
}

/// What is played, and what has happened.
pub struct Stage {
    pub state: Arc<Mutex<State>>,
    port: u16,
    socket: PathBuf,
}

/// What a message is in the queue.
#[derive(Clone)]
pub struct Queued {
    pub name: String,
    pub message: Value,
    /// Deliverable, or held under this identifier.
    pub held: Option<String>,
    pub acknowledged: bool,
}

pub struct State {
    /// Who has signed; seen by the launcher when it looks.
    pub signed: Vec<&'static str>,
    seen_signed: Vec<&'static str>,
    /// Changes the claims of a token for the given audience.
    pub claims: fn(&str, &mut Value),
    /// The file of the key that tokens are signed with.
    pub signing_key: &'static str,
    /// Provider that lets nobody in.
    pub closed_provider: Option<&'static str>,
    /// Keys that nobody may use.
    pub closed_keys: BTreeSet<String>,
    /// Changes what Cloud KMS answers.
    pub decrypted: fn(&mut Value),
    /// Calls that fail with 503 before the next one succeeds.
    pub outages: u32,
    pub queue: Vec<Queued>,
    next_ack: u32,
    /// Every call: method and path.
    pub calls: Vec<String>,
}

/// How a run ended.
pub struct Ending {
    pub result: Result<(), Error>,
    pub printed: String,
    pub told: String,
}

static STAGES: AtomicU32 = AtomicU32::new(0);

impl Stage {
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State {
            signed: SIGNERS.to_vec(),
            seen_signed: Vec::new(),
            claims: |_, _| {},
            signing_key: "issuer",
            closed_provider: None,
            closed_keys: BTreeSet::new(),
            decrypted: |_| {},
            outages: 0,
            queue: Vec::new(),
            next_ack: 0,
            calls: Vec::new(),
        }));
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let name = format!("workload-test-{}-{number}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let shared = state.clone();
        http::serve_unix(
            &socket,
            Arc::new(move |r| shared.lock().unwrap().launcher(r)),
        );
        let shared = state.clone();
        let port = http::serve_tcp(Arc::new(move |r| shared.lock().unwrap().service(r)));
        Self {
            state,
            port,
            socket,
        }
    }

    pub fn terms(&self) -> Terms {
        let here = format!("http://127.0.0.1:{}", self.port);
        let collaborator = |name: &str| {
            json!({"name": name, "audience": audience(name), "sts_audience": provider(name),
                "kms_key": kms_key(name), "messages": 1})
        };
        let signers = SIGNERS.map(|name| json!({"name": name, "key_id": key_id(name)}));
        let terms = json!({
            "job": "count",
            "collaborators": [collaborator("one"), collaborator("two")],
            "signers": signers,
            "attestation": {"issuer": "https://issuer.example",
                "discovery": format!("{here}/.well-known/openid-configuration")},
            "endpoints": {"sts": here, "kms": here, "pubsub": here},
            "subscription": "projects/operator/subscriptions/data",
            "subscriber": "one",
            "deadline_seconds": 3,
        });
        Terms::parse(terms.to_string().as_bytes()).unwrap()
    }

    /// Publishes a message as an honest collaborator would.
    pub fn send(&self, collaborator: &str, message: &str, text: &str) {
        self.send_as(
            collaborator,
            message,
            text,
            &image(),
            &kms_key(collaborator),
        );
    }

    pub fn send_as(&self, from: &str, message: &str, text: &str, image: &Digest, key: &str) {
        let aad = format!(
            r#"{{"collaborator":"{from}","image_digest":"{image}","message":"{message}"}}"#
        );
        let data = STANDARD.encode(encrypt(&kms_key(from), aad.as_bytes(), text.as_bytes()));
        let attributes = json!({"collaborator": from, "message": message, "key": key});
        self.publish(message, json!({"data": data, "attributes": attributes}));
    }

    pub fn publish(&self, name: &str, message: Value) {
        let queued = Queued {
            name: name.into(),
            message,
            held: None,
            acknowledged: false,
        };
        self.state.lock().unwrap().queue.push(queued);
    }

    /// Runs the workload; every look at the clock takes a second.
    pub fn run(&self) -> Ending {
        let clock = Mutex::new(NOW);
        let now = || {
            let mut clock = clock.lock().unwrap();
            *clock += 1;
            *clock
        };
        let (told, printed) = (Mutex::new(String::new()), Mutex::new(String::new()));
        let tell = |line: &str| *told.lock().unwrap() += &format!("{line}\n");
        let publish = |counts: &Counts| {
            let state = self.state.lock().unwrap();
            assert!(
                state.queue.iter().all(|queued| !queued.acknowledged),
                "too early"
            );
            *printed.lock().unwrap() = counts.to_string();
            Ok(())
        };
        let launcher = Launcher::at(&self.socket);
        let world = World {
            launcher,
            now: &now,
            tell: &tell,
            publish: &publish,
        };
        let result = run(&self.terms(), &world);
        let (told, printed) = (told.into_inner().unwrap(), printed.into_inner().unwrap());
        Ending {
            result,
            printed,
            told,
        }
    }

    /// Messages that will be delivered again.
    pub fn left(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let left = state
            .queue
            .iter()
            .filter(|q| !q.acknowledged && q.held.is_none());
        left.map(|queued| queued.name.clone()).collect()
    }

    /// Messages that will never be delivered again.
    pub fn acknowledged(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state
            .queue
            .iter()
            .filter(|q| q.acknowledged)
            .map(|q| q.name.clone())
            .collect()
    }

    pub fn calls_to(&self, path: &str) -> usize {
        let state = self.state.lock().unwrap();
        state
            .calls
            .iter()
            .filter(|call| call.contains(path))
            .count()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn audience(name: &str) -> String {
    format!("https://{name}.example/countersign")
}

fn provider(name: &str) -> String {
    format!(
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/{name}/providers/p"
    )
}

impl State {
    fn launcher(&mut self, request: &Request) -> Response {
        self.calls
            .push(format!("{} launcher{}", request.method, request.path));
        if request.method == "GET" {
            self.seen_signed = self.signed.clone();
            return (
                200,
                self.token("https://sts.googleapis.com", &Value::Null)
                    .into_bytes(),
            );
        }
        let options: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(options["token_type"], "OIDC");
        let audience = options["audience"].as_str().unwrap();
        (
            200,
            format!("{}\n", self.token(audience, &options["nonces"])).into_bytes(),
        )
    }

    fn token(&self, audience: &str, nonces: &Value) -> String {
        let signature = |name: &&str| json!({"key_id": key_id(name), "signature": "MEUC", "signature_algorithm": "ECDSA_P256_SHA256"});
        let mut claims = json!({
            "aud": audience, "iss": "https://issuer.example", "sub": "vm", "iat": NOW, "nbf": NOW,
            "exp": NOW + 3600, "swname": "CONFIDENTIAL_SPACE", "dbgstat": "disabled-since-boot",
            "submods": {"container": {"image_reference": "r", "image_digest": image(),
                "image_signatures": self.seen_signed.iter().map(signature).collect::<Vec<_>>()}},
        });
        match nonces.as_array().map(Vec::as_slice) {
            Some([one]) => claims["eat_nonce"] = one.clone(),
            Some(many) => claims["eat_nonce"] = json!(many),
            None => {}
        }
        (self.claims)(audience, &mut claims);
        sign(self.signing_key, &claims)
    }

    fn service(&mut self, request: &Request) -> Response {
        self.calls
            .push(format!("{} {}", request.method, request.path));
        if self.outages > 0 {
            self.outages -= 1;
            return (503, b"{}".to_vec());
        }
        let body = || serde_json::from_slice::<Value>(&request.body).unwrap();
        let (status, answer) = match request.path.rsplit([':', '/']).next().unwrap() {
            "openid-configuration" => (200, self.discovery(request)),
            "jwks" => (200, jwks()),
            "token" => self.exchange(&form(&request.body)),
            "decrypt" => self.decrypt(request, &body()),
            "pull" => self.as_one(request, |state| state.pull()),
            "modifyAckDeadline" => self.as_one(request, |state| state.modify_deadline(&body())),
            "acknowledge" => self.as_one(request, |state| state.acknowledge(&body())),
            other => panic!("{other}"),
        };
        (status, answer.to_string().into_bytes())
    }

    fn discovery(&self, request: &Request) -> Value {
        json!({"issuer": "https://issuer.example", "jwks_uri": format!("http://{}/jwks", request.host)})
    }

    fn exchange(&self, form: &BTreeMap<String, String>) -> (u16, Value) {
        let name = ["one", "two"]
            .into_iter()
            .find(|name| form["audience"] == provider(name));
        let name = name.unwrap();
        let claims = form["subject_token"].split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        if claims["aud"] != json!(audience(name)) {
            return (
                400,
                json!({"error": "invalid_grant", "error_description": "audience"}),
            );
        }
        if self.closed_provider == Some(name) {
            let description = "The given credential is rejected by the attribute condition.";
            let error = "unauthorized_client";
            return (
                400,
                json!({"error": error, "error_description": description}),
            );
        }
        let token = format!("access-{name}");
        (
            200,
            json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}),
        )
    }

    fn decrypt(&self, request: &Request, body: &Value) -> (u16, Value) {
        let key = request
            .path
            .strip_prefix("/v1/")
            .unwrap()
            .strip_suffix(":decrypt")
            .unwrap();
        let owner = key.split('/').nth(1).unwrap();
        if request.bearer != format!("access-{owner}") || self.closed_keys.contains(key) {
            return denied(
                "Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource",
            );
        }
        let bytes = |name: &str| {
            let bytes = STANDARD.decode(body[name].as_str().unwrap()).unwrap();
            assert_eq!(
                body[format!("{name}Crc32c")],
                crc32c::crc32c(&bytes).to_string()
            );
            bytes
        };
        let (mut data, aad) = (bytes("ciphertext"), bytes("additionalAuthenticatedData"));
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let Ok(plaintext) = aead_key(key).open_in_place(nonce, Aad::from(&aad), &mut data) else {
            let message = "Decryption failed: verify that 'name' refers to the correct CryptoKey.";
            let error = json!({"code": 400, "message": message, "status": "INVALID_ARGUMENT"});
            return (400, json!({"error": error}));
        };
        let crc32c = crc32c::crc32c(plaintext).to_string();
        let mut answer =
            json!({"plaintext": STANDARD.encode(plaintext), "plaintextCrc32c": crc32c});
        (self.decrypted)(&mut answer);
        (200, answer)
    }

    fn as_one(&mut self, request: &Request, call: impl FnOnce(&mut Self) -> Value) -> (u16, Value) {
        match request.bearer == "access-one" {
            true => (200, call(self)),
            false => denied("User not authorized to perform this action."),
        }
    }

    fn pull(&mut self) -> Value {
        let mut received = Vec::new();
        let free = self
            .queue
            .iter_mut()
            .filter(|q| !q.acknowledged && q.held.is_none());
        for queued in free {
            self.next_ack += 1;
            let id = format!("ack-{}", self.next_ack);
            queued.held = Some(id.clone());
            received.push(json!({"ackId": id, "message": queued.message, "deliveryAttempt": 1}));
        }
        match received.is_empty() {
            true => json!({}),
            false => json!({"receivedMessages": received}),
        }
    }

    fn modify_deadline(&mut self, body: &Value) -> Value {
        let seconds = body["ackDeadlineSeconds"].as_u64().unwrap();
        assert!(seconds <= 600);
        if seconds == 0 {
            self.held_by(body, |queued| queued.held = None);
        }
        json!({})
    }

    fn acknowledge(&mut self, body: &Value) -> Value {
        self.held_by(body, |queued| queued.acknowledged = true);
        json!({})
    }

    fn held_by(&mut self, body: &Value, change: impl Fn(&mut Queued)) {
        let ids = body["ackIds"].as_array().unwrap();
        assert!(!ids.is_empty());
        let is_held = |q: &&mut Queued| q.held.as_ref().is_some_and(|id| ids.contains(&json!(id)));
        self.queue.iter_mut().filter(is_held).for_each(change);
    }
}

fn denied(message: &str) -> (u16, Value) {
    (
        403,
        json!({"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}),
    )
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), percent_decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap().to_owned();
    for part in parts {
        decoded.push(u8::from_str_radix(&part[..2], 16).unwrap().into());
        decoded += &part[2..];
    }
    decoded.replace('+', " ")
}

fn key_pair(name: &str) -> RsaKeyPair {
    let path = format!("{}/tests/data/{name}.pk8", env!("CARGO_MANIFEST_DIR"));
    RsaKeyPair::from_pkcs8(&std::fs::read(path).unwrap()).unwrap()
}

fn jwks() -> Value {
    let pair = key_pair("issuer");
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let (modulus, exponent) = (number(&public.n), number(&public.e));
    json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": modulus, "e": exponent}]})
}

fn sign(key: &str, claims: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": "k", "typ": "JWT"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let pair = key_pair(key);
    let mut signature = vec![0; pair.public_key().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn aead_key(name: &str) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, Digest::of(name.as_bytes()).as_bytes());
    LessSafeKey::new(key.unwrap())
}

fn encrypt(key: &str, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut data = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    aead_key(key)
        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut data)
        .unwrap();
    data
}
