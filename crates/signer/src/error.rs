use content::at::At;

/// Why signing or publishing failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key reference or a key is invalid, or the key cannot do what is asked.
    #[error("{0}")]
    Key(String),
    /// A key file cannot be read.
    #[error(transparent)]
    File(#[from] At),
    /// A key is encrypted, and there is no password or a wrong one.
    #[error("{0}")]
    Password(String),
    /// A token of PKCS #11 cannot be used.
    #[error("using a PKCS #11 token: {0}")]
    Token(String),
    /// There are no credentials for Google Cloud, or no access token is obtained with them.
    #[error("{0}")]
    Credentials(String),
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
    /// The endpoint of Cloud KMS is invalid or does not answer.
    #[error("{0}")]
    Endpoint(String),
    /// The answer of Cloud KMS is for another request, or a checksum does not match.
    #[error("checking the answer of Cloud KMS: {0}")]
    Answer(String),
    /// A statement, a manifest or the name of a tag is invalid.
    #[error("{0}")]
    Statement(String),
    /// A request to the registry failed.
    #[error("publishing: {0}")]
    Registry(#[from] remote::Error),
}

impl From<signature::Error> for Error {
    fn from(error: signature::Error) -> Self {
        match error {
            signature::Error::Encrypted | signature::Error::Password => {
                Self::Password(error.to_string())
            }
            _ => Self::Key(error.to_string()),
        }
    }
}

impl From<attest::Error> for Error {
    fn from(error: attest::Error) -> Self {
        Self::Statement(error.to_string())
    }
}

impl From<oci::Error> for Error {
    fn from(error: oci::Error) -> Self {
        Self::Statement(format!("publishing: {error}"))
    }
}

impl Error {
    /// The same error, of the key in this file.
    pub(crate) fn of_file(self, path: &std::path::Path) -> Self {
        let message = |text: String| format!("reading key {}: {text}", path.display());
        match self {
            Self::Key(text) => Self::Key(message(text)),
            Self::Password(text) => Self::Password(message(text)),
            other => other,
        }
    }

    /// What the user can do about the error, in one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::File(_) => {
                "pass a PEM file, as `builder keygen` or cosign writes it, \
                 gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:token=…;object=…"
            }
            Self::Password(_) => "set COSIGN_PASSWORD, or type the password on a terminal",
            Self::Token(_) => {
                "check module-path or --pkcs11-module, the labels of token and key, and the PIN, which \
                 COSIGN_PKCS11_PIN may hold"
            }
            Self::Credentials(_) => CREDENTIALS,
            Self::CloudKms { source, .. } => kms_hint(source),
            Self::Endpoint(_) => ENDPOINT,
            Self::Answer(_) => "try again; if it fails again, check that the endpoint is Cloud KMS",
            Self::Registry(error) => error.hint(),
            Self::Statement(_) => {
                "the image's manifest, or something attached to it, cannot be read: check what was pushed"
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
