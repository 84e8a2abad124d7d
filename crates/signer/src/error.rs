use std::path::Path;

use content::at::{At, shown};

/// Why signing or publishing failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key reference or a key is invalid.
    #[error("{0}")]
    Key(String),
    /// A key is encrypted in a format that is not read.
    #[error("{0}")]
    Encryption(String),
    /// The key does not sign with the algorithm.
    #[error("{0}")]
    Algorithm(String),
    /// No signature is made, or it does not verify with the public key.
    #[error("{0}")]
    Signature(String),
    /// Cloud KMS does not sign a message of this length with Ed25519.
    #[error(
        "requesting a signature of {key} from Cloud KMS: expected a message of at most {limit} bytes, \
         as the key is of type ed25519, found {found}"
    )]
    Length {
        /// The name of the key version.
        key: String,
        /// The longest message in bytes.
        limit: usize,
        /// The length of the message in bytes.
        found: usize,
    },
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
    /// A public key is invalid, or does not sign with the algorithm.
    #[error("{0}")]
    PublicKey(String),
    /// The annotations of a signature are too large.
    #[error("{0}")]
    Annotations(String),
    /// A payload or an envelope that was made elsewhere cannot be read.
    #[error("{0}")]
    Payload(String),
    /// A signature that was made elsewhere does not verify, or is for another image.
    #[error("{0}")]
    Refused(String),
    /// A statement, a manifest or the name of a tag is invalid.
    #[error("{0}")]
    Statement(String),
    /// The identity token cannot be used.
    #[error("{0}")]
    IdentityToken(String),
    /// The signing config cannot be used.
    #[error("{0}")]
    SigningConfig(String),
    /// The trusted root cannot be used.
    #[error("{0}")]
    TrustedRoot(String),
    /// A service of the signing config cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// A service of the signing config refuses a request.
    #[error("{doing}: status {status}{}{message}", if .message.is_empty() { "" } else { ": " })]
    Service {
        /// What was requested, as a participle, with its URL.
        doing: String,
        /// Whether the certificate authority refuses, which is the only service that judges the user.
        is_authority: bool,
        /// The HTTP status.
        status: u16,
        /// The service's message, escaped for printing; empty if it sent none.
        message: String,
    },
    /// The answer of a service of the signing config cannot be used.
    #[error("{0}")]
    ServiceAnswer(String),
    /// What was signed with a certificate does not verify, and is not published.
    #[error("verifying the signature before it is published: {}: {}", .0.reason, .0.detail)]
    Unverified(keyless::Refusal),
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
            signature::Error::Encryption => Self::Encryption(error.to_string()),
            signature::Error::Algorithm(reason) => Self::Algorithm(reason),
            signature::Error::Signature { .. } => Self::Signature(error.to_string()),
            signature::Error::Invalid(reason) => Self::Key(reason),
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
    pub(crate) fn of_file(self, path: &Path) -> Self {
        let message = |text: String| format!("reading key {}: {text}", shown(path));
        match self {
            Self::Key(text) => Self::Key(message(text)),
            Self::Encryption(text) => Self::Encryption(message(text)),
            Self::Password(text) => Self::Password(message(text)),
            other => other,
        }
    }

    /// Whether the registry does not permit the request with these credentials.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Registry(error) if error.is_denied())
    }

    /// What the user can do about the error, in one line. `None` for an error of the operating system at a file.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Key(_) => KEY,
            Self::File(_) => return None,
            Self::Encryption(_) => {
                "`openssl pkey -in FILE -out PLAIN` decrypts it, or `cosign import-key-pair` encrypts it as cosign does"
            }
            Self::Algorithm(_) => "choose another --algorithm, or none",
            Self::Signature(_) => {
                "try again; if it fails again, the key is damaged, or its public key is that of another key"
            }
            Self::Length { .. } => {
                "sign with a key for ECDSA or RSA, which signs a digest, or with a key outside Cloud KMS"
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
            Self::IdentityToken(_) => {
                "pass a file with a new identity token of OpenID Connect, for the audience of the certificate authority"
            }
            Self::SigningConfig(_) => {
                "pass a signing config of version 0.2 with logs of Rekor 2, as `cosign signing-config create` writes it"
            }
            Self::TrustedRoot(_) => {
                "pass a trusted root, as `cosign trusted-root create` writes it"
            }
            Self::Unreachable(_) => "check the network, and the addresses in the signing config",
            Self::Service {
                is_authority,
                status,
                ..
            } => service_hint(*is_authority, *status),
            Self::ServiceAnswer(_) => {
                "check that the addresses in the signing config are those of services with this version of the API"
            }
            Self::Unverified(refusal) => unverified_hint(refusal.reason),
            Self::PublicKey(_) => {
                "pass a public key in PEM, as `builder keygen`, cosign and openssl write it, and an --algorithm of its type"
            }
            Self::Annotations(_) => "shorten the annotations, or give fewer",
            Self::Payload(_) => {
                "pass the bytes that `builder payload` printed, unchanged, or an envelope with an in-toto statement"
            }
            Self::Refused(_) => {
                "sign exactly the bytes that `builder payload` prints for this image, with the key's own algorithm or \
                 the one in --algorithm"
            }
            Self::Statement(_) => {
                "the image's manifest, or something attached to it, cannot be read: check what was pushed"
            }
        })
    }
}

