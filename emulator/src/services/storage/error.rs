//! Errors of Cloud Storage.

use crate::legacy_error::LegacyError;

pub(super) fn bucket_name(name: &str) -> LegacyError {
    LegacyError::bad_request(format!("Invalid bucket name: '{name}'"))
}

pub(super) fn object_name() -> LegacyError {
    LegacyError::bad_request("Invalid object name")
}

pub(super) fn checksum(given: u32, actual: u32) -> LegacyError {
    LegacyError::bad_request(format!(
        "Provided CRC32C \"{given}\" doesn't match calculated CRC32C \"{actual}\"."
    ))
}

/// 403: the caller lacks the permission.
pub(super) fn denied(permission: &str, kind: &str) -> LegacyError {
    let message = format!(
        "Caller does not have {permission} access to the Google Cloud Storage {kind}. Permission '{permission}' denied on \
         resource (or it may not exist)."
    );
    LegacyError::new(403, "forbidden", message)
}

pub(super) fn no_bucket() -> LegacyError {
    LegacyError::new(404, "notFound", "The specified bucket does not exist.")
}

/// 404: the upload is finished, was cancelled, or never began.
pub fn gone() -> LegacyError {
    LegacyError::new(404, "notFound", "The upload does not exist.")
}

pub(super) fn no_object(bucket: &str, object: &str) -> LegacyError {
    LegacyError::new(
        404,
        "notFound",
        format!("No such object: {bucket}/{object}"),
    )
}

pub(super) fn exists() -> LegacyError {
    let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
         Please select a different name and try again.";
    LegacyError::new(409, "conflict", message)
}

pub(super) fn not_empty() -> LegacyError {
    let message = "The bucket you tried to delete is not empty.";
    LegacyError::new(409, "conflict", message)
}

pub(super) fn precondition() -> LegacyError {
    let message = "At least one of the pre-conditions you specified did not hold.";
    LegacyError::new(412, "conditionNotMet", message)
}
