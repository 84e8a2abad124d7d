use content::Digest;
use sigstore_verify::crypto::ArtifactHasher;
use sigstore_verify::types::{self, ArtifactDigest, HashAlgorithm};

use crate::{Reason, Refusal};

/// What is said to be signed.
#[derive(Clone, Debug)]
pub enum Artifact<'a> {
    /// All of its bytes.
    Bytes(&'a [u8]),
    /// Its digest.
    Digest(ArtifactDigest),
}

/// A text that is no digest of a known algorithm.
#[derive(Debug, thiserror::Error)]
#[error("expected sha256:, sha384: or sha512: and as many hexadecimal digits")]
pub struct InvalidDigest;

impl Artifact<'static> {
    /// Parses a digest: the name of its algorithm, a colon and hexadecimal digits in lower or upper case.
    ///
    /// # Errors
    /// The algorithm is none of SHA-256, SHA-384 and SHA-512, or the digits are not as many as it has.
    pub fn from_digest(text: &str) -> Result<Self, InvalidDigest> {
        let (name, digits) = text.split_once(':').ok_or(InvalidDigest)?;
        let algorithm = match name {
            "sha256" => HashAlgorithm::Sha2256,
            "sha384" => HashAlgorithm::Sha2384,
            "sha512" => HashAlgorithm::Sha2512,
            _ => return Err(InvalidDigest),
        };
        let bytes = hex::decode(digits).map_err(|_| InvalidDigest)?;
        let digest = ArtifactDigest::new(algorithm, bytes).map_err(|_| InvalidDigest)?;
        Ok(Self::Digest(digest))
    }
}

impl Artifact<'_> {
    /// The digest of an algorithm.
    ///
    /// # Errors
    /// Only the digest of another algorithm is known.
    pub(crate) fn digest(&self, algorithm: HashAlgorithm) -> Result<ArtifactDigest, Refusal> {
        match self {
            Self::Bytes(bytes) => {
                let unsupported = |error: sigstore_verify::crypto::Error| {
                    Refusal::new(Reason::Unsupported, error.to_string())
                };
                let mut hasher = ArtifactHasher::new(algorithm).map_err(unsupported)?;
                hasher.update(bytes);
                Ok(hasher.finalize())
            }
            Self::Digest(digest) if digest.algorithm() == algorithm => Ok(digest.clone()),
            Self::Digest(digest) => {
                let found = digest.algorithm();
                let detail = format!("expected the artifact or its {algorithm}, found its {found}");
                Err(Refusal::new(Reason::ArtifactForm, detail))
            }
        }
    }
}

impl From<&Digest> for Artifact<'static> {
    fn from(digest: &Digest) -> Self {
        Self::Digest(types::Sha256Hash::new(*digest.as_bytes()).into())
    }
}

impl<'a> From<&Artifact<'a>> for types::Artifact<'a> {
    fn from(artifact: &Artifact<'a>) -> Self {
        match artifact {
            Artifact::Bytes(bytes) => Self::Blob(bytes),
            Artifact::Digest(digest) => Self::Digest(digest.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_an_algorithm_and_its_length() {
        for (name, length) in [("sha256", 64), ("sha384", 96), ("sha512", 128)] {
            let text = |digits: usize| format!("{name}:{}", "0a".repeat(digits / 2));
            let Ok(Artifact::Digest(digest)) = Artifact::from_digest(&text(length)) else {
                panic!("{name} is refused");
            };
            assert_eq!(digest.as_bytes(), vec![10; length / 2]);
            assert!(Artifact::from_digest(&text(length - 2)).is_err());
            assert!(Artifact::from_digest(&text(length + 2)).is_err());
            assert!(Artifact::from_digest(&text(length).to_uppercase()).is_err());
            let in_upper_case = format!("{name}:{}", "0A".repeat(length / 2));
            let Ok(Artifact::Digest(digest)) = Artifact::from_digest(&in_upper_case) else {
                panic!("{name} is refused in upper case");
            };
            assert_eq!(digest.as_bytes(), vec![10; length / 2]);
        }
        for text in [
            "",
            "sha256",
            "sha256:",
            "md5:00",
            "sha256:zz",
            "sha256:\u{e9}",
        ] {
            assert!(Artifact::from_digest(text).is_err(), "{text}");
        }
    }
}
