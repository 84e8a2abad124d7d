use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use content::{at, limits};
use google::kms::KeyVersion;
use signature::{Algorithm, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::access::{Access, Ask};
use crate::pkcs11::{self, Token, after_scheme};
use crate::{CloudKms, Error, Pkcs11Uri, public};

/// The location of a private key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// A PEM file.
    File(PathBuf),
    /// A key version of Cloud KMS.
    CloudKms(KeyVersion),
    /// A key in a token of PKCS #11.
    Pkcs11(Box<Pkcs11Uri>),
}

impl FromStr for KeyRef {
    type Err = Error;

    /// Parses a path, a URI of PKCS #11, or `gcpkms://` and the name of a key version. `/versions/` is accepted for
    /// `/cryptoKeyVersions/`, as in cosign. Schemes have no case (RFC 3986, section 3.1). An error does not show a PIN.
    fn from_str(text: &str) -> Result<Self, Error> {
        if after_scheme(text, pkcs11::SCHEME).is_some() {
            return Ok(Self::Pkcs11(Box::new(text.parse()?)));
        }
        if pkcs11::names_pin(text) {
            return Err(Error::Key(
                "parsing key: expected pkcs11: at the start of a URI with pin-value".to_owned(),
            ));
        }
        let Some(name) = after_scheme(text, "gcpkms://") else {
            return match text.is_empty() || text.contains("://") {
                true => Err(unknown(text)),
                false => Ok(Self::File(text.into())),
            };
        };
        let short = |name: &str| {
            let (key, number) = name.rsplit_once("/versions/")?;
            format!("{key}/cryptoKeyVersions/{number}").parse().ok()
        };
        let version = name.parse().ok().or_else(|| short(name));
        version.map(Self::CloudKms).ok_or_else(|| unknown(text))
    }
}

fn unknown(text: &str) -> Error {
    Error::Key(format!(
        "parsing key: expected a file, gcpkms://projects/…/cryptoKeyVersions/N or pkcs11:…, found {text:?}"
    ))
}

/// A private key to sign with.
pub struct Signer(Inner);

enum Inner {
    File(PrivateKey),
    CloudKms(Box<CloudKms>),
    Token(Token),
}

impl Signer {
    /// Opens a key.
    ///
    /// # Errors
    /// The file cannot be read or does not hold a key, or its password is wrong; there are no credentials; Cloud
    /// KMS refuses; the key does not sign with the algorithm.
    pub async fn open(key: &KeyRef, access: Access<'_>) -> Result<Self, Error> {
        Ok(Self(match key {
            KeyRef::File(path) => {
                let key = read_blocking(path, access.password).await?;
                let key = match access.algorithm {
                    Some(algorithm) => key.with_algorithm(algorithm).map_err(Error::from),
                    None => Ok(key),
                };
                Inner::File(key.map_err(|error| error.of_file(path))?)
            }
            KeyRef::CloudKms(name) => {
                let key = CloudKms::open(name, access.kms_endpoint).await?;
                check_algorithm(key.public(), access.algorithm)?;
                Inner::CloudKms(Box::new(key))
            }
            KeyRef::Pkcs11(uri) => Inner::Token(open_blocking(uri, access).await?),
        }))
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        match &self.0 {
            Inner::File(key) => key.public(),
            Inner::CloudKms(key) => key.public(),
            Inner::Token(key) => key.public(),
        }
    }

    /// A note for the user, if Confidential Space does not read signatures of the key.
    pub fn note(&self) -> Option<&'static str> {
        public::note(self.public())
    }

    /// Signs `message`. The signature has been verified with the public key.
    ///
    /// # Errors
    /// Cloud KMS or the token refuses or cannot be reached, the message is too long for Cloud KMS, or the signature does
    /// not verify.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = match &self.0 {
            Inner::File(key) => {
                let signed = key.sign(message);
                signed.map_err(|error| Error::Signature(error.to_string()))?
            }
            Inner::CloudKms(key) => key.sign(message).await?,
            Inner::Token(key) => key.sign(message).await?,
        };
        self.public().verify(message, &signature)?;
        Ok(signature)
    }
}

