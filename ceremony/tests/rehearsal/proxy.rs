//! A proxy in front of registry and key service that counts the requests that change something, and
//! withholds the answer to one of them: the client can then be killed between two steps. It can also deny all pushes, as a
//! registry that lets a party only read.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Request, Response, header};
use tokio::runtime::Runtime;

/// The largest body in bytes. Both services allow more; what the test sends is small.
const LIMIT: u64 = 16 << 20;

/// Two servers, which run until this is dropped.
pub struct Proxy {
    /// Host and port to use in place of the registry's.
    pub registry: String,
    /// URL to use in place of the key service's.
    pub kms: String,
    plan: Arc<Plan>,
    _runtime: Runtime,
}

struct Plan {
    state: Mutex<Counted>,
    agent: ureq::Agent,
}

#[derive(Default)]
struct Counted {
    writes: Vec<String>,
    hold: Option<Hold>,
    pushes: Pushes,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Pushes {
    #[default]
    Allowed,
    Denied,
}

struct Hold {
    after: usize,
    reached: Sender<()>,
}

#[derive(Clone)]
struct Front {
    upstream: String,
    plan: Arc<Plan>,
}

impl Proxy {
    /// A proxy in front of `registry`, a host and port, and of `kms`, a URL.
    pub fn before(registry: &str, kms: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0);
        let plan = Arc::new(Plan {
            state: Mutex::default(),
            agent: ureq::Agent::new_with_config(config.build()),
        });
        let runtime = Runtime::new().unwrap();
        let serve = |upstream: String| {
            let front = Front {
                upstream,
                plan: plan.clone(),
            };
            runtime.block_on(serve(front))
        };
        Self {
            registry: serve(format!("http://{registry}")).to_string(),
            kms: format!("http://{}", serve(kms.to_owned())),
            plan,
            _runtime: runtime,
        }
    }

    /// Counts from zero again, forwards the first `after` requests that change something, and does not
    /// answer the last of them. If `after` is 0, the first one is not forwarded either. The receiver
    /// gets a message at that point.
    pub fn hold(&self, after: usize) -> Receiver<()> {
        let (reached, hears) = channel();
        *self.plan.state.lock().unwrap() = Counted {
            hold: Some(Hold { after, reached }),
            ..Counted::default()
        };
        hears
    }

    /// Counts from zero again, and denies everything that would change the registry.
    pub fn deny_pushes(&self) {
        *self.plan.state.lock().unwrap() = Counted {
            pushes: Pushes::Denied,
            ..Counted::default()
        };
    }

    /// Counts from zero again, and forwards everything.
    pub fn release(&self) {
        *self.plan.state.lock().unwrap() = Counted::default();
    }

    /// The requests that changed something: method and path.
    pub fn writes(&self) -> Vec<String> {
        self.plan.state.lock().unwrap().writes.clone()
    }
}

async fn serve(front: Front) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Router::new().fallback(pass_on).with_state(front);
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

async fn pass_on(State(front): State<Front>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LIMIT as usize).await.unwrap();
    let is_write = !matches!(parts.method, Method::GET | Method::HEAD);
    if is_write && parts.uri.path().starts_with("/v2/") && front.plan.denies_pushes() {
        let denied = r#"{"errors":[{"code":"DENIED","message":"permission denied"}]}"#;
        let answer = Response::builder().status(403);
        return answer.body(denied.into()).unwrap();
    }
    let number = is_write.then(|| front.plan.count(&parts.method, parts.uri.path()));
    if number == Some(1) && front.plan.holds_after(0) {
        return std::future::pending().await;
    }
    let plan = front.plan.clone();
    let answer = tokio::task::spawn_blocking(move || front.forward(parts, body));
    let answer = answer.await.unwrap();
    match number {
        Some(number) if plan.holds_after(number) => std::future::pending().await,
        _ => answer,
    }
}

impl Plan {
    fn count(&self, method: &Method, path: &str) -> usize {
        let mut state = self.state.lock().unwrap();
        state.writes.push(format!("{method} {path}"));
        state.writes.len()
    }

    fn denies_pushes(&self) -> bool {
        self.state.lock().unwrap().pushes == Pushes::Denied
    }

    /// Whether the answer is to be withheld here; if so, tells the receiver.
    fn holds_after(&self, writes: usize) -> bool {
        let state = self.state.lock().unwrap();
        match &state.hold {
            Some(hold) if hold.after == writes => hold.reached.send(()).is_ok(),
            _ => false,
        }
    }
}

impl Front {
    fn forward(&self, parts: axum::http::request::Parts, body: Bytes) -> Response<Body> {
        let path = parts.uri.path_and_query().unwrap();
        let mut request = Request::builder()
            .method(parts.method.clone())
            .uri(format!("{}{path}", self.upstream));
        // Framing is each connection's own.
        for (name, value) in &parts.headers {
            if !matches!(*name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING) {
                request = request.header(name, value);
            }
        }
        let answer = match parts.method {
            Method::GET | Method::HEAD => self.plan.agent.run(request.body(()).unwrap()),
            _ => self.plan.agent.run(request.body(body.to_vec()).unwrap()),
        };
        let (mut parts, mut body) = answer.unwrap().into_parts();
        let bytes = body.with_config().limit(LIMIT).read_to_vec().unwrap();
        parts.headers.remove(header::TRANSFER_ENCODING);
        Response::from_parts(parts, bytes.into())
    }
}
