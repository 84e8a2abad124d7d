//! Errors of Compute Engine.

use std::fmt::Display;
use std::net::SocketAddr;

use crate::launch;
use crate::legacy_error::LegacyError;

/// 400: a field has an invalid value.
pub fn invalid(field: &str, value: impl Display, why: impl Display) -> LegacyError {
    let message = format!("Invalid value for field '{field}': '{value}'. {why}");
    LegacyError::new(400, "invalid", message)
}

/// 400: a field is missing.
pub fn required(field: &str) -> LegacyError {
    let message = format!("Required field '{field}' not specified");
    LegacyError::new(400, "required", message)
}

/// 400: the resource is in the wrong state.
pub fn not_ready(resource: &str) -> LegacyError {
    let message = format!("The resource '{resource}' is not ready");
    LegacyError::new(400, "resourceNotReady", message)
}

/// 400: another resource uses it.
pub fn in_use(resource: &str, by: &str) -> LegacyError {
    let message = format!("The resource '{resource}' is already being used by '{by}'");
    LegacyError::new(400, "resourceInUseByAnotherResource", message)
}

/// 400: the machine of another instance has the metadata server.
pub fn one_machine(address: SocketAddr, other: &str) -> LegacyError {
    let message = format!(
        "The emulator runs one machine at a time, which has the metadata server at {address}: stop '{other}' first."
    );
    LegacyError::new(400, "resourceInUseByAnotherResource", message)
}

/// 400: another program has the address of the metadata server.
pub fn no_metadata_server(error: &launch::Error) -> LegacyError {
    let message = format!("{error} ({})", error.hint());
    LegacyError::new(400, "resourceInUseByAnotherResource", message)
}

/// 400: the caller must not use the service account.
pub fn account(email: &str, caller: &str) -> LegacyError {
    let message = format!(
        "The user does not have access to service account '{email}'.  User: '{caller}'.  Ask a project owner to grant you the \
         iam.serviceAccountUser role on the service account"
    );
    LegacyError::new(400, "serviceAccountAccessDenied", message)
}

/// 403: the caller lacks the permission.
pub fn denied(permission: &str, resource: &str) -> LegacyError {
    let message = format!("Required '{permission}' permission for '{resource}'");
    LegacyError::new(403, "forbidden", message)
}

/// 404: the resource does not exist.
pub fn not_found(resource: &str) -> LegacyError {
    let message = format!("The resource '{resource}' was not found");
    LegacyError::new(404, "notFound", message)
}

/// 409: the resource exists already.
pub fn exists(resource: &str) -> LegacyError {
    let message = format!("The resource '{resource}' already exists");
    LegacyError::new(409, "alreadyExists", message)
}

/// 412: the resource was changed since it was read.
pub fn condition() -> LegacyError {
    let message = "Supplied fingerprint does not match current metadata fingerprint.";
    LegacyError::new(412, "conditionNotMet", message)
}
