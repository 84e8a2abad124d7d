//! Errors as Google's interfaces word them: `google.rpc.Status` (AIP-193).

use serde_json::{Value, json};

/// A refusal of one of Google's interfaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// Its name.
    pub name: &'static str,
    /// What a person reads.
    pub message: String,
    /// What a client library reads.
    pub details: Vec<Value>,
}

impl Status {
    fn new(code: u16, name: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            name,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// 400: the request makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// 400: not in this state.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    /// 401: who asks is not known.
    pub fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
             login cookie or other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(401, "UNAUTHENTICATED", message)
    }

    /// 403: whoever asks may not.
    pub fn denied(permission: &str, resource: &str) -> Self {
        let message = format!(
            "Permission '{permission}' denied on resource '{resource}' (or it may not exist)."
        );
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "IAM_PERMISSION_DENIED",
            "domain": "iam.googleapis.com",
            "metadata": {"permission": permission, "resource": resource},
        })];
        Self {
            details,
            ..Self::new(403, "PERMISSION_DENIED", message)
        }
    }

    /// 403: the token does not reach that far.
    pub fn scopes() -> Self {
        let message = "Request had insufficient authentication scopes.";
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
        })];
        Self {
            details,
            ..Self::new(403, "PERMISSION_DENIED", message)
        }
    }

    /// 403: there is no such project, or it is not the caller's.
    pub fn no_project(project: &str) -> Self {
        Self::denied(
            "resourcemanager.projects.get",
            &format!("projects/{project}"),
        )
    }

    /// 403: there is no such location, or the project may not use it.
    pub fn no_location(location: &str) -> Self {
        let resource = format!("locations/{location}");
        let message = format!("Permission denied on '{resource}' (or it may not exist).");
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "LOCATION_ACCESS_DENIED",
            "domain": "googleapis.com",
            "metadata": {"location": location},
        })];
        Self {
            details,
            ..Self::new(403, "PERMISSION_DENIED", message)
        }
    }

    /// 404: no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    /// 409: there is one already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(409, "ALREADY_EXISTS", message)
    }

    /// 409: somebody else was faster.
    pub fn aborted() -> Self {
        let message = "There were concurrent policy changes. Please retry the whole \
             read-modify-write with exponential backoff. The request's ETag did not match the current policy's ETag.";
        Self::new(409, "ABORTED", message)
    }

    /// 429: too much at a time.
    pub fn exhausted(message: impl Into<String>) -> Self {
        Self::new(429, "RESOURCE_EXHAUSTED", message)
    }

    /// 501: Google has it, and this cloud has not.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(501, "UNIMPLEMENTED", message)
    }

    /// 500: our own fault.
    pub fn internal() -> Self {
        Self::new(500, "INTERNAL", "Internal error encountered.")
    }
}
