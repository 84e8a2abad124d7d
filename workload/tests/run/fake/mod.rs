//! Fake services: launcher, issuer, Security Token Service, Cloud KMS and Pub/Sub, with real signatures
//! and real encryption.

#[path = "../../../../crates/tee/tests/fake/http.rs"]
mod http;
#[path = "../../../../crates/tee/tests/fake/keys.rs"]
mod keys;
mod sealing;
mod services;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use serde_json::{Value, json};
use tee::{Clock, Stopped};
use workload::Error;
use workload::job::exec::Place;
use workload::run::{Environment, run};
use workload::terms::{Given, Terms};

use sealing::encrypt;

/// The time of all tests, in Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// The required signers.
pub const SIGNERS: [&str; 3] = ["builder", "one", "two"];

/// The digest of the image under test.
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

/// The fake services and their state.
pub struct Services {
    pub state: Arc<Mutex<State>>,
    port: u16,
    socket: PathBuf,
}

/// A message in the queue.
#[derive(Clone)]
pub struct Queued {
    pub name: String,
    pub message: Value,
    /// The acknowledgement ID that holds it; `None` if it can be delivered.
    pub held: Option<String>,
    /// Whether it is held longer than the default of the subscription.
    pub extended: bool,
    pub acknowledged: bool,
}

/// Makes the status and body of an error from the path of a call and the content of the request.
pub type Echo = fn(&str, &str) -> Option<(u16, String)>;

pub struct State {
    /// The parties that have signed; the launcher sees them when it refreshes.
    pub signed: Vec<&'static str>,
    seen_signed: Vec<&'static str>,
    /// Changes the claims of a token for the given audience.
    pub claims: fn(&str, &mut Value),
    /// The name of the key file that tokens are signed with.
    pub signing_key: &'static str,
    /// The provider that rejects all tokens.
    pub closed_provider: Option<&'static str>,
    /// Keys whose use is denied.
    pub closed_keys: BTreeSet<String>,
    /// The error of Cloud KMS in place of decrypting: a `google.rpc.Code` with HTTP status 400.
    pub kms_code: Option<&'static str>,
    /// Changes the answer of Cloud KMS.
    pub decrypted: fn(&mut Value),
    /// Changes the answer of the Security Token Service.
    pub exchanged: fn(&mut Value),
    /// The value of `job` in the terms.
    pub job: Value,
    /// The values of `signers` and `late_binding` in the terms, if they are not the default.
    pub binding: Option<(Value, Value)>,
    /// What the operator passes at the start.
    pub given: Given,
    /// The deadline in the terms, in seconds.
    pub deadline: u64,
    /// Whether the program is told to stop when it sleeps.
    pub is_stopped: bool,
    /// The simulated time that has passed.
    pub passed: Duration,
    /// The simulated time that each call to decrypt takes.
    pub decrypting: Duration,
    /// The real time that each call to decrypt takes.
    pub stalling: Duration,
    /// Replaces the answers of services by errors.
    pub echo: Option<Echo>,
    /// The number of spaces after every answer of a service.
    pub padding: usize,
    /// The HTTP status of every answer of a service, if it is overridden.
    pub status: Option<u16>,
    /// The number of calls that fail with 503 before the services recover.
    pub outages: u32,
    pub queue: Vec<Queued>,
    next_ack: u32,
    /// Every call: method and path.
    pub calls: Vec<String>,
}

/// The outcome of a run.
pub struct Outcome {
    pub result: Result<u8, Error>,
    pub printed: String,
    pub log: String,
}

/// Simulated time. Real time counts only if `stalling` is set.
struct FakeClock {
    start: Instant,
    state: Arc<Mutex<State>>,
}

impl Clock for FakeClock {
    fn now(&self) -> u64 {
        NOW + self.elapsed().as_secs()
    }

    fn elapsed(&self) -> Duration {
        let state = self.state.lock().unwrap();
        match state.stalling.is_zero() {
            true => state.passed,
            false => state.passed + self.start.elapsed(),
        }
    }

    fn sleep(&self, pause: Duration) -> Result<(), Stopped> {
        let mut state = self.state.lock().unwrap();
        if state.is_stopped {
            return Err(Stopped);
        }
        state.passed += pause;
        Ok(())
    }
}

