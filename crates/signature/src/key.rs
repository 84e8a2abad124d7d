use std::fmt;

use content::{Digest, limits};
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::Generate as _;
use p256::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
    LineEnding,
};
use zeroize::Zeroizing;

use crate::Error;
use crate::pem::{self, Fault};

const PUBLIC_KEY: &str = "PUBLIC KEY";
const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";

/// A P-256 public key. Signatures are ECDSA with SHA-256, in ASN.1 DER.
#[derive(Clone, Eq, PartialEq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
}

impl PublicKey {
    /// Parses the one PEM block `PUBLIC KEY` (RFC 7468, section 13) in a text, its base64 in lines of any
    /// width. Other blocks and text around it are ignored, as openssl does.
    ///
    /// # Errors
    /// There is no such block or more than one, it is no P-256 key, or it encodes the key differently from
    /// [`PublicKey::der`]. The last rule gives a key the same key ID for every reader.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let block = pem::only_block(pem, &[PUBLIC_KEY]).map_err(|_| Error::PublicKey)?;
        let key = VerifyingKey::from_public_key_der(&block.der).map_err(|_| Error::PublicKey)?;
        let key = Self::new(key)?;
        match key.der == *block.der {
            true => Ok(key),
            false => Err(Error::PublicKey),
        }
    }

    /// Parses one PEM block `PUBLIC KEY` with nothing but white space around it. Another reader of a signed
    /// document, which takes the first block or the last, finds the same key.
    ///
    /// # Errors
    /// Those of [`PublicKey::from_pem`], or there is anything else in the text.
    pub fn from_bare_pem(pem: &str) -> Result<Self, Error> {
        match pem::is_bare(pem, PUBLIC_KEY) {
            true => Self::from_pem(pem),
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

    /// The key as one PEM block with a trailing newline.
    pub fn to_pem(&self) -> String {
        // The encoder of the library returns errors; this cannot fail.
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

    /// The SHA-256 digest of [`PublicKey::der`]. Confidential Space calls its hex form `key_id`.
    pub fn key_id(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Verifies a DER signature over `message`.
    ///
    /// # Errors
    /// It is not a signature by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verify_digest(&Digest::of(message), signature)
    }

    /// Verifies a DER signature over a message with this digest.
    pub(crate) fn verify_digest(&self, digest: &Digest, signature: &[u8]) -> Result<(), Error> {
        let refused = |_| Error::Signature { key: self.key_id() };
        let signature = Signature::from_der(signature).map_err(refused)?;
        self.key
            .verify_prehash(digest.as_bytes(), &signature)
            .map_err(refused)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id().hex())
    }
}

/// A P-256 private key. Signatures are deterministic (RFC 6979). The key has no `Debug` and is zeroed
/// when dropped.
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// Generates a key with the operating system's random number generator.
    ///
    /// # Errors
    /// The operating system provides no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Self::new(SigningKey::try_generate().map_err(|_| Error::Random)?)
    }

    /// Parses the one PEM block `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1) in a text, its base64 in
    /// lines of any width. Other blocks and text around it are ignored, as openssl does.
    ///
    /// # Errors
    /// [`Error::EncryptedKey`] for an encrypted key, [`Error::KeySize`] for a text larger than
    /// [`limits::KEY`], [`Error::PrivateKey`] for anything else.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        checked_size(pem)?;
        let block = pem::only_block(pem, &[PKCS8, SEC1]).map_err(|fault| match fault {
            Fault::Encrypted => Error::EncryptedKey,
            Fault::Malformed => Error::PrivateKey,
        })?;
        let key = match block.label {
            PKCS8 => SigningKey::from_pkcs8_der(&block.der).ok(),
            SEC1 => SecretKey::from_sec1_der(&block.der).ok().map(Into::into),
            _ => None,
        };
        Self::new(key.ok_or(Error::PrivateKey)?)
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

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`. The signature is in DER.
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
    fn signs_like_rfc_6979() {
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
            pem.replace("PUBLIC KEY", "PRIVATE KEY"),
            pem.replacen('\n', "", 2),
            pem.replace("MFkw", "MFkx"),
            pem.replace("END PUBLIC", "END PRIVATE"),
            pem.replace("-----END PUBLIC KEY-----", ""),
            format!("-----BEGIN X-----\nAAAA\n{pem}"),
            pem.replace('\n', "\r"),
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

    /// With the base64 of each block on one line.
    fn unwrapped(pem: &str) -> String {
        let lines = pem.lines().map(|line| match line.starts_with("-----") {
            true => format!("\n{line}\n"),
            false => line.to_owned(),
        });
        lines.collect()
    }

    #[test]
    fn reads_base64_on_one_line() {
        let key = PrivateKey::generate().unwrap();
        let public = unwrapped(&key.public().to_pem());
        assert_eq!(public.trim().lines().count(), 3);
        assert_eq!(&PublicKey::from_pem(&public).unwrap(), key.public());
        for pem in [&*key.to_pem().unwrap(), PARAMETERS_AND_KEY] {
            let expected = PrivateKey::from_pem(pem).unwrap();
            let again = PrivateKey::from_pem(&unwrapped(pem)).unwrap();
            assert_eq!(again.public(), expected.public());
        }
    }

    /// What `openssl ecparam -name prime256v1 -genkey` writes.
    const PARAMETERS_AND_KEY: &str = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n\
        -----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n\
        AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n\
        maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n-----END EC PRIVATE KEY-----\n";

    #[test]
    fn parameters_are_no_key() {
        let parameters = PARAMETERS_AND_KEY.split_inclusive("PARAMETERS-----\n");
        let parameters: String = parameters.take(2).collect();
        let key = PARAMETERS_AND_KEY.strip_prefix(&parameters).unwrap();
        assert!(PrivateKey::from_pem(PARAMETERS_AND_KEY).is_ok());
        for text in [
            parameters.clone(),
            key.repeat(2),
            PARAMETERS_AND_KEY.replace("EC PRIVATE KEY", "PRIVATE KEY"),
        ] {
            let error = PrivateKey::from_pem(&text).err();
            assert!(matches!(error, Some(Error::PrivateKey)), "{text}");
        }
    }

    /// Forms that `openssl pkey` reads: as `-text` prints a key, as `openssl pkcs12` exports it, as editors and
    /// mail change it, and in one file with other keys.
    fn forms(pem: &str, other: &str) -> [String; 13] {
        [
            pem.replacen('\n', "\n\n", 1),
            pem.replace('\n', "  \n"),
            pem.replace('\n', "\t\r\n"),
            pem.replacen('\n', "\n  ", 1),
            pem.trim_end().to_owned(),
            format!("\u{feff}{pem}"),
            format!("Bag Attributes\n    localKeyID: 01\nKey Attributes: <No Attributes>\n{pem}"),
            format!("{pem}Private-Key: (256 bit)\npriv:\n    1e:99\nASN1 OID: prime256v1\n"),
            format!("{pem}MFkw"),
            format!("{pem}{other}"),
            format!("{other}{pem}"),
            format!("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n{pem}"),
            format!(
                "-----BEGIN X PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X PRIVATE KEY-----\n{pem}"
            ),
        ]
    }

    #[test]
    fn reads_what_openssl_reads() {
        let key = PrivateKey::generate().unwrap();
        let (private, public) = (key.to_pem().unwrap(), key.public().to_pem());
        for text in forms(&public, &private) {
            let read = PublicKey::from_pem(&text);
            assert_eq!(
                &read.unwrap_or_else(|e| panic!("{e}: {text}")),
                key.public()
            );
        }
        for text in forms(&private, &public) {
            let read = PrivateKey::from_pem(&text);
            assert_eq!(read.ok().unwrap().public(), key.public());
        }
    }

    #[test]
    fn a_bare_key_has_nothing_beside_it() {
        let key = PrivateKey::generate().unwrap();
        let (private, public) = (key.to_pem().unwrap(), key.public().to_pem());
        for text in [&public, &format!("\n{} ", public.replace('\n', "\r\n"))] {
            assert_eq!(&PublicKey::from_bare_pem(text).unwrap(), key.public());
        }
        for text in [
            format!("{}{public}", &*private),
            format!("{public}{}", &*private),
            format!("{public}more"),
            format!("key:\n{public}"),
            public.repeat(2),
        ] {
            assert!(PublicKey::from_bare_pem(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_encrypted_keys_by_name() {
        let traditional = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
            DEK-Info: AES-256-CBC,4C2F9D0A1B2C3D4E5F60718293A4B5C6\n\nAAAA\n\
            -----END EC PRIVATE KEY-----\n";
        let parameters = format!(
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{traditional}"
        );
        let labelled = |label: &str| {
            format!(
                "-----BEGIN {label} PRIVATE KEY-----\neyJ9\n-----END {label} PRIVATE KEY-----\n"
            )
        };
        for pem in [
            labelled("ENCRYPTED SIGSTORE"),
            labelled("ENCRYPTED COSIGN"),
            labelled("ENCRYPTED"),
            traditional.to_owned(),
            parameters,
        ] {
            let error = PrivateKey::from_pem(&pem).err();
            assert!(matches!(error, Some(Error::EncryptedKey)), "{pem}");
        }
    }
}
