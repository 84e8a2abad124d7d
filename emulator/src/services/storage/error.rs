use crate::status::Status;

/// An error of Cloud Storage: its JSON API is older than `google.rpc.Status` and has a format of its own ("HTTP status and error
/// codes for JSON").
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StorageError {
    /// The HTTP status.
    pub code: u16,
    /// The kind of error.
    pub reason: &'static str,
    /// The message for developers.
    pub message: String,
}

impl StorageError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            code,
            reason,
            message,
        }
    }

    /// 400: the request is invalid.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message)
    }

    pub(super) fn bucket_name(name: &str) -> Self {
        Self::invalid(format!("Invalid bucket name: '{name}'"))
    }

    pub(super) fn object_name() -> Self {
        Self::invalid("Invalid object name")
    }

    pub(super) fn checksum(given: u32, actual: u32) -> Self {
        Self::invalid(format!(
            "Provided CRC32C \"{given}\" doesn't match calculated CRC32C \"{actual}\"."
        ))
    }

    /// 403: the caller lacks the permission.
    pub(super) fn denied(permission: &str, kind: &str) -> Self {
        let message = format!(
            "Caller does not have {permission} access to the Google Cloud Storage {kind}. Permission '{permission}' denied on \
             resource (or it may not exist)."
        );
        Self::new(403, "forbidden", message)
    }

    pub(super) fn no_bucket() -> Self {
        Self::new(404, "notFound", "The specified bucket does not exist.")
    }

    /// 404: the upload is finished, was cancelled, or never began.
    pub fn gone() -> Self {
        Self::new(404, "notFound", "The upload does not exist.")
    }

    pub(super) fn no_object(bucket: &str, object: &str) -> Self {
        Self::new(
            404,
            "notFound",
            format!("No such object: {bucket}/{object}"),
        )
    }

    /// 404: there is no such method.
    pub fn no_method() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    pub(super) fn exists() -> Self {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
             Please select a different name and try again.";
        Self::new(409, "conflict", message)
    }

    pub(super) fn not_empty() -> Self {
        let message = "The bucket you tried to delete is not empty.";
        Self::new(409, "conflict", message)
    }

    pub(super) fn precondition() -> Self {
        let message = "At least one of the pre-conditions you specified did not hold.";
        Self::new(412, "conditionNotMet", message)
    }

    /// 501: the emulator does not have this feature of Google.
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(501, "notImplemented", message)
    }
}

/// An error that all services have in common.
impl From<Status> for StorageError {
    fn from(status: Status) -> Self {
        let reason = match status.code {
            400 => "invalid",
            401 => "authError",
            403 => "forbidden",
            404 => "notFound",
            409 => "conflict",
            412 => "conditionNotMet",
            501 => "notImplemented",
            _ => "internalError",
        };
        // A stale etag of a policy is a precondition here.
        let (code, reason) = match status.name {
            "ABORTED" => (412, "conditionNotMet"),
            _ => (status.code, reason),
        };
        Self::new(code, reason, status.message)
    }
}
