use std::fmt::Display;
use std::net::SocketAddr;

use crate::launch;
use crate::status::Status;

/// An error of Compute Engine, in a format of its own ("Troubleshooting API errors").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComputeError {
    /// The HTTP status.
    pub code: u16,
    /// The kind of error.
    pub reason: &'static str,
    /// The message for developers.
    pub message: String,
}

impl ComputeError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            reason,
            message,
        }
    }

    /// 400: a field has an invalid value.
    pub fn invalid(field: &str, value: impl Display, why: impl Display) -> Self {
        let message = format!("Invalid value for field '{field}': '{value}'. {why}");
        Self::new(400, "invalid", message)
    }

    /// 400: the request is invalid as a whole.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    /// 400: a field is missing.
    pub fn required(field: &str) -> Self {
        let message = format!("Required field '{field}' not specified");
        Self::new(400, "required", message)
    }

    /// 400: the resource is in the wrong state.
    pub fn not_ready(resource: &str) -> Self {
        let message = format!("The resource '{resource}' is not ready");
        Self::new(400, "resourceNotReady", message)
    }

    /// 400: another resource uses it.
    pub fn in_use(resource: &str, by: &str) -> Self {
        let message = format!("The resource '{resource}' is already being used by '{by}'");
        Self::new(400, "resourceInUseByAnotherResource", message)
    }

    /// 400: the machine of another instance has the metadata server.
    pub fn one_machine(address: SocketAddr, other: &str) -> Self {
        let message = format!(
            "The emulator runs one machine at a time, which has the metadata server at {address}: stop '{other}' first."
        );
        Self::new(400, "resourceInUseByAnotherResource", message)
    }

    /// 400: another program has the address of the metadata server.
    pub fn no_metadata_server(error: &launch::Error) -> Self {
        let message = format!("{error} ({})", error.hint());
        Self::new(400, "resourceInUseByAnotherResource", message)
    }

    /// 400: the caller must not use the service account.
    pub fn account(email: &str, caller: &str) -> Self {
        let message = format!(
            "The user does not have access to service account '{email}'.  User: '{caller}'.  Ask a project owner to grant you the \
             iam.serviceAccountUser role on the service account"
        );
        Self::new(400, "serviceAccountAccessDenied", message)
    }

    /// 403: the caller lacks the permission.
    pub fn denied(permission: &str, resource: &str) -> Self {
        let message = format!("Required '{permission}' permission for '{resource}'");
        Self::new(403, "forbidden", message)
    }

    /// 404: the resource does not exist.
    pub fn not_found(resource: &str) -> Self {
        let message = format!("The resource '{resource}' was not found");
        Self::new(404, "notFound", message)
    }

    /// 404: there is no such method.
    pub fn no_method() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    /// 409: the resource exists already.
    pub fn exists(resource: &str) -> Self {
        let message = format!("The resource '{resource}' already exists");
        Self::new(409, "alreadyExists", message)
    }

    /// 412: the resource was changed since it was read.
    pub fn condition() -> Self {
        let message = "Supplied fingerprint does not match current metadata fingerprint.";
        Self::new(412, "conditionNotMet", message)
    }
}

/// An error that all services have in common.
impl From<Status> for ComputeError {
    fn from(status: Status) -> Self {
        let reason = match status.code {
            400 => "invalid",
            401 => "authError",
            403 => "forbidden",
            404 => "notFound",
            _ => "backendError",
        };
        Self::new(status.code, reason, status.message)
    }
}
