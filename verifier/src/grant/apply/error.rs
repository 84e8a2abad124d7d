//! Why a policy was not changed, and what the reader can do.

pub(super) const WRITING: &str = "writing";

/// A change of a policy that did not happen, as far as we know.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No credentials, or none that are good for an access token.
    #[error("opening the key service: {0}")]
    Credentials(#[source] Box<signer::Error>),
    /// The client cannot be made.
    #[error("opening the key service: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The policy cannot be read.
    #[error("reading policy of {key}: {source}")]
    Read {
        /// Of which key.
        key: String,
        /// What the service said.
        source: google_cloud_kms_v1::Error,
    },
    /// The policy cannot be written.
    #[error("writing policy of {key}: {source}")]
    Write {
        /// Of which key.
        key: String,
        /// What the service said.
        source: google_cloud_kms_v1::Error,
        /// Members that the policy would have.
        members: usize,
    },
    /// The service does not answer.
    #[error("{doing} policy of {key}: no answer within {seconds} seconds")]
    Silent {
        /// Reading or writing.
        doing: &'static str,
        /// Of which key.
        key: String,
        /// How long we waited.
        seconds: u64,
    },
    /// A write without an etag would undo whatever others wrote since.
    #[error("reading policy of {key}: no etag")]
    NoEtag {
        /// Of which key.
        key: String,
    },
    /// Other writers were faster each time.
    #[error(
        "writing policy of {key}: overtaken {attempts} times by other writers, in {seconds} seconds"
    )]
    Contention {
        /// Of which key.
        key: String,
        /// How often it was tried.
        attempts: u32,
        /// How long it was tried.
        seconds: u64,
    },
}

impl ApplyError {
    /// What the reader can do, by cause.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Silent { doing, .. } if *doing == WRITING => UNKNOWN,
            Self::Credentials(source) => source.hint(),
            Self::Client(_) | Self::Silent { .. } => SERVICE,
            Self::Read { source, .. } => read_hint(source),
            Self::Write {
                source, members, ..
            } => write_hint(source, *members),
            Self::NoEtag { .. } => AGAIN,
            Self::Contention { .. } => BUSY,
        }
    }
}

/// Members of one policy at the most (IAM, quotas and limits).
const MEMBERS: usize = 1500;
const SERVICE: &str = "the key service is asked at its public address, or at --kms-endpoint";
const CREDENTIALS: &str = "the key service is asked with GOOGLE_APPLICATION_CREDENTIALS, at its public address or at --kms-endpoint";
const AGAIN: &str = "the policy is as it was or as others left it; the command can be repeated";
const BUSY: &str =
    "the policy is as others left it: find out what keeps writing to it, and repeat the command";
const UNKNOWN: &str =
    "whether the policy was written is not known: look at it, or repeat the command";
const FULL: &str = "the policy is as it was: it may have 1500 members at the most; revoke digests that are \
                    not to run any more";
const REFUSED: &str = "the policy is as it was: does the pool of the grant exist, and its role?";

fn read_hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    service_hint(error).unwrap_or(AGAIN)
}

/// An answer that refuses the request says that nothing was written.
fn write_hint(error: &google_cloud_kms_v1::Error, members: usize) -> &'static str {
    let is_refused = matches!(
        code(error).as_deref(),
        Some("INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "RESOURCE_EXHAUSTED")
    );
    match service_hint(error) {
        Some(hint) => hint,
        None if is_refused && members > MEMBERS => FULL,
        None if is_refused => REFUSED,
        None => UNKNOWN,
    }
}

fn service_hint(error: &google_cloud_kms_v1::Error) -> Option<&'static str> {
    match code(error).as_deref() {
        _ if error.is_authentication() => Some(CREDENTIALS),
        Some("NOT_FOUND") => Some("is the key of the grant spelled as Cloud KMS has it?"),
        Some("PERMISSION_DENIED") => Some(
            "the credentials need cloudkms.cryptoKeys.getIamPolicy and setIamPolicy on the key",
        ),
        Some("UNAUTHENTICATED") => Some(CREDENTIALS),
        _ => None,
    }
}

/// The name of the error, also where the service answers with an HTTP status alone.
pub(super) fn code(error: &google_cloud_kms_v1::Error) -> Option<String> {
    if let Some(status) = error.status() {
        return Some(status.code.name().to_owned());
    }
    let name = match error.http_status_code()? {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        // It is also ALREADY_EXISTS, which no write of a policy answers.
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        _ => return None,
    };
    Some(name.to_owned())
}
