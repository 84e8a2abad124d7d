//! The metadata server of the machine: attributes that the operator has set, and what the machine is ("View and query VM metadata").

mod facts;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as UrlPath, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use content::Digest;
use content::at::At;
use tokio::time::Instant;

use super::Error;
pub use facts::Facts;

/// The address of the metadata server, unless another is chosen: a machine on loopback has no address of its own.
pub const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8775);
/// The header of each request and answer.
const FLAVOR: &str = "Metadata-Flavor";
/// The largest value, in bytes (Compute Engine, "Set custom metadata").
const VALUE: u64 = 256 << 10;
/// How often a value is looked at while a request waits for a change.
const PAUSE: Duration = Duration::from_millis(200);
/// The number of hex digits of a tag.
const TAG: usize = 16;

/// An attribute: `KEY=VALUE`, or `KEY=@FILE` for a file that is read at each request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    key: String,
    value: Value,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Value {
    Text(String),
    File(PathBuf),
}

impl FromStr for Attribute {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected =
            "expected KEY=VALUE or KEY=@FILE, with a key of letters, digits, `-` and `_`";
        let (key, value) = text.split_once('=').ok_or(expected)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if key.is_empty() || key.len() > 128 || !key.chars().all(is_plain) {
            return Err(expected);
        }
        let value = match value.strip_prefix('@') {
            Some(file) => Value::File(file.into()),
            None => Value::Text(value.to_owned()),
        };
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

/// The metadata server of the machine.
pub struct Metadata {
    /// Where it listens; shared, so that a machine that boots again keeps the address.
    pub listener: Arc<TcpListener>,
    /// The attributes that the operator has set.
    pub attributes: Attributes,
    /// What else the server knows; attributes alone without.
    pub facts: Option<Facts>,
}

/// Listens at `address`.
///
/// # Errors
/// The address cannot be listened on.
pub fn listen(address: SocketAddr) -> Result<Arc<TcpListener>, Error> {
    let listener = TcpListener::bind(address);
    listener
        .map(Arc::new)
        .map_err(|error| Error::metadata(address, error))
}

/// The present value of the attribute with a key.
pub type Attributes = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// These attributes. A later one of the same key applies.
pub fn attributes(all: Vec<Attribute>) -> Attributes {
    let all: BTreeMap<_, _> = all.into_iter().map(|one| (one.key, one.value)).collect();
    // A file that is not there yet is an attribute that is not set yet.
    Arc::new(move |key| all.get(key)?.read().ok())
}

/// Serves the metadata until the returned future is dropped.
///
/// # Errors
/// The system has no more sockets.
pub fn serve(metadata: &Metadata) -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let (attributes, facts) = (metadata.attributes.clone(), metadata.facts.clone());
    let address = metadata.listener.local_addr().unwrap_or(ADDRESS);
    let listener = shared(&metadata.listener).map_err(|error| Error::metadata(address, error))?;
    let router = Router::new()
        .route(
            "/computeMetadata/v1/instance/attributes/{key}",
            get(attribute),
        )
        .with_state(attributes)
        .route("/computeMetadata/v1/{*path}", get(fact).with_state(facts))
        .fallback(async || not_found())
        .layer(from_fn(check_flavor));
    Ok(async move {
        // This never returns: axum retries after errors of accept.
        let _ = axum::serve(listener, router).await;
    })
}

fn shared(listener: &TcpListener) -> std::io::Result<tokio::net::TcpListener> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

async fn attribute(
    State(attributes): State<Attributes>,
    UrlPath(key): UrlPath<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    match wait(&|| attributes(&key), &query).await {
        Some(text) => {
            let tag = [
                (header::ETAG, tag(&text)),
                (header::CONTENT_TYPE, "application/text".into()),
            ];
            flavored(StatusCode::OK, (tag, text).into_response())
        }
        None => not_found(),
    }
}

async fn fact(State(facts): State<Option<Facts>>, UrlPath(path): UrlPath<String>) -> Response {
    let fact = facts.and_then(|facts| facts.get(&path));
    fact.map_or_else(not_found, |fact| flavored(StatusCode::OK, fact))
}

/// A request without the header may come from a page in a browser.
async fn check_flavor(request: Request, next: Next) -> Response {
    let flavor = request.headers().get(FLAVOR);
    if flavor.is_none_or(|flavor| flavor != "Google") {
        let text = "Missing Metadata-Flavor:Google header.";
        return flavored(StatusCode::FORBIDDEN, text.into_response());
    }
    next.run(request).await
}

