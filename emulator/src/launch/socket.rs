//! The token socket: the HTTP server that the workload asks for tokens.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use content::{json, limits};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::UnixListener;

use super::Error;
use super::agent::Agent;
use super::attest::{AttestError, TokenKind, TokenRequest};

/// The name of the socket in the folder that launcher and container share.
pub const NAME: &str = "teeserver.sock";
/// The mode of the socket: every user in the container can connect.
const MODE: u32 = 0o777;
const CUSTOM: &str = "custom attestation service";

/// Serves the token socket in `folder` until the returned future is dropped (google/go-tpm-tools,
/// `launcher/teeserver/tee_server.go`).
///
/// # Errors
/// The socket cannot be made.
pub fn serve(
    folder: &Path,
    agent: Arc<Agent>,
) -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let path = folder.join(NAME);
    let listener = bind(&path).map_err(Error::socket)?;
    let router = Router::new()
        .route("/v1/token", any(token))
        .route("/v1/intel/token", any(intel))
        .with_state(agent);
    Ok(async move {
        // This never returns: axum retries after errors of accept.
        let _ = axum::serve(listener, router).await;
    })
}

fn bind(path: &Path) -> std::io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(MODE))?;
    Ok(listener)
}

/// The body of a request for a token. Unlike the attestation service, the socket refuses unknown fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct TokenOptions {
    audience: String,
    #[serde(deserialize_with = "null_is_empty")]
    nonces: Vec<String>,
    token_type: String,
    aws_principal_tag_options: Option<Value>,
}

/// Why the socket refuses a request, in the words of the launcher.
type Refused = (StatusCode, String);

fn refused(text: impl Into<String>) -> Refused {
    (StatusCode::BAD_REQUEST, text.into())
}

/// A token that the attestation service has not issued.
fn unissued(kind: &str, error: &AttestError) -> Refused {
    let status = match error.is_of_the_client() {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("failed to retrieve {kind} token: {error}"))
}

/// Tokens and errors are sent as text/html in chunked encoding, without a length, as by the launcher.
fn text(status: StatusCode, text: String) -> Response {
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(std::io::Cursor::new(
        text,
    )));
    (status, [(header::CONTENT_TYPE, "text/html")], body).into_response()
}

async fn token(State(agent): State<Arc<Agent>>, request: Request) -> Response {
    let token = match *request.method() {
        Method::GET => default_token(&agent).await,
        Method::POST => custom_token(&agent, request.into_body()).await,
        _ => Err(refused(format!(
            "TEE server received an invalid HTTP method: {}",
            request.method()
        ))),
    };
    match token {
        Ok(token) => text(StatusCode::OK, token),
        Err((status, message)) => text(status, message),
    }
}

/// The emulated machines do not have Intel Trust Authority.
async fn intel() -> Response {
    let message =
        "no ITA verifier client present - ensure ITA Region and Key are defined in metadata";
    text(StatusCode::PRECONDITION_FAILED, message.to_owned())
}

/// Only GET makes the launcher fetch signatures again.
async fn default_token(agent: &Agent) -> Result<String, Refused> {
    agent.refresh().await;
    let token = agent.token(&TokenRequest::default()).await;
    token.map_err(|error| unissued("attestation service", &error))
}

async fn custom_token(agent: &Agent, body: Body) -> Result<String, Refused> {
    let request = parse(body).await?;
    let token = agent.token(&request).await;
    token.map_err(|error| unissued(CUSTOM, &error))
}

async fn parse(body: Body) -> Result<TokenRequest, Refused> {
    let bytes = to_bytes(body, limits::TOKEN as usize).await;
    let bytes = bytes.map_err(|error| malformed(&error))?;
    let options = json::parse(&bytes, limits::TOKEN);
    let options: TokenOptions = options.map_err(|error| malformed(&error))?;
    if options.audience.is_empty() {
        return Err(refused("use GET request for the default identity token"));
    }
    let kind = match options.token_type.as_str() {
        "" => return Err(refused("token_type is a required parameter")),
        "OIDC" => TokenKind::Oidc,
        "PKI" => TokenKind::Pki,
        "LIMITED_AWS" | "AWS_PRINCIPALTAGS" => TokenKind::Aws,
        other => {
            let message =
                format!("failed to retrieve {CUSTOM} token: unsupported token type: {other}");
            return Err((StatusCode::INTERNAL_SERVER_ERROR, message));
        }
    };
    Ok(TokenRequest {
        audience: options.audience,
        nonces: options.nonces,
        kind,
        principal_tags: options.aws_principal_tag_options,
    })
}

fn malformed(error: &dyn fmt::Display) -> Refused {
    refused(format!(
        "failed to parse POST body as TokenOptions: {error}"
    ))
}

/// Accepts `null`, which Go writes for an empty list.
fn null_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}
