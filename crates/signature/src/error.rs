use content::Digest;

/// What is wrong with a key, a signature, or what was signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the PEM of one P-256 public key.
    #[error("parsing public key: not one PEM block PUBLIC KEY with a P-256 key")]
    PublicKey,
    /// A private key under a password.
    #[error("parsing private key: it is encrypted, and only plain PEM is read")]
    EncryptedKey,
    /// Not the PEM of one P-256 private key.
    #[error(
        "parsing private key: not one PEM block PRIVATE KEY or EC PRIVATE KEY with a P-256 key"
    )]
    PrivateKey,
    /// A key file is larger than any key.
    #[error("parsing key: larger than {limit} bytes")]
    KeySize {
        /// Bytes allowed.
        limit: u64,
    },
    /// The signature is none by this key over these bytes.
    #[error("verifying signature: not one by key {}", key.hex())]
    Signature {
        /// The key's digest.
        key: Digest,
    },
    /// Text that should be base64 and is not.
    #[error("parsing {what}: not base64")]
    Base64 {
        /// What it is.
        what: &'static str,
    },
    /// A document that cannot be read.
    #[error("parsing {what}: {source}")]
    Document {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        source: content::json::JsonError,
    },
    /// A member that must have another value.
    #[error("checking {what}: expected {expected}, found {found}")]
    Value {
        /// Which one.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The operating system gives no random bytes.
    #[error("generating key: no random bytes")]
    Random,
}
