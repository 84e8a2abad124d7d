//! The endpoints that issue access tokens, with forms and errors of OAuth (RFC 6749).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Form;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use content::limits;
use serde_json::{Value, json};

use crate::oauth::Refusal;
use crate::protojson::{self, Ignored};
use crate::services::Services;
use crate::services::accounts::Assertion;
use crate::services::sts::{ACCESS_TOKEN, Exchange};

/// The routes of the Security Token Service: token exchange (RFC 8693).
pub fn sts(services: Arc<Services>) -> Router {
    Router::new()
        .route("/v1/token", post(exchange))
        .with_state(services)
}

/// The routes of the token endpoint that key files name, served at `address`.
pub fn oauth2(address: &str, services: Arc<Services>) -> Router {
    let token_uri = format!("{address}/token");
    let grant = async move |State(services): State<Arc<Services>>, request: Request| {
        let fields = Fields::read(request).await;
        answer(grant(&services, &fields, &token_uri))
    };
    Router::new()
        .route("/token", post(grant))
        .with_state(services)
}

/// Exchanges a token. JSON is read as by Google's other APIs, a form as by other OAuth endpoints, which
/// ignore unknown fields (RFC 6749 section 3.2).
async fn exchange(State(services): State<Arc<Services>>, request: Request) -> Response {
    let asked = match is_json(&request) {
        true => match Bytes::from_request(request, &()).await {
            Ok(body) => protojson::parse(&body),
            Err(rejection) => return rejection.into_response(),
        },
        false => Ok(Fields::read(request).await.exchange()),
    };
    match asked {
        Ok(asked) => answer(exchanged(&services, &asked)),
        Err(status) => status.into_response(),
    }
}

fn exchanged(services: &Services, request: &Exchange) -> Result<Value, Refusal> {
    let token = services.sts.exchange(request, services.now())?;
    Ok(json!({
        "access_token": token.text,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": token.lifetime,
    }))
}

fn grant(services: &Services, fields: &Fields, token_uri: &str) -> Result<Value, Refusal> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let request = Assertion {
        grant_type: field("grant_type"),
        assertion: field("assertion"),
    };
    let token = services
        .accounts
        .grant(&request, token_uri, services.now())?;
    Ok(json!({
        "access_token": token.text,
        "expires_in": token.lifetime - 1,
        "token_type": "Bearer",
    }))
}

/// The fields of a request.
struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a form, which client libraries send, or JSON, which the API reference documents.
    async fn read(request: Request) -> Self {
        let fields = match is_json(&request) {
            true => {
                let body = Bytes::from_request(request, &()).await.ok();
                body.and_then(|body| content::json::parse(&body, limits::HTTP_BODY).ok())
            }
            false => {
                let form = Form::from_request(request, &()).await;
                form.ok().map(|Form(fields)| fields)
            }
        };
        Self(fields.unwrap_or_default())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn exchange(&self) -> Exchange {
        let field = |snake, camel| self.get(snake).or_else(|| self.get(camel));
        let field = |snake, camel| field(snake, camel).unwrap_or_default().to_owned();
        Exchange {
            grant_type: field("grant_type", "grantType"),
            audience: field("audience", "audience"),
            scope: field("scope", "scope"),
            requested_token_type: field("requested_token_type", "requestedTokenType"),
            subject_token: field("subject_token", "subjectToken"),
            subject_token_type: field("subject_token_type", "subjectTokenType"),
            options: Ignored::default(),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get("content-type");
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn answer(answer: Result<Value, Refusal>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