fn check_algorithm(key: &PublicKey, wanted: Option<Algorithm>) -> Result<(), Error> {
    let own = key.algorithms().next();
    match (own, wanted) {
        (Some(own), Some(wanted)) if own != wanted => Err(Error::Algorithm(format!(
            "the key in Cloud KMS signs with {own}, and not with {wanted}"
        ))),
        _ => Ok(()),
    }
}

/// Opens a key in a token on a blocking thread, as modules block.
async fn open_blocking(uri: &Pkcs11Uri, access: Access<'_>) -> Result<Token, Error> {
    let (uri, module) = (uri.clone(), access.pkcs11_module.unwrap_or(Path::new("")));
    let (module, pin, algorithm) = (module.to_owned(), access.pin, access.algorithm);
    let opened = tokio::task::spawn_blocking(move || Token::open(&uri, &module, pin, algorithm));
    let opened = opened.await;
    opened.unwrap_or_else(|error| Err(Error::Token(format!("opening the token: {error}"))))
}

/// Reads a key file on a blocking thread: it may be a pipe that has no data yet, and a password may have to be
/// typed.
async fn read_blocking(path: &Path, password: Ask) -> Result<PrivateKey, Error> {
    let owned = path.to_owned();
    blocking(path, move || read(&owned, password)).await
}

/// Reads something in a file on a blocking thread.
pub(crate) async fn blocking<T: Send + 'static>(
    path: &Path,
    read: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| Err(at::At::reading(path)(io::Error::other(error)).into()))
}

fn read(path: &Path, password: Ask) -> Result<PrivateKey, Error> {
    let text = read_text(path)?;
    private_key(&text, password).map_err(|error| error.of_file(path))
}

/// Reads the text of a key file.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(at::read(path, limits::KEY)?);
    let text = str::from_utf8(&bytes);
    let text = text.map_err(|error| Error::Key(error.to_string()).of_file(path))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads the private key in a text, with its password if it is encrypted.
pub(crate) fn private_key(text: &str, password: Ask) -> Result<PrivateKey, Error> {
    match PrivateKey::from_pem(text) {
        Err(signature::Error::Encrypted) => {
            let password = password().map_err(|error| {
                Error::Password(format!(
                    "the key is encrypted; asking for its password: {error}"
                ))
            });
            password.and_then(|password| Ok(PrivateKey::decrypt(text, password.as_bytes())?))
        }
        key => key.map_err(Error::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";

    #[test]
    fn reads_files_and_key_versions() {
        let key = |text: &str| text.parse::<KeyRef>();
        assert_eq!(key("a/b.key").unwrap(), KeyRef::File("a/b.key".into()));
        for text in ["pkcs11:object=k", "PKCS11:object=k", "Pkcs11:object=k"] {
            assert!(matches!(key(text), Ok(KeyRef::Pkcs11(_))), "{text}");
        }
        assert_eq!(
            key(&format!("GCPKMS://{NAME}")).unwrap(),
            KeyRef::CloudKms(NAME.parse().unwrap())
        );
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
    fn an_error_does_not_show_a_pin() {
        for text in [
            "pkcs11:object=k?pin-vlaue=9317",
            "pkcs11:object=k?pin-value:9317",
            "pkcs11:object=k?pin-value=1&9317",
            "pkcs11:object=k?module-path=/a;pin-value=9317",
            "pkcs11:object=k?module-path=/a?pin-value=9317",
            "pkcs11:pin-value=9317",
            "pkcs11://object=k?pin-value=9317",
            " pkcs11:object=k?pin-value=9317",
            "pkcs-11:object=k?PIN-VALUE=9317",
            "awskms://k?pin-value=9317",
        ] {
            let error = text.parse::<KeyRef>().unwrap_err();
            assert!(!error.to_string().contains("9317"), "{error}");
            assert!(!format!("{error:?}").contains("9317"), "{error:?}");
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
                Err(Error::Key(found)) => assert!(found.ends_with(&format!("{text:?}"))),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
