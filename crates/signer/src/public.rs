//! The public half of a key that signs elsewhere.

use std::path::Path;

use content::at::{self, shown};
use content::limits;
use signature::{Algorithm, PublicKey, simple_signing};

use crate::Error;

/// Reads a public key in PEM. An algorithm replaces those of the key's type.
///
/// # Errors
/// The file cannot be read or does not hold a public key, or its key does not sign with the algorithm.
pub fn public_key(path: &Path, algorithm: Option<Algorithm>) -> Result<PublicKey, Error> {
    let bytes = at::read(path, limits::KEY)?;
    let key = PublicKey::from_pem(&String::from_utf8_lossy(&bytes));
    let key = key.and_then(|key| match algorithm {
        Some(algorithm) => key.with_algorithm(algorithm),
        None => Ok(key),
    });
    key.map_err(|error| Error::PublicKey(format!("reading key {}: {error}", shown(path))))
}

/// A note for the user, if Confidential Space does not read signatures of the key.
pub(crate) fn note(key: &PublicKey) -> Option<&'static str> {
    match simple_signing::signature_algorithm(key) {
        Some(_) => None,
        None => Some(
            "Confidential Space will not count this signature: it reads ECDSA on P-256 and RSA \
             with the exponent 65537 (PKCS #1 v1.5 or PSS), with SHA-256",
        ),
    }
}

#[cfg(test)]
mod tests {
    use signature::PrivateKey;

    use super::*;

    #[test]
    fn reads_public_keys_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = PrivateKey::generate().unwrap();
        std::fs::write(&path, key.public().to_pem()).unwrap();
        assert_eq!(public_key(&path, None).unwrap(), *key.public());
        let refused = |algorithm: Option<&str>| {
            let algorithm = algorithm.map(|name| name.parse().unwrap());
            public_key(&path, algorithm).unwrap_err().to_string()
        };
        assert!(refused(Some("ed25519")).contains("does not sign with ed25519"));
        std::fs::write(&path, key.to_pem().unwrap()).unwrap();
        assert!(refused(None).contains("expected one PEM block PUBLIC KEY"));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(public_key(&path, None), Err(Error::File(_))));
    }
}
