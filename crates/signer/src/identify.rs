//! The public half of any key, by which others know it.

use std::path::Path;

use signature::PublicKey;

use crate::Error;
use crate::access::{Access, Ask};
use crate::key::{KeyRef, Signer, blocking, private_key, read_text};

/// The public half of a key. A file may hold the private key or only the public one.
///
/// # Errors
/// As [`Signer::open`], or the key does not sign with the algorithm.
pub async fn public_half(key: &KeyRef, access: Access<'_>) -> Result<PublicKey, Error> {
    let KeyRef::File(path) = key else {
        return Ok(Signer::open(key, access).await?.public().clone());
    };
    let (owned, password) = (path.clone(), access.password);
    let key = blocking(path, move || of_file(&owned, password)).await?;
    match access.algorithm {
        Some(algorithm) => Ok(key.with_algorithm(algorithm)?),
        None => Ok(key),
    }
}

/// If the file holds both halves, the private one decides: it is the one that signs.
fn of_file(path: &Path, password: Ask) -> Result<PublicKey, Error> {
    let text = read_text(path)?;
    match private_key(&text, password) {
        Ok(key) => Ok(key.public().clone()),
        Err(error) => PublicKey::from_pem(&text).map_err(|_| error.of_file(path)),
    }
}

#[cfg(test)]
mod tests {
    use signature::PrivateKey;

    use super::*;

    async fn half(text: &str, access: Access<'_>) -> Result<PublicKey, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        public_half(&KeyRef::File(path), access).await
    }

    #[tokio::test]
    async fn either_half_has_the_same_key_id() {
        let key = PrivateKey::generate().unwrap();
        let (private, public) = (key.to_pem().unwrap(), key.public().to_pem());
        for text in [private.as_str(), &public] {
            let found = half(text, Access::default()).await.unwrap();
            assert_eq!(found.key_id(), key.public().key_id());
        }
        let other = PrivateKey::generate().unwrap();
        let both = format!("{}{}", other.public().to_pem(), private.as_str());
        let found = half(&both, Access::default()).await.unwrap();
        assert_eq!(found.key_id(), key.public().key_id());
    }

    #[tokio::test]
    async fn what_is_no_key_is_refused_by_name() {
        let error = half("text", Access::default()).await.unwrap_err();
        let said = error.to_string();
        assert!(said.contains("/key: "), "{said}");
        let key = PrivateKey::generate().unwrap().public().to_pem();
        let access = Access {
            algorithm: Some("ed25519".parse().unwrap()),
            ..Access::default()
        };
        let error = half(&key, access).await.unwrap_err().to_string();
        assert!(error.contains("does not sign with ed25519"), "{error}");
    }
}
