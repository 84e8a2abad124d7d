//! Makes keys.

use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::Digest;
use signature::{KeyType, PrivateKey};

use crate::error::Error;
use crate::fresh::create;

/// A key pair that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The file with the private key.
    pub private: PathBuf,
    /// The file with the public key.
    pub public: PathBuf,
    /// The key ID.
    pub key_id: Digest,
}

/// Generates a key pair of this type in the new files `PREFIX.key` and `PREFIX.pub`.
///
/// # Errors
/// One of the files exists or cannot be written; then no new file remains.
pub fn keygen(prefix: &Path, key_type: KeyType) -> Result<Made, Error> {
    let unmade = |error: signature::Error| Hinted::doing("making key", error);
    let key = PrivateKey::generate_of(key_type).map_err(unmade)?;
    let (private, public) = (extended(prefix, ".key"), extended(prefix, ".pub"));
    let pem = key.to_pem().map_err(unmade)?;
    // A key is never replaced: it may be the only copy.
    create(&private, 0o600, pem.as_bytes())?;
    if let Err(error) = create(&public, 0o644, key.public().to_pem().as_bytes()) {
        // Half a pair is of no use. The error says what went wrong.
        let _ = std::fs::remove_file(&private);
        return Err(error.into());
    }
    Ok(Made {
        private,
        public,
        key_id: key.public().key_id(),
    })
}

fn extended(prefix: &Path, extension: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_pair_is_made_once() {
        let scratch = tempfile::tempdir().unwrap();
        let prefix = scratch.path().join("a.b");
        let Made {
            private,
            public,
            key_id,
        } = keygen(&prefix, KeyType::Ed25519).unwrap();
        assert!(private.ends_with("a.b.key") && public.ends_with("a.b.pub"));
        let mode = std::fs::metadata(&private).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = std::fs::read(&private).unwrap();
        assert_eq!(
            keygen(&prefix, KeyType::P256).unwrap_err().to_string(),
            format!("writing {}: File exists (os error 17)", private.display())
        );
        assert_eq!(std::fs::read(&private).unwrap(), before);
        let key = PrivateKey::from_pem(std::str::from_utf8(&before).unwrap()).unwrap();
        assert_eq!(key.public().key_id(), key_id);
        assert_eq!(
            key.public().to_pem(),
            std::fs::read_to_string(&public).unwrap()
        );
    }
}
