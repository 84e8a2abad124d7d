use std::io;
use std::path::PathBuf;

/// Why signing or publishing failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key reference that names neither a file nor a key version.
    #[error("parsing key: expected a file or gcpkms://projects/…/cryptoKeyVersions/N, found {0:?}")]
    KeyRef(String),
    /// A key file cannot be read.
    #[error("reading key {}: {source}", path.display())]
    KeyFile {
        /// The key file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A key file does not hold a usable key.
    #[error("reading key {}: {source}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// The parser's error.
        source: signature::Error,
    },
    /// There are no credentials for Google Cloud.
    #[error("finding credentials for Google Cloud: {0}")]
    Credentials(#[source] google_cloud_auth::build_errors::Error),
    /// No access token can be obtained with the credentials.
    #[error("obtaining an access token for Google Cloud: {0}")]
    NoToken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No access token was obtained in time. Usually there are no credentials, and this machine is not in
    /// Google Cloud.
    #[error(
        "obtaining an access token for Google Cloud: no answer within {seconds} seconds from the token \
                 endpoint of the credentials, or from the metadata server if there are no credentials"
    )]
    SlowToken {
        /// The time limit in seconds.
        seconds: u64,
    },
    /// An invalid URL for Cloud KMS.
    #[error(
        "parsing the endpoint of Cloud KMS: expected https://…, or http://… on this machine, found {0:?}"
    )]
    KmsEndpoint(String),
    /// The client for Cloud KMS cannot be built.
    #[error("opening Cloud KMS: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Cloud KMS refuses or cannot be reached.
    #[error("requesting {what} of {key} from Cloud KMS: {source}")]
    CloudKms {
        /// What was requested: the public key or a signature.
        what: &'static str,
        /// The name of the key version.
        key: String,
        /// The client's error.
        source: Box<google_cloud_kms_v1::Error>,
    },
    /// Cloud KMS does not answer.
    #[error("requesting {what} of {key} from Cloud KMS: no answer within {seconds} seconds")]
    Silent {
        /// What was requested: the public key or a signature.
        what: &'static str,
        /// The name of the key version.
        key: String,
        /// The time limit in seconds.
        seconds: u64,
    },
    /// The answer of Cloud KMS is for another request, or a checksum does not match.
    #[error(
        "checking the answer of Cloud KMS: {what} of {key}: expected {expected}, found {found}"
    )]
    Answer {
        /// The member of the answer.
        what: &'static str,
        /// The name of the key version.
        key: String,
        /// The expected value.
        expected: String,
        /// The value in the answer, at most 200 characters.
        found: String,
    },
    /// A key, payload or envelope is invalid.
    #[error(transparent)]
    Signature(#[from] signature::Error),
    /// A statement is invalid.
    #[error(transparent)]
    Statement(#[from] attest::Error),
    /// A request to the registry failed.
    #[error("publishing: {0}")]
    Registry(#[from] remote::Error),
    /// A manifest in the registry is invalid, or a tag name cannot be formed.
    #[error("publishing: {0}")]
    Name(#[from] oci::Error),
}

impl Error {
    /// What the user can do about the error, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KeyRef(_) | Self::KeyFile { .. } | Self::Key { .. } | Self::Signature(_) => {
                "pass a PEM file, as `builder keygen` writes it, or \
                                 gcpkms://projects/…/cryptoKeyVersions/N"
            }
            Self::Credentials(_) | Self::NoToken(_) | Self::SlowToken { .. } => CREDENTIALS,
            Self::CloudKms { source, .. } => kms_hint(source),
            Self::KmsEndpoint(_) | Self::Client(_) | Self::Silent { .. } => ENDPOINT,
            Self::Answer { .. } => {
                "try again; if it fails again, check that the endpoint is Cloud KMS"
            }
            Self::Registry(error) => error.hint(),
            Self::Statement(_) | Self::Name(_) => {
                "the image's manifest, or what is attached to it, cannot be read: check what was pushed"
            }
        }
    }
}

const CREDENTIALS: &str = "set GOOGLE_APPLICATION_CREDENTIALS to a file with credentials, or run \
                           `gcloud auth application-default login`";
const ENDPOINT: &str = "check the network and --kms-endpoint, if it is given";

fn kms_hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    match error.status().map(|status| status.code.name()) {
        _ if is_authentication(error) => CREDENTIALS,
        Some("UNAUTHENTICATED") => CREDENTIALS,
        Some(_) => "check that the key version exists and that these credentials may sign with it",
        None => ENDPOINT,
    }
}

/// Whether the cause is an authentication error. When its retries are used up, the client wraps the
/// error of the last.
fn is_authentication(error: &google_cloud_kms_v1::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let known = error.downcast_ref::<google_cloud_kms_v1::Error>();
        if known.is_some_and(google_cloud_kms_v1::Error::is_authentication) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_registry_has_the_registrys_hint() {
        let url = String::new();
        let error = Error::Registry(remote::Error::Entries { url, limit: 256 });
        assert!(error.hint().contains("registry"));
    }
}
