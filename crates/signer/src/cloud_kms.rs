//! Signs with a key in Cloud KMS, through Google's client. The private key never leaves the service.
//! Requests and answers are checked by CRC32C (Cloud KMS, data integrity guidelines).

use std::time::Duration;

use google::kms::KeyVersion;
use google_cloud_auth::credentials::Credentials;
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm;
use google_cloud_kms_v1::model::{Digest, PublicKey as Answer};
use signature::{Algorithm, Encoding, Hash, KeyType, PublicKey};

use crate::{Error, KmsEndpoint, credentials};

/// The time limit for one call, including the client's retries, which alone would take a minute.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest message in bytes that Cloud KMS signs with Ed25519 (Cloud KMS, `AsymmetricSignRequest.data`).
const ED25519_LIMIT: usize = 64 << 10;

/// A key version of Cloud KMS whose public key has been fetched.
pub struct CloudKms {
    client: KeyManagementService,
    name: String,
    public: PublicKey,
}

impl CloudKms {
    /// Opens a key version with the application default credentials, and fetches its
    /// public key.
    ///
    /// # Errors
    /// There are no credentials, Cloud KMS cannot be reached or refuses, or the key has an algorithm that is not
    /// supported: those for signatures are, except for raw PKCS #1, secp256k1 and post-quantum ones.
    pub async fn open(version: &KeyVersion, endpoint: Option<&KmsEndpoint>) -> Result<Self, Error> {
        Self::connect(version, endpoint, credentials().await?).await
    }

