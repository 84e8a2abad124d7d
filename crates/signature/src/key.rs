use std::fmt;

use content::{Digest, limits};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use zeroize::Zeroizing;

use crate::Error;

/// A P-256 public key; signatures are ECDSA over SHA-256, in ASN.1 DER.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
}

impl PublicKey {
    /// Parses one PEM block `PUBLIC KEY` (RFC 7468, section 13) with white space around it.
    ///
    /// # Errors
    /// Anything else, also before or behind the block, and any other encoding of the same key than
    /// [`PublicKey::to_pem`]'s, so that a key has one key ID for every reader.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let pem = pem.trim();
        let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| Error::PublicKey)?;
        let key = Self::new(key)?;
        match pem.lines().eq(key.to_pem().lines()) {
            true => Ok(key),
            false => Err(Error::PublicKey),
        }
    }

    fn new(key: VerifyingKey) -> Result<Self, Error> {
        let der = key
            .to_public_key_der()
            .map_err(|_| Error::PublicKey)?
            .into_vec();
        Ok(Self { key, der })
    }

    /// The key as one PEM block with a newline at its end.
    pub fn to_pem(&self) -> String {
        // Written by hand, since encoding to PEM can fail and this cannot.
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        pem
    }

    /// The SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of [`PublicKey::der`]; its hex is what Confidential Space calls `key_id`.
    pub fn key_id(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Verifies a DER signature over `message`.
    ///
    /// # Errors
    /// It is no signature by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        let refused = |_| Error::Signature { key: self.key_id() };
        let signature = Signature::from_der(signature).map_err(refused)?;
        self.key.verify(message, &signature).map_err(refused)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id().hex())
    }
}

/// A P-256 private key. Signatures are deterministic (RFC 6979): the same message always has the
/// same one. Never printed, zeroed when dropped.
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// A new key from the operating system's randomness.
    ///
    /// # Errors
    /// There is none.
    pub fn generate() -> Result<Self, Error> {
        Self::new(SigningKey::try_generate().map_err(|_| Error::Random)?)
    }

    /// Parses one PEM block `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1).
    ///
    /// # Errors
    /// Anything else.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let pem = pem.trim();
        if pem
            .lines()
            .next()
            .is_some_and(|line| line.contains("ENCRYPTED"))
        {
            return Err(Error::EncryptedKey);
        }
        let key = SigningKey::from_pkcs8_pem(pem)
            .ok()
            .or_else(|| {
                p256::SecretKey::from_sec1_pem(pem)
                    .ok()
                    .map(SigningKey::from)
            })
            .ok_or(Error::PrivateKey)?;
        Self::new(key)
    }

    fn new(key: SigningKey) -> Result<Self, Error> {
        let public = PublicKey::new(*key.verifying_key())?;
        Ok(Self { key, public })
    }

    /// The key as one PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        self.key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| Error::PrivateKey)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`; the signature is in DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

fn checked_size(pem: &str) -> Result<(), Error> {
    match pem.len() as u64 > limits::KEY {
        true => Err(Error::KeySize { limit: limits::KEY }),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_was() {
        let key = PrivateKey::generate().unwrap();
        let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), key.public());
        let pem = key.public().to_pem();
        let windows = format!("\n{}  \n", pem.replace('\n', "\r\n"));
        for text in [&pem, &windows] {
            assert_eq!(&PublicKey::from_pem(text).unwrap(), key.public());
        }
    }

    #[test]
    fn signs_as_rfc_6979_has_it() {
        // RFC 6979, A.2.5, message "sample" with SHA-256; the key as openssl writes it.
        let pem = "-----BEGIN EC PRIVATE KEY-----\n\
            MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
            AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
            maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n-----END EC PRIVATE KEY-----\n";
        let signature = PrivateKey::from_pem(pem).unwrap().sign(b"sample");
        assert_eq!(
            hex::encode(signature),
            "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        );
    }

    #[test]
    fn refuses_other_keys_and_other_encodings() {
        let pem = PrivateKey::generate().unwrap().public().to_pem();
        for text in [
            String::new(),
            pem.repeat(2),
            format!("key:\n{pem}"),
            format!("{pem}\nmore"),
            pem.replace("PUBLIC KEY", "PRIVATE KEY"),
            pem.replacen('\n', "", 2),
            pem.replace("MFkw", "MFkx"),
        ] {
            assert!(
                matches!(PublicKey::from_pem(&text), Err(Error::PublicKey)),
                "{text}"
            );
        }
        let large = pem + &" ".repeat(limits::KEY as usize);
        assert!(matches!(
            PublicKey::from_pem(&large),
            Err(Error::KeySize { .. })
        ));
    }

    #[test]
    fn says_that_a_key_is_encrypted() {
        let pem = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\
            eyJ9\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
        assert!(matches!(
            PrivateKey::from_pem(pem),
            Err(Error::EncryptedKey)
        ));
    }
}
