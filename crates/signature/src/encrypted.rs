//! Private keys that cosign encrypts: scrypt (RFC 7914) makes a key of the password, NaCl's secretbox
//! encrypts PKCS #8 with it (secure-systems-lab/go-securesystemslib, `encrypted`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{json, limits};
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use scrypt::Params;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::Error;
use crate::pem::{self, Block};

/// The labels of now and of before cosign 2.
const LABELS: [&str; 2] = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];

/// The most memory that scrypt may take, in bytes. cosign writes keys that take 32 or 64 MiB.
const MEMORY: u64 = 256 << 20;

#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// The one block with an encrypted key.
pub(crate) fn block(pem: &str) -> Option<Block<'_>> {
    pem::only_sealed_block(pem, &LABELS)
}

/// Decrypts the content of such a block to PKCS #8 in DER.
pub(crate) fn decrypt(document: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let sealed: Sealed = json::parse(document, limits::KEY)
        .map_err(|source| Error::document("encrypted private key", &source))?;
    let names = (sealed.kdf.name.as_str(), sealed.cipher.name.as_str());
    if names != ("scrypt", "nacl/secretbox") {
        return Err(invalid("expected scrypt and nacl/secretbox"));
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| invalid("not base64"));
    let (salt, nonce) = (decode(&sealed.kdf.salt)?, decode(&sealed.cipher.nonce)?);
    let nonce: [u8; 24] = nonce
        .try_into()
        .map_err(|_| invalid("expected a nonce of 24 bytes"))?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, &salt, &cost(&sealed.kdf.params)?, &mut *key)
        .map_err(|_| invalid("scrypt failed"))?;
    let cipher = XSalsa20Poly1305::new((&*key).into());
    let plain = cipher.decrypt(&nonce.into(), &*decode(&sealed.ciphertext)?);
    plain.map(Zeroizing::new).map_err(|_| Error::Password)
}

/// The parameters of scrypt, whose memory and time are limited.
fn cost(cost: &Cost) -> Result<Params, Error> {
    let memory = u64::from(cost.n)
        .saturating_mul(u64::from(cost.r))
        .saturating_mul(128);
    if !cost.n.is_power_of_two() {
        return Err(invalid(
            "invalid parameters of scrypt: N is not a power of two",
        ));
    }
    if memory.saturating_mul(u64::from(cost.p)) > MEMORY {
        return Err(invalid(
            "expected parameters of scrypt that take at most 256 MiB",
        ));
    }
    let log_n = u8::try_from(cost.n.ilog2()).map_err(|_| invalid("scrypt failed"))?;
    Params::new(log_n, cost.r, cost.p).map_err(|_| invalid("invalid parameters of scrypt"))
}

fn invalid(reason: &str) -> Error {
    Error::Invalid(format!("parsing encrypted private key: {reason}"))
}