    async fn connect(
        version: &KeyVersion,
        endpoint: Option<&KmsEndpoint>,
        credentials: Credentials,
    ) -> Result<Self, Error> {
        let mut builder = KeyManagementService::builder().with_credentials(credentials);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint.as_str());
        }
        let client = builder
            .build()
            .await
            .map_err(|error| Error::Endpoint(format!("opening Cloud KMS: {error}")))?;
        let name = version.to_string();
        let public = public_key(&client, &name).await?;
        Ok(Self {
            client,
            name,
            public,
        })
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` with the key's algorithm: its digest is sent, or the message itself for Ed25519.
    ///
    /// # Errors
    /// The message is longer than 64 KiB and the key is for Ed25519, Cloud KMS refuses or cannot be reached, or a
    /// checksum shows that the request or the answer was changed on the way.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let request = self.client.asymmetric_sign().set_name(&self.name);
        let hash = self.public.algorithms().find_map(Algorithm::hash);
        let (request, verified) = match hash {
            Some(hash) => {
                let digest = hash.digest(message);
                let checksum = checksum(&digest);
                let request = request.set_digest(wire(hash, digest));
                (
                    request.set_digest_crc32c(checksum),
                    "verified_digest_crc32c",
                )
            }
            None => {
                self.check_length(message)?;
                let request = request.set_data(message.to_vec());
                (
                    request.set_data_crc32c(checksum(message)),
                    "verified_data_crc32c",
                )
            }
        };
        let answer = in_time("a signature", &self.name, request.send()).await?;
        self.expect("name", &self.name, &answer.name)?;
        let is_verified = match hash {
            Some(_) => answer.verified_digest_crc32c,
            None => answer.verified_data_crc32c,
        };
        self.expect(verified, "true", &is_verified.to_string())?;
        let expected = checksum(&answer.signature).to_string();
        self.expect(
            "signature_crc32c",
            &expected,
            &shown(answer.signature_crc32c),
        )?;
        Ok(answer.signature.to_vec())
    }

    fn check_length(&self, message: &[u8]) -> Result<(), Error> {
        match message.len() {
            ..=ED25519_LIMIT => Ok(()),
            found => Err(Error::Length {
                key: self.name.clone(),
                limit: ED25519_LIMIT,
                found,
            }),
        }
    }

    fn expect(&self, what: &'static str, expected: &str, found: &str) -> Result<(), Error> {
        check(what, &self.name, expected, found)
    }
}

async fn public_key(client: &KeyManagementService, name: &str) -> Result<PublicKey, Error> {
    let answer = client.get_public_key().set_name(name).send();
    let answer = in_time("the public key", name, answer).await?;
    check("name", name, name, &answer.name)?;
    let expected = checksum(answer.pem.as_bytes()).to_string();
    check("pem_crc32c", name, &expected, &shown(answer.pem_crc32c))?;
    with_algorithm(name, &answer)
}

/// The key with the algorithm that its version has in Cloud KMS.
fn with_algorithm(name: &str, answer: &Answer) -> Result<PublicKey, Error> {
    let shown = format!("{:?}", answer.algorithm);
    let Some((key_type, algorithm)) = algorithm(&answer.algorithm) else {
        return Err(wrong(
            "algorithm",
            name,
            "one for signatures that is supported",
            &shown,
        ));
    };
    let invalid = |error: signature::Error| Error::Answer(format!("key {name}: {error}"));
    let key = PublicKey::from_pem(&answer.pem).map_err(invalid)?;
    check(
        "type of the key",
        name,
        &key_type.to_string(),
        &key.key_type().to_string(),
    )?;
    key.with_algorithm(algorithm).map_err(invalid)
}

/// The type of key and the algorithm of a key version (Cloud KMS, "Key purposes and algorithms").
fn algorithm(name: &CryptoKeyVersionAlgorithm) -> Option<(KeyType, Algorithm)> {
    use CryptoKeyVersionAlgorithm as Name;
    let ecdsa = |hash| Algorithm::Ecdsa {
        hash,
        encoding: Encoding::Der,
    };
    let pkcs1 = |bits, hash| (KeyType::Rsa { bits }, Algorithm::RsaPkcs1 { hash });
    let pss = |bits, hash| {
        (
            KeyType::Rsa { bits },
            Algorithm::RsaPss { hash, salt: None },
        )
    };
    Some(match name {
        Name::EcSignP256Sha256 => (KeyType::P256, ecdsa(Hash::Sha256)),
        Name::EcSignP384Sha384 => (KeyType::P384, ecdsa(Hash::Sha384)),
        Name::EcSignEd25519 => (KeyType::Ed25519, Algorithm::Ed25519),
        Name::RsaSignPkcs12048Sha256 => pkcs1(2048, Hash::Sha256),
        Name::RsaSignPkcs13072Sha256 => pkcs1(3072, Hash::Sha256),
        Name::RsaSignPkcs14096Sha256 => pkcs1(4096, Hash::Sha256),
        Name::RsaSignPkcs14096Sha512 => pkcs1(4096, Hash::Sha512),
        Name::RsaSignPss2048Sha256 => pss(2048, Hash::Sha256),
        Name::RsaSignPss3072Sha256 => pss(3072, Hash::Sha256),
        Name::RsaSignPss4096Sha256 => pss(4096, Hash::Sha256),
        Name::RsaSignPss4096Sha512 => pss(4096, Hash::Sha512),
        _ => return None,
    })
}

fn wire(hash: Hash, digest: Vec<u8>) -> Digest {
    match hash {
        Hash::Sha256 => Digest::new().set_sha256(digest),
        Hash::Sha384 => Digest::new().set_sha384(digest),
        Hash::Sha512 => Digest::new().set_sha512(digest),
    }
}

fn checksum(bytes: &[u8]) -> i64 {
    i64::from(crc32c::crc32c(bytes))
}

/// A checksum in an answer, which may be missing.
fn shown(checksum: Option<i64>) -> String {
    checksum.map_or("none".to_owned(), |checksum| checksum.to_string())
}

fn check(what: &'static str, key: &str, expected: &str, found: &str) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => Err(wrong(what, key, expected, found)),
    }
}

fn wrong(what: &str, key: &str, expected: &str, found: &str) -> Error {
    let found: String = found.chars().take(200).collect();
    Error::Answer(format!(
        "{what} of {key}: expected {expected}, found {found}"
    ))
}

async fn in_time<T>(
    what: &'static str,
    key: &str,
    answer: impl Future<Output = Result<T, google_cloud_kms_v1::Error>>,
) -> Result<T, Error> {
    let key = key.to_owned();
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(source)) => Err(Error::CloudKms {
            what,
            key,
            source: Box::new(source),
        }),
        Err(_) => Err(Error::Endpoint(format!(
            "requesting {what} of {key} from Cloud KMS: no answer within {} seconds",
            PATIENCE.as_secs()
        ))),
    }
}

#[cfg(test)]
mod tests;
