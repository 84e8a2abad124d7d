//! Why a policy was not read or changed, and what the reader can do.

use std::fmt::Display;

use console::hint::Hinted;

/// What is done to the policy of a key.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Doing {
    Reading,
    Writing,
    Describing,
}

impl Doing {
    /// The policy of `key` cannot be read or written.
    pub(crate) fn failed(self, key: &str, fault: impl Display, hint: &'static str) -> Hinted {
        let doing = match self {
            Self::Reading => "reading policy of",
            Self::Writing => "writing policy of",
            Self::Describing => "reading",
        };
        Hinted::new(format_args!("{doing} {key}: {fault}")).hinting(hint)
    }

    /// The service does not answer.
    pub(crate) fn silent(self, key: &str, seconds: u64) -> Hinted {
        let hint = match self {
            Self::Reading | Self::Describing => SERVICE,
            Self::Writing => UNKNOWN,
        };
        self.failed(
            key,
            format_args!("no answer within {seconds} seconds"),
            hint,
        )
    }
}

/// The credentials cannot be used, or the client cannot be made.
pub(crate) fn opening(fault: impl Display, hint: &'static str) -> Hinted {
    Hinted::new(format_args!("connecting to Cloud KMS: {fault}")).hinting(hint)
}

/// The most members of one policy (IAM, quotas and limits).
const MEMBERS: usize = 1500;
pub(crate) const SERVICE: &str = "requests go to the public endpoint, or to --kms-endpoint";
pub(crate) const CREDENTIALS: &str = "check GOOGLE_APPLICATION_CREDENTIALS; requests go to the public endpoint, or to \
                           --kms-endpoint";
pub(crate) const AGAIN: &str = "the policy was not changed: repeat the command";
const DENIED: &str = "the credentials need cloudkms.cryptoKeys.getIamPolicy on the key, keyRings.getIamPolicy on its ring \
                      where that is read too, and setIamPolicy to change a policy";
const UNKNOWN: &str =
    "it is unknown whether the policy was changed: check it, or repeat the command";
const FULL: &str = "the policy was not changed: it can have at most 1500 members; revoke digests that must no \
                    longer run";
const REFUSED: &str =
    "the policy was not changed: check that the pool and the role of the grant exist";

pub(crate) fn read_hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    service_hint(error).unwrap_or(AGAIN)
}

pub(super) fn describe_hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    match code(error).as_deref() {
        Some("PERMISSION_DENIED") => "the credentials need cloudkms.cryptoKeys.get on the key",
        _ => service_hint(error).unwrap_or(SERVICE),
    }
}

/// An answer that refuses the request says that nothing was written.
pub(crate) fn write_hint(error: &google_cloud_kms_v1::Error, members: usize) -> &'static str {
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
        Some("NOT_FOUND") => Some("check the name of the key in the grant"),
        Some("PERMISSION_DENIED") => Some(DENIED),
        Some("UNAUTHENTICATED") => Some(CREDENTIALS),
        _ => None,
    }
}

/// The name of the error, also where the service answers with an HTTP status alone.
pub(crate) fn code(error: &google_cloud_kms_v1::Error) -> Option<String> {
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