const KEY: &str = "pass a PEM file, as `builder keygen` or cosign writes it, \
                   gcpkms://projects/…/cryptoKeyVersions/N, or pkcs11:token=…;object=…";

const CREDENTIALS: &str = "set GOOGLE_APPLICATION_CREDENTIALS to a file with credentials, or run \
                           `gcloud auth application-default login`";
const ENDPOINT: &str = "check the network and --kms-endpoint, if it is given";

fn service_hint(is_authority: bool, status: u16) -> &'static str {
    match status {
        400 | 401 | 403 if is_authority => {
            "get a new identity token, from an issuer and for an audience that the certificate authority accepts"
        }
        429 | 500.. => "try again later; if it fails again, ask the operator of the service",
        _ => "check the addresses in the signing config",
    }
}

fn unverified_hint(reason: keyless::Reason) -> &'static str {
    match reason {
        // The certificate is compared with the token before anything else is requested.
        keyless::Reason::Identity | keyless::Reason::Issuer => {
            "check that the signing config names the certificate authority that the identity token is for; nothing was logged \
             or published"
        }
        _ => {
            "pass the trusted root of the services in the signing config, and check the clock; the registry received \
             nothing, but the log may have entered the signature"
        }
    }
}

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
    use std::io;

    use super::*;

    #[test]
    fn an_error_of_the_registry_has_the_registrys_hint() {
        let url = String::new();
        let error = Error::Registry(remote::Error::Entries { url, limit: 256 });
        assert!(error.hint().unwrap().contains("registry"));
    }

    #[test]
    fn hints_fit_their_causes() {
        let file = |kind: io::ErrorKind| Error::File(At::reading(Path::new("k"))(kind.into()));
        assert_eq!(file(io::ErrorKind::PermissionDenied).hint(), None);
        assert_eq!(file(io::ErrorKind::IsADirectory).hint(), None);
        let of = |error: signature::Error| Error::from(error).hint().unwrap();
        assert_eq!(of(signature::Error::Invalid("x".to_owned())), KEY);
        assert!(of(signature::Error::Encryption).contains("`openssl pkey"));
        assert!(of(signature::Error::Encrypted).contains("COSIGN_PASSWORD"));
        assert!(of(signature::Error::Algorithm("x".to_owned())).contains("--algorithm"));
        let key = signature::PrivateKey::generate().unwrap();
        let unverified = key.public().verify(b"", b"").unwrap_err();
        assert!(of(unverified).contains("public key"));
    }

    #[test]
    fn a_path_in_a_message_is_printable() {
        let error = Error::Key("x".to_owned()).of_file(Path::new("a\u{1b}[2Jb"));
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
}
