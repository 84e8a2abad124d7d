use content::Digest;
use keyless::Signer;
use signature::PublicKey;

/// Who made a signature, as the signature itself proves it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Identity {
    /// The holder of a key: the SHA-256 digest of its SubjectPublicKeyInfo in DER.
    Key(Digest),
    /// The subject of certificates, in the words of an issuer. Both are compared byte by byte.
    Keyless(Signer),
}

impl From<&PublicKey> for Identity {
    fn from(key: &PublicKey) -> Self {
        Self::Key(key.key_id())
    }
}

impl From<&Signer> for Identity {
    fn from(signer: &Signer) -> Self {
        Self::Keyless(signer.clone())
    }
}

/// The digits of the key's digest, or the subject and its issuer.
impl std::fmt::Display for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(digest) => write!(out, "key {}", digest.hex()),
            Self::Keyless(signer) => signer.fmt(out),
        }
    }
}
