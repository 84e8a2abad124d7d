//! A launcher, an issuer and services that tests fill with answers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tee::{Clock, Digest, Endpoint, Identity, Issuer, MetadataServer, Services, Stopped, Tee};

use crate::http::{self, Request, Response};
use crate::keys::{jwks, sign};

/// The time of all tests, in Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// The value of the metadata of the instance, by path.
pub const ATTRIBUTE: &str = "/computeMetadata/v1/instance/attributes/countersign-signatures";

/// The digest of the image under test.
pub fn image() -> Digest {
    Digest::of(b"image")
}

/// What happens while the program sleeps.
type Event = Box<dyn FnMut(&mut State) + Send>;

pub struct State {
    /// The IDs of the keys whose signatures the launcher finds when it looks for them.
    pub signed: Vec<String>,
    seen: Vec<String>,
    /// The image that tokens for an audience state.
    pub image: fn(&str) -> Digest,
    /// Answers by path, or by path and bearer token: `PATH [TOKEN]`.
    pub answers: BTreeMap<String, Response>,
    /// Every call: method, path, bearer token, body.
    pub calls: Vec<String>,
    /// The time that has passed.
    pub passed: Duration,
    /// The time that each call to the registry takes.
    pub slowness: Duration,
    /// The number of calls that the launcher does not answer.
    pub outages: u32,
    pub while_asleep: Option<Event>,
    /// Whether the program was told to stop.
    pub is_stopped: bool,
}

pub struct World {
    pub state: Arc<Mutex<State>>,
    pub port: u16,
    socket: PathBuf,
}

static INSTANCES: AtomicU32 = AtomicU32::new(0);

impl World {
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State {
            signed: Vec::new(),
            seen: Vec::new(),
            image: |_| image(),
            answers: BTreeMap::new(),
            calls: Vec::new(),
            passed: Duration::ZERO,
            slowness: Duration::ZERO,
            outages: 0,
            while_asleep: None,
            is_stopped: false,
        }));
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let name = format!("tee-test-{}-{number}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let shared = state.clone();
        http::serve_unix(
            &socket,
            Arc::new(move |request| shared.lock().unwrap().launcher(request)),
        );
        let shared = state.clone();
        let port = http::serve_tcp(Arc::new(move |request| {
            shared.lock().unwrap().service(request)
        }));
        Self {
            state,
            port,
            socket,
        }
    }

    pub fn tee(&self) -> Tee<'_> {
        let here = format!("http://127.0.0.1:{}", self.port);
        let endpoint = |path: &str| Endpoint::parse(&format!("{here}{path}")).unwrap();
        let services = Services {
            issuer: Issuer {
                name: "https://issuer.example".to_owned(),
                discovery: endpoint("/discovery"),
            },
            sts: endpoint("/sts"),
            kms: endpoint("/kms"),
            pubsub: endpoint("/pubsub"),
            secret_manager: endpoint("/secrets"),
            storage: endpoint("/gcs"),
            metadata: MetadataServer::parse(&here).unwrap(),
        };
        Tee::at(&self.socket, services, self)
    }

    pub fn identity(&self) -> Identity {
        self.tee().identity().unwrap()
    }

    pub fn answer(&self, path: &str, response: impl Into<Response>) {
        let mut state = self.state.lock().unwrap();
        state.answers.insert(path.to_owned(), response.into());
    }

    pub fn answer_json(&self, path: &str, body: &Value) {
        self.answer(path, (200, body.to_string().into_bytes()));
    }

    pub fn while_asleep(&self, event: impl FnMut(&mut State) + Send + 'static) {
        self.state.lock().unwrap().while_asleep = Some(Box::new(event));
    }

    pub fn calls_to(&self, text: &str) -> usize {
        let state = self.state.lock().unwrap();
        state
            .calls
            .iter()
            .filter(|call| call.contains(text))
            .count()
    }
}

impl Clock for World {
    fn now(&self) -> u64 {
        NOW + self.elapsed().as_secs()
    }

    fn elapsed(&self) -> Duration {
        self.state.lock().unwrap().passed
    }

    fn sleep(&self, pause: Duration) -> Result<(), Stopped> {
        let mut state = self.state.lock().unwrap();
        state.passed += pause;
        if state.is_stopped {
            return Err(Stopped);
        }
        if let Some(mut event) = state.while_asleep.take() {
            event(&mut state);
            state.while_asleep = Some(event);
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl State {
    /// Only GET makes the launcher look for signatures.
    fn launcher(&mut self, request: &Request) -> Response {
        let body = String::from_utf8_lossy(&request.body);
        self.calls
            .push(format!("{} launcher {body}", request.method));
        if self.outages > 0 {
            self.outages -= 1;
            return (503, Vec::new()).into();
        }
        if request.method == "GET" {
            self.seen = self.signed.clone();
            return (200, self.token("https://sts.googleapis.com", &Value::Null)).into();
        }
        let options: Value = serde_json::from_slice(&request.body).unwrap();
        let audience = options["audience"].as_str().unwrap();
        (200, self.token(audience, &options["nonces"])).into()
    }

    fn token(&self, audience: &str, nonces: &Value) -> Vec<u8> {
        let signature = |id: &String| json!({"key_id": id, "signature": "MEUC", "signature_algorithm": "ECDSA_P256_SHA256"});
        let now = NOW + self.passed.as_secs();
        let claims = json!({
            "aud": audience, "iss": "https://issuer.example", "sub": "vm", "iat": now, "nbf": now,
            "exp": now + 3600, "swname": "CONFIDENTIAL_SPACE", "eat_nonce": nonces,
            "submods": {"container": {"image_reference": "r", "image_digest": (self.image)(audience),
                "image_signatures": self.seen.iter().map(signature).collect::<Vec<_>>()}},
        });
        sign("issuer", &claims).into_bytes()
    }

    fn service(&mut self, request: &Request) -> Response {
        let Request {
            method,
            path,
            bearer,
            body,
            host,
        } = request;
        let text = String::from_utf8_lossy(body);
        self.calls
            .push(format!("{method} {path} [{bearer}] {text}"));
        if path.starts_with("/v2/") {
            self.passed += self.slowness;
        }
        match path.as_str() {
            "/discovery" => {
                let keys = format!("http://{host}/jwks");
                let document = json!({"issuer": "https://issuer.example", "jwks_uri": keys});
                (200, document.to_string().into_bytes()).into()
            }
            "/jwks" => (200, jwks().to_string().into_bytes()).into(),
            path => {
                let with_token = self.answers.get(&format!("{path} [{bearer}]"));
                let known = with_token.or_else(|| self.answers.get(path)).cloned();
                known.unwrap_or_else(|| flavored(404, b"{}"))
            }
        }
    }
}

/// An answer of the metadata server.
pub fn flavored(status: u16, body: &[u8]) -> Response {
    let etag = Digest::of(body).hex()[..16].to_owned();
    Response {
        status,
        headers: vec![("Metadata-Flavor", "Google".to_owned()), ("ETag", etag)],
        body: body.to_vec(),
    }
}