static INSTANCES: AtomicU32 = AtomicU32::new(0);

impl Services {
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State {
            signed: SIGNERS.to_vec(),
            seen_signed: Vec::new(),
            claims: |_, _| {},
            signing_key: "issuer",
            closed_provider: None,
            closed_keys: BTreeSet::new(),
            kms_code: None,
            decrypted: |_| {},
            exchanged: |_| {},
            job: "count".into(),
            binding: None,
            given: Given::default(),
            deadline: 3,
            is_stopped: false,
            passed: Duration::ZERO,
            decrypting: Duration::ZERO,
            stalling: Duration::ZERO,
            echo: None,
            padding: 0,
            status: None,
            outages: 0,
            queue: Vec::new(),
            next_ack: 0,
            calls: Vec::new(),
        }));
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let name = format!("workload-test-{}-{number}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        std::fs::create_dir(socket.with_extension("closed")).unwrap();
        let shared = state.clone();
        http::serve_unix(
            &socket,
            Arc::new(move |r| shared.lock().unwrap().launcher(r).into()),
        );
        let shared = state.clone();
        let port = http::serve_tcp(Arc::new(move |r| shared.lock().unwrap().service(r).into()));
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
        let mut terms = json!({
            "job": self.state.lock().unwrap().job.clone(),
            "collaborators": [collaborator("one"), collaborator("two")],
            "signers": signers,
            "attestation": {"issuer": "https://issuer.example",
                "discovery": format!("{here}/.well-known/openid-configuration")},
            "endpoints": {"sts": here, "kms": here, "pubsub": here},
            "subscription": "projects/operator/subscriptions/data",
            "subscriber": "one",
            "deadline_seconds": self.state.lock().unwrap().deadline,
        });
        if let Some((signers, late_binding)) = self.state.lock().unwrap().binding.clone() {
            terms["signers"] = signers;
            terms["late_binding"] = late_binding;
        }
        Terms::parse(terms.to_string().as_bytes()).unwrap()
    }

    /// Publishes a valid message of a collaborator.
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
            extended: false,
            acknowledged: false,
        };
        self.state.lock().unwrap().queue.push(queued);
    }

    /// Runs the workload. Time is simulated: each pull without messages takes a second, and each call to
    /// decrypt takes `decrypting`. Real time counts only if `stalling` is set.
    pub fn run(&self) -> Outcome {
        let clock = FakeClock {
            start: Instant::now(),
            state: self.state.clone(),
        };
        let (log, printed) = (Mutex::new(String::new()), Mutex::new(String::new()));
        let write_log = |line: &str| *log.lock().unwrap() += &format!("{line}\n");
        let publish = |result: &str| {
            let state = self.state.lock().unwrap();
            assert!(
                state.queue.iter().all(|queued| !queued.acknowledged),
                "too early"
            );
            *printed.lock().unwrap() = result.to_owned();
            Ok(())
        };
        let environment = Environment {
            socket: &self.socket,
            clock: &clock,
            given: self.state.lock().unwrap().given.clone(),
            place: Place {
                closed: self.closed(),
                memory: "/dev/shm".into(),
            },
            log: &write_log,
            publish: &publish,
        };
        let result = run(&self.terms(), &environment);
        let (log, printed) = (log.into_inner().unwrap(), printed.into_inner().unwrap());
        Outcome {
            result,
            printed,
            log,
        }
    }

    /// The folder that a program must not enter.
    fn closed(&self) -> PathBuf {
        self.socket.with_extension("closed")
    }

    pub fn close_launcher(&self) {
        std::fs::remove_file(&self.socket).unwrap();
    }

    /// The names of messages that will be delivered again.
    pub fn left(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let left = state
            .queue
            .iter()
            .filter(|q| !q.acknowledged && q.held.is_none());
        left.map(|queued| queued.name.clone()).collect()
    }

    /// The names of messages that will not be delivered again.
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

impl Drop for Services {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let _ = std::fs::remove_dir(self.closed());
    }
}

fn audience(name: &str) -> String {
    format!("https://{name}.example/countersign")
}

fn provider(name: &str) -> String {
    format!(
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool-{name}/providers/provider"
    )
}
