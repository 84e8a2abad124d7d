//! Signs with a key in Cloud KMS (REST, `cryptoKeyVersions.getPublicKey` and `asymmetricSign`). CRC32C is checked in both directions,
//! and each signature with the public key.

use content::Digest;
use google::kms::KeyVersion;
use serde::Deserialize;
use serde_json::json;

use super::{Access, accepted};
use crate::crc32c::crc32c;
use crate::encode::{base64, from_base64};
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::key::PublicKey;

/// What a key signs with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256 (`EC_SIGN_P256_SHA256`).
    EcdsaP256,
    /// RSA with PKCS #1 v1.5 and SHA-256 (`RSA_SIGN_PKCS1_…_SHA256`).
    RsaPkcs1,
    /// RSA with PSS and SHA-256 (`RSA_SIGN_PSS_…_SHA256`).
    RsaPss,
}

/// A version of a key that signs, with its public key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKey {
    version: KeyVersion,
    algorithm: Algorithm,
    public: PublicKey,
}

impl SigningKey {
    /// The version of the key.
    pub fn version(&self) -> &KeyVersion {
        &self.version
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        let is_of = |family: &str| name.starts_with(family) && name.ends_with("_SHA256");
        match name {
            "EC_SIGN_P256_SHA256" => Some(Self::EcdsaP256),
            _ if is_of("RSA_SIGN_PKCS1_") => Some(Self::RsaPkcs1),
            _ if is_of("RSA_SIGN_PSS_") => Some(Self::RsaPss),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKey {
    name: KeyVersion,
    pem: String,
    pem_crc32c: Option<String>,
    algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    name: KeyVersion,
    signature: String,
    signature_crc32c: Option<String>,
    #[serde(default)]
    verified_digest_crc32c: bool,
}

impl Access<'_> {
    /// The key that signs as `version`.
    ///
    /// # Errors
    /// The key's owner denies access; the key does not sign, or with another algorithm than those of [`Algorithm`]; the answer is missing,
    /// invalid or corrupted.
    pub fn signing_key(&self, version: &KeyVersion) -> Result<SigningKey, Error> {
        let doing = format!("reading public key of {version}");
        let url = format!("{}/v1/{version}/publicKey", self.services.kms.as_str());
        let answer = accepted(self.call(&doing, Request::get(url))?, &doing)?;
        let key: WireKey = answer.json(&doing)?;
        same(version, &key.name, &doing)?;
        if key.pem_crc32c != Some(crc32c(key.pem.as_bytes()).to_string()) {
            return Err(Error::incomplete(&doing, "pemCrc32c"));
        }
        let algorithm = Algorithm::of(&key.algorithm);
        let public = PublicKey::from_pem(&key.pem);
        Ok(SigningKey {
            version: version.clone(),
            algorithm: algorithm.ok_or_else(|| Error::incomplete(&doing, "algorithm"))?,
            public: public.map_err(|_| Error::incomplete(&doing, "pem"))?,
        })
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// The key's owner denies access; the answer is missing, invalid, corrupted, or no signature by this key.
    pub fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Error> {
        let SigningKey {
            version, public, ..
        } = key;
        let doing = format!("signing with {version}");
        let digest = Digest::of(message);
        let request = json!({
            "digest": {"sha256": base64(digest.as_bytes())},
            "digestCrc32c": crc32c(digest.as_bytes()).to_string(),
        });
        let url = format!("{}/v1/{version}:asymmetricSign", self.services.kms.as_str());
        let answer = self.call(&doing, Request::json(url, &request)?)?;
        let signed: Signed = accepted(answer, &doing)?.json(&doing)?;
        same(version, &signed.name, &doing)?;
        if !signed.verified_digest_crc32c {
            return Err(Error::incomplete(&doing, "verifiedDigestCrc32c"));
        }
        let signature = from_base64(&signed.signature);
        let signature = signature.ok_or_else(|| Error::incomplete(&doing, "signature"))?;
        if signed.signature_crc32c != Some(crc32c(&signature).to_string()) {
            return Err(Error::incomplete(&doing, "signatureCrc32c"));
        }
        let verified = public.verify(message, &signature);
        verified.map_err(|_| Error::incomplete(&doing, "signature by this key"))?;
        Ok(signature)
    }
}

fn same(expected: &KeyVersion, found: &KeyVersion, doing: &str) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => {
            let (expected, found) = (expected.to_string(), found.to_string());
            Err(Error::answer(doing, Fault::Other { expected, found }))
        }
    }
}
