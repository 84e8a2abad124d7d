//! Errors of Google's APIs: `google.rpc.Status` (AIP-193).

use serde_json::{Value, json};

/// An error of one of Google's APIs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// The name of the error code (`google.rpc.Code`).
    pub name: &'static str,
    /// The message for developers.
    pub message: String,
    /// The details for client libraries.
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

    /// 400: the request is invalid.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// 400: the message has an error at `field`, which is empty for the whole message.
    pub fn bad_request(field: &str, message: String) -> Self {
        let mut violation = json!({"description": message});
        if !field.is_empty() {
            violation["field"] = field.into();
        }
        let details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [violation],
        })];
        Self {
            details,
            ..Self::invalid(message)
        }
    }

    /// 400: the resource is in the wrong state.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    /// 401: the caller is not authenticated.
    pub fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
             login cookie or other valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(401, "UNAUTHENTICATED", message)
    }

    /// 403: the caller lacks the permission.
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

    /// 403, in the words of Secret Manager.
    pub fn denied_for(permission: &str, resource: &str) -> Self {
        let message = format!(
            "Permission '{permission}' denied for resource '{resource}' (or it may not exist)."
        );
        Self {
            message,
            ..Self::denied(permission, resource)
        }
    }

    /// 403: the scopes of the token are insufficient.
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

    /// 403: the project does not exist, or does not belong to the caller.
    pub fn no_project(project: &str) -> Self {
        Self::denied(
            "resourcemanager.projects.get",
            &format!("projects/{project}"),
        )
    }

    /// 403: the location does not exist, or the project must not use it.
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

    /// 404: the resource does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    /// 409: the resource exists already.
    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(409, "ALREADY_EXISTS", message)
    }

    /// 409: the policy was changed since it was read.
    pub fn aborted() -> Self {
        let message = "There were concurrent policy changes. Please retry the whole \
             read-modify-write with exponential backoff. The request's ETag did not match the current policy's ETag.";
        Self::new(409, "ABORTED", message)
    }

    /// 429: a quota is exhausted.
    pub fn exhausted(message: impl Into<String>) -> Self {
        Self::new(429, "RESOURCE_EXHAUSTED", message)
    }

    /// 501: the emulator does not have this feature of Google.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(501, "UNIMPLEMENTED", message)
    }

    /// 500: the emulator failed.
    pub fn internal() -> Self {
        Self::new(500, "INTERNAL", "Internal error encountered.")
    }
}
