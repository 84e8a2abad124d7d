//! Errors of services as HTTP answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::legacy_error::LegacyError;
use crate::oauth::Refusal;
use crate::status::Status;

/// `google.rpc.Status` over HTTP (AIP-193).
impl IntoResponse for Status {
    fn into_response(self) -> Response {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.name});
        if !self.details.is_empty() {
            error["details"] = self.details.into();
        }
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (code, Json(json!({"error": error}))).into_response()
    }
}

impl LegacyError {
    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for LegacyError {
    fn into_response(self) -> Response {
        let status = self.status();
        let Self {
            code,
            reason,
            message,
        } = self;
        let one = json!({"message": message, "domain": "global", "reason": reason});
        let body = json!({"error": {"code": code, "message": message, "errors": [one]}});
        (status, Json(body)).into_response()
    }
}

/// An error of OAuth (RFC 6749, section 5.2).
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}
