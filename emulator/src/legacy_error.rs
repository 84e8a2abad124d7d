//! Errors of Google's older APIs.

use crate::status::Status;

/// An error of Compute Engine or of Cloud Storage, whose JSON APIs are older than `google.rpc.Status` and have a format of their own
/// (Compute Engine, "Troubleshooting API errors"; Cloud Storage, "HTTP status and error codes for JSON").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LegacyError {
    /// The HTTP status.
    pub code: u16,
    /// The kind of error.
    pub reason: &'static str,
    /// The message for developers.
    pub message: String,
}

impl LegacyError {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            reason,
            message,
        }
    }

    /// 400: the request is invalid.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    /// 404: there is no such method.
    pub fn no_method() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    /// 501: the emulator does not have this feature of Google.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(501, "notImplemented", message)
    }
}

/// An error that all services have in common.
impl From<Status> for LegacyError {
    fn from(status: Status) -> Self {
        let reason = match status.code {
            400 => "invalid",
            401 => "authError",
            403 => "forbidden",
            404 => "notFound",
            409 => "conflict",
            412 => "conditionNotMet",
            501 => "notImplemented",
            _ => "backendError",
        };
        // A stale etag of a policy is a precondition here.
        let (code, reason) = match status.name {
            "ABORTED" => (412, "conditionNotMet"),
            _ => (status.code, reason),
        };
        Self::new(code, reason, status.message)
    }
}
