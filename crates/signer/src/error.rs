use std::io;
use std::path::PathBuf;

/// Why something was not signed or not published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A reference to a key that names neither a file nor a key version.
    #[error("parsing key: expected a file or gcpkms://projects/…/cryptoKeyVersions/N, found {0:?}")]
    KeyRef(String),
    /// A key file that cannot be read.
    #[error("reading key {}: {source}", path.display())]
    KeyFile {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file with something else in it.
    #[error("reading key {}: {source}", path.display())]
    Key {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        source: signature::Error,
    },
    /// No credentials for Google Cloud.
    #[error("finding credentials for Google Cloud: {0}")]
    Credentials(#[source] google_cloud_auth::build_errors::Error),
    /// Credentials with which there is no access token.
    #[error("obtaining an access token for Google Cloud: {0}")]
    NoToken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No access token in time: as a rule there are no credentials, and this is no machine of Google Cloud.
    #[error(
        "obtaining an access token for Google Cloud: no answer within {seconds} seconds from the token \
         endpoint of the credentials, or from the metadata server where there are none"
    )]
    SlowToken {
        /// How long it was waited for.
        seconds: u64,
    },
    /// An address for Cloud KMS that is none.
    #[error(
        "parsing the endpoint of Cloud KMS: expected https://…, or http://… on this machine, found {0:?}"
    )]
    KmsEndpoint(String),
    /// There is no client for Cloud KMS.
    #[error("opening Cloud KMS: {0}")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Cloud KMS refuses or cannot be reached.
    #[error("asking Cloud KMS for {what} of {key}: {source}")]
    CloudKms {
        /// What was asked for.
        what: &'static str,
        /// The key version.
        key: String,
        /// The answer.
        source: Box<google_cloud_kms_v1::Error>,
    },
    /// Cloud KMS does not answer.
    #[error("asking Cloud KMS for {what} of {key}: no answer within {seconds} seconds")]
    Silent {
        /// What was asked for.
        what: &'static str,
        /// The key version.
        key: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// What Cloud KMS answered is not what it sent, or not what was asked for.
    #[error(
        "checking the answer of Cloud KMS: {what} of {key}: expected {expected}, found {found}"
    )]
    Answer {
        /// Which part.
        what: &'static str,
        /// The key version.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A key, payload or envelope.
    #[error(transparent)]
    Signature(#[from] signature::Error),
    /// A statement.
    #[error(transparent)]
    Statement(#[from] attest::Error),
    /// The registry.
    #[error("publishing: {0}")]
    Registry(#[from] remote::Error),
    /// A name that cannot be made.
    #[error("publishing: {0}")]
    Name(#[from] oci::Error),
}

impl Error {
    /// What the reader can do, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KeyRef(_) | Self::KeyFile { .. } | Self::Key { .. } | Self::Signature(_) => {
                "a key is a PEM file, as `builder keygen` writes it, or \
                 gcpkms://projects/…/cryptoKeyVersions/N"
            }
            Self::Credentials(_) | Self::NoToken(_) | Self::SlowToken { .. } => CREDENTIALS,
            Self::CloudKms { source, .. } => kms_hint(source),
            Self::KmsEndpoint(_) | Self::Client(_) | Self::Silent { .. } => ENDPOINT,
            Self::Answer { .. } => "is it Cloud KMS that answers? then try again",
            Self::Registry(error) => error.hint(),
            Self::Statement(_) | Self::Name(_) => {
                "what hangs on the image in the registry cannot be read: who put it there?"
            }
        }
    }
}

const CREDENTIALS: &str = "set GOOGLE_APPLICATION_CREDENTIALS to a file with credentials, or run \
                           `gcloud auth application-default login`";
const ENDPOINT: &str = "Cloud KMS is asked at its public address, or at --kms-endpoint URL";

fn kms_hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    match error.status().map(|status| status.code.name()) {
        _ if is_authentication(error) => CREDENTIALS,
        Some("UNAUTHENTICATED") => CREDENTIALS,
        Some(_) => "does the key version exist, and may these credentials sign with it?",
        None => ENDPOINT,
    }
}

/// Once its retries are used up, the client wraps what they failed for.
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
    fn a_full_registry_is_no_matter_of_keys() {
        let url = String::new();
        let error = Error::Registry(remote::Error::Entries { url, limit: 256 });
        assert!(error.hint().contains("registry"));
    }
}
