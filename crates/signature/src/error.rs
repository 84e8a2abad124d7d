use content::Digest;
use content::json::JsonError;

/// Why a key, a signature or a signed document is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The private key is encrypted, and no password was given.
    #[error("parsing private key: the key is encrypted, and no password was given")]
    Encrypted,
    /// The private key is encrypted in a form that is not read.
    #[error("parsing private key: the key is encrypted in a format other than cosign's")]
    Encryption,
    /// The password does not decrypt the private key.
    #[error("decrypting private key: wrong password, or the file is damaged")]
    Password,
    /// The signature is not by this key over these bytes.
    #[error("verifying signature: it was not made with key {}", key.hex())]
    Signature {
        /// The key's digest.
        key: Digest,
    },
    /// The algorithm is not one of the key's.
    #[error("{0}")]
    Algorithm(String),
    /// A key or a document is invalid, or signing failed.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    pub(crate) fn document(what: &str, source: &JsonError) -> Self {
        Self::Invalid(format!("parsing {what}: {source}"))
    }

    /// A member with an unexpected value, of which 200 characters are shown.
    pub(crate) fn value(what: &str, expected: &str, found: &str) -> Self {
        let found: String = found.chars().take(200).collect();
        Self::Invalid(format!(
            "checking {what}: expected {expected}, found {found}"
        ))
    }
}
