use content::Digest;

/// Why a key, a signature or a signed document is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text does not contain exactly one P-256 public key in PEM.
    #[error("parsing public key: expected one PEM block PUBLIC KEY with a P-256 key")]
    PublicKey,
    /// The private key is encrypted.
    #[error("parsing private key: the key is encrypted, which is not supported")]
    EncryptedKey,
    /// The text does not contain exactly one P-256 private key in PEM.
    #[error(
        "parsing private key: expected one PEM block PRIVATE KEY or EC PRIVATE KEY with a P-256 key"
    )]
    PrivateKey,
    /// The text is larger than the limit for keys.
    #[error("parsing key: larger than {limit} bytes")]
    KeySize {
        /// The limit in bytes.
        limit: u64,
    },
    /// The signature is not by this key over these bytes.
    #[error("verifying signature: it is not by key {}", key.hex())]
    Signature {
        /// The key's digest.
        key: Digest,
    },
    /// A value is not valid base64.
    #[error("parsing {what}: not base64")]
    Base64 {
        /// The name of the value.
        what: &'static str,
    },
    /// A document cannot be parsed.
    #[error("parsing {what}: {source}")]
    Document {
        /// The kind of document.
        what: &'static str,
        /// The parser's error.
        source: content::json::JsonError,
    },
    /// A member has an unexpected value.
    #[error("checking {what}: expected {expected}, found {found}")]
    Value {
        /// The name of the member.
        what: &'static str,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The operating system provides no random bytes.
    #[error("generating key: no random bytes")]
    Random,
}
