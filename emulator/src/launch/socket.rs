use std::convert::Infallible;
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
    let listener = bind(&path).map_err(Error::Socket)?;
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
#[derive(Debug, thiserror::Error)]
enum SocketError {
    #[error("TEE server received an invalid HTTP method: {0}")]
    Method(Method),
    #[error("failed to parse POST body as TokenOptions: {0}")]
    Body(String),
    #[error("use GET request for the default identity token")]
    Audience,
    #[error("token_type is a required parameter")]
    TokenType,
    #[error("failed to retrieve custom attestation service token: unsupported token type: {0}")]
    UnknownType(String),
    #[error("failed to retrieve attestation service token: {0}")]
    Default(#[source] AttestError),
    #[error("failed to retrieve custom attestation service token: {0}")]
    Custom(#[source] AttestError),
    #[error("no ITA verifier client present - ensure ITA Region and Key are defined in metadata")]
    Intel,
}

impl IntoResponse for SocketError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Default(e) | Self::Custom(e) if !e.is_of_the_client() => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::UnknownType(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Intel => StatusCode::PRECONDITION_FAILED,
            _ => StatusCode::BAD_REQUEST,
        };
        text(status, self.to_string())
    }
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
        _ => Err(SocketError::Method(request.method().clone())),
    };
    match token {
        Ok(token) => text(StatusCode::OK, token),
        Err(error) => error.into_response(),
    }
}

/// The emulated machines do not have Intel Trust Authority.
async fn intel() -> Result<Infallible, Response> {
    Err(SocketError::Intel.into_response())
}

/// Only GET makes the launcher fetch signatures again.
async fn default_token(agent: &Agent) -> Result<String, SocketError> {
    agent.refresh().await;
    let token = agent.token(&TokenRequest::default()).await;
    token.map_err(SocketError::Default)
}

async fn custom_token(agent: &Agent, body: Body) -> Result<String, SocketError> {
    let request = parse(body).await?;
    agent.token(&request).await.map_err(SocketError::Custom)
}

async fn parse(body: Body) -> Result<TokenRequest, SocketError> {
    let bytes = to_bytes(body, limits::TOKEN as usize).await;
    let bytes = bytes.map_err(|e| SocketError::Body(e.to_string()))?;
    let options: TokenOptions =
        json::parse(&bytes, limits::TOKEN).map_err(|e| SocketError::Body(e.to_string()))?;
    if options.audience.is_empty() {
        return Err(SocketError::Audience);
    }
    let kind = match options.token_type.as_str() {
        "" => return Err(SocketError::TokenType),
        "OIDC" => TokenKind::Oidc,
        "PKI" => TokenKind::Pki,
        "LIMITED_AWS" | "AWS_PRINCIPALTAGS" => TokenKind::Aws,
        _ => return Err(SocketError::UnknownType(options.token_type)),
    };
    Ok(TokenRequest {
        audience: options.audience,
        nonces: options.nonces,
        kind,
        principal_tags: options.aws_principal_tag_options,
    })
}

/// Accepts `null`, which Go writes for an empty list.
fn null_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}
