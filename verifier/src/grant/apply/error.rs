//! Why a policy was not changed, and what the reader can do.

use std::error::Error;
use std::fmt::Display;

use console::hint::Hinted;

pub(super) const WRITING: &str = "writing";
pub(super) const READING: &str = "reading";

/// A change of a policy that did not happen, as far as we know.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The credentials cannot be used, or the client cannot be made.
    #[error("opening the key service: {0}")]
    Open(Hinted),
    /// The policy cannot be read or written.
    #[error("{doing} policy of {key}: {fault}")]
    Policy {
        /// Reading or writing.
        doing: &'static str,
        /// Of which key.
        key: String,
        /// What is wrong.
        fault: Hinted,
    },
}

impl ApplyError {
    /// What the reader can do, by cause.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Open(fault) | Self::Policy { fault, .. } => fault.hint(),
        }
    }

    pub(super) fn credentials(error: &signer::Error) -> Self {
        Self::Open(Hinted::new(error).hinting(error.hint()))
    }

    pub(super) fn client(error: &dyn Error) -> Self {
        Self::Open(Hinted::new(error).hinting(SERVICE))
    }

    pub(super) fn reading(key: &str, error: &google_cloud_kms_v1::Error) -> Self {
        Self::policy(READING, key, error, service_hint(error).unwrap_or(AGAIN))
    }

    /// `members` is the number of members that the policy would have.
    pub(super) fn writing(key: &str, error: &google_cloud_kms_v1::Error, members: usize) -> Self {
        Self::policy(WRITING, key, error, write_hint(error, members))
    }

    /// The service does not answer.
    pub(super) fn silent(doing: &'static str, key: &str, seconds: u64) -> Self {
        let hint = match doing {
            WRITING => UNKNOWN,
            _ => SERVICE,
        };
        let silent = format_args!("no answer within {seconds} seconds");
        Self::policy(doing, key, silent, hint)
    }

    /// A write without an etag would undo whatever others wrote since.
    pub(super) fn no_etag(key: &str) -> Self {
        Self::policy(READING, key, "no etag", AGAIN)
    }

    /// Other writers were faster each time.
    pub(super) fn contention(key: &str, attempts: u32, seconds: u64) -> Self {
        let overtaken =
            format_args!("overtaken {attempts} times by other writers, in {seconds} seconds");
        Self::policy(WRITING, key, overtaken, BUSY)
    }

    fn policy(doing: &'static str, key: &str, fault: impl Display, hint: &'static str) -> Self {
        Self::Policy {
            doing,
            key: key.to_owned(),
            fault: Hinted::new(fault).hinting(hint),
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