fn not_found() -> Response {
    flavored(StatusCode::NOT_FOUND, "Not Found".into_response())
}

/// The value; with `wait_for_change`, once it differs from the one with the tag `last_etag`, or `timeout_sec` have passed.
async fn wait(
    value: &(dyn Fn() -> Option<String> + Sync),
    query: &BTreeMap<String, String>,
) -> Option<String> {
    let parameter = |name: &str| query.get(name).map_or("", String::as_str);
    let seconds = parameter("timeout_sec").parse().ok();
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let first = value()?;
    let known = match parameter("last_etag") {
        "" => tag(&first),
        known => known.to_owned(),
    };
    let mut text = first;
    while parameter("wait_for_change") == "true" && tag(&text) == known {
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        text = value()?;
    }
    Some(text)
}

impl Value {
    fn read(&self) -> Result<String, At> {
        let path = match self {
            Self::Text(text) => return Ok(text.clone()),
            Self::File(path) => path,
        };
        let file = std::fs::File::open(path).map_err(At::reading(path))?;
        let bytes = content::read_limited(file, VALUE).map_err(std::io::Error::other);
        let bytes = bytes.map_err(At::reading(path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn tag(text: &str) -> String {
    Digest::of(text.as_bytes()).hex()[..TAG].to_owned()
}

fn flavored(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(FLAVOR, header::HeaderValue::from_static("Google"));
    headers.insert(
        "server",
        header::HeaderValue::from_static("Metadata Server for VM"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_a_key_and_a_text_or_a_file() {
        let read = |text: &str| text.parse::<Attribute>();
        assert_eq!(read("a-b=c=d").unwrap().value, Value::Text("c=d".into()));
        assert_eq!(read("a_b=@/x/y").unwrap().value, Value::File("/x/y".into()));
        for text in ["", "a", "=b", "a b=c", "a/b=c"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    async fn ask(address: SocketAddr, path: &str) -> (u16, String, String) {
        let url = format!("http://{address}/computeMetadata/v1/instance/attributes/{path}");
        let request = reqwest::Client::new().get(url).header(FLAVOR, "Google");
        let answer = request.send().await.unwrap();
        let etag = answer.headers().get("etag");
        let etag = etag.map_or("", |etag| etag.to_str().unwrap()).to_owned();
        assert_eq!(answer.headers()[FLAVOR], "Google");
        (answer.status().as_u16(), etag, answer.text().await.unwrap())
    }

    /// A free address: the listener that found it is gone.
    async fn free() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.local_addr().unwrap()
    }

    #[tokio::test]
    async fn a_request_waits_for_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signatures");
        let attribute = format!("countersign-signatures=@{}", file.display());
        let address = free().await;
        let metadata = Metadata {
            listener: listen(address).unwrap(),
            attributes: attributes(vec!["a=b".parse().unwrap(), attribute.parse().unwrap()]),
            facts: None,
        };
        let server = tokio::spawn(serve(&metadata).unwrap());
        assert_eq!(ask(address, "a").await.2, "b");
        assert_eq!(ask(address, "other").await.0, 404);
        assert_eq!(ask(address, "countersign-signatures").await.0, 404);
        std::fs::write(&file, "[1]").unwrap();
        let (status, etag, text) = ask(address, "countersign-signatures").await;
        assert_eq!((status, text.as_str()), (200, "[1]"));
        let path = format!("countersign-signatures?wait_for_change=true&last_etag={etag}");
        let same = ask(address, &format!("{path}&timeout_sec=1")).await;
        assert_eq!(same, (200, etag.clone(), "[1]".to_owned()));
        let waiting = tokio::spawn(async move { ask(address, &path).await });
        tokio::time::sleep(PAUSE).await;
        assert!(!waiting.is_finished());
        std::fs::write(&file, "[1,2]").unwrap();
        let (status, other, text) = waiting.await.unwrap();
        assert_eq!((status, text.as_str()), (200, "[1,2]"));
        assert_ne!(other, etag);
        let bare = reqwest::get(format!(
            "http://{address}/computeMetadata/v1/instance/attributes/a"
        ));
        assert_eq!(bare.await.unwrap().status(), 403);
        server.abort();
    }
}
