use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use content::limits;
use google::kms::KeyVersion;
use signature::{PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::{CloudKms, Error, KmsEndpoint};

/// The location of a private key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// A PEM file.
    File(PathBuf),
    /// A key version of Cloud KMS.
    CloudKms(KeyVersion),
}

impl FromStr for KeyRef {
    type Err = Error;

    /// Parses a path, or `gcpkms://` and the name of a key version. `/versions/` is accepted for
    /// `/cryptoKeyVersions/`, as in cosign.
    fn from_str(text: &str) -> Result<Self, Error> {
        let Some(name) = text.strip_prefix("gcpkms://") else {
            return match text.is_empty() || text.contains("://") {
                true => Err(Error::KeyRef(text.to_owned())),
                false => Ok(Self::File(text.into())),
            };
        };
        let short = |name: &str| {
            let (key, number) = name.rsplit_once("/versions/")?;
            format!("{key}/cryptoKeyVersions/{number}").parse().ok()
        };
        let version = name.parse().ok().or_else(|| short(name));
        version
            .map(Self::CloudKms)
            .ok_or_else(|| Error::KeyRef(text.to_owned()))
    }
}

/// A private key to sign with, in a file or in Cloud KMS.
pub struct Signer(Inner);

enum Inner {
    File(PrivateKey),
    CloudKms(Box<CloudKms>),
}

impl Signer {
    /// Opens a key. `kms_endpoint` replaces the public URL of Cloud KMS.
    ///
    /// # Errors
    /// The file cannot be read or holds no P-256 key; there are no credentials; Cloud KMS refuses, or its
    /// key has another algorithm.
    pub async fn open(key: &KeyRef, kms_endpoint: Option<&KmsEndpoint>) -> Result<Self, Error> {
        Ok(Self(match key {
            KeyRef::File(path) => Inner::File(read_blocking(path).await?),
            KeyRef::CloudKms(name) => {
                Inner::CloudKms(Box::new(CloudKms::open(name, kms_endpoint).await?))
            }
        }))
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        match &self.0 {
            Inner::File(key) => key.public(),
            Inner::CloudKms(key) => key.public(),
        }
    }

    /// Signs `message`. The signature is in DER and has been verified with the public key.
    ///
    /// # Errors
    /// Cloud KMS refuses or cannot be reached, or the signature does not verify.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = match &self.0 {
            Inner::File(key) => key.sign(message)?,
            Inner::CloudKms(key) => key.sign(message).await?,
        };
        self.public().verify(message, &signature)?;
        Ok(signature)
    }
}

/// Reads a key file on a blocking thread: it may be a pipe that has no data yet.
async fn read_blocking(path: &Path) -> Result<PrivateKey, Error> {
    let (path, shown) = (path.to_owned(), path.to_owned());
    let read = tokio::task::spawn_blocking(move || read(&path)).await;
    read.unwrap_or_else(|error| {
        Err(Error::KeyFile {
            path: shown,
            source: std::io::Error::other(error),
        })
    })
}

fn read(path: &Path) -> Result<PrivateKey, Error> {
    let failed = |source| Error::KeyFile {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let bytes = content::read_limited(file, limits::KEY)
        .map_err(|error| failed(std::io::Error::other(error)))?;
    let bytes = Zeroizing::new(bytes);
    let text = str::from_utf8(&bytes).map_err(|error| failed(std::io::Error::other(error)))?;
    PrivateKey::from_pem(text).map_err(|source| Error::Key {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";

    #[test]
    fn reads_files_and_key_versions() {
        let key = |text: &str| text.parse::<KeyRef>();
        assert_eq!(key("a/b.key").unwrap(), KeyRef::File("a/b.key".into()));
        assert_eq!(
            key(&format!("gcpkms://{NAME}")).unwrap(),
            KeyRef::CloudKms(NAME.parse().unwrap())
        );
        for name in [NAME, &NAME.replace("Rings/r/", "Rings/versions/")] {
            let version = KeyRef::CloudKms(name.parse().unwrap());
            for text in [name, &name.replace("cryptoKeyVersions", "versions")] {
                assert_eq!(key(&format!("gcpkms://{text}")).unwrap(), version);
            }
        }
    }

    #[test]
    fn refuses_other_references() {
        let key = NAME.replace("/cryptoKeyVersions/1", "");
        for text in [
            "",
            "awskms://x",
            "gcpkms://",
            &format!("gcpkms://{key}"),
            "gcpkms://projects//locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            &format!("gcpkms://{NAME}0x"),
            &format!("gcpkms://{}", NAME.replace("/r/", "/r?x/")),
        ] {
            match text.parse::<KeyRef>() {
                Err(Error::KeyRef(found)) => assert_eq!(found, text),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
