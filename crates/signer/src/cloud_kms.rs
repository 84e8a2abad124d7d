//! A key of Cloud KMS, through Google's own client. The private key never leaves the service;
//! checksums guard what travels (Cloud KMS, data integrity guidelines).

use content::Digest;
use google_cloud_auth::credentials;
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::Digest as WireDigest;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm;
use signature::PublicKey;

use crate::Error;

/// One key version, opened.
pub struct CloudKms {
    client: KeyManagementService,
    name: String,
    public: PublicKey,
}

impl CloudKms {
    /// Opens the key version `name` with the application default credentials, and fetches its
    /// public key.
    ///
    /// # Errors
    /// No credentials, no connection, no such key, or another algorithm than EC_SIGN_P256_SHA256.
    pub async fn open(name: &str, endpoint: Option<&str>) -> Result<Self, Error> {
        let credentials = credentials::Builder::default()
            .build()
            .map_err(Error::Credentials)?;
        let mut builder = KeyManagementService::builder().with_credentials(credentials);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        let client = builder
            .build()
            .await
            .map_err(|error| refused("a connection", name, &error))?;
        let public = public_key(&client, name).await?;
        Ok(Self {
            client,
            name: name.to_owned(),
            public,
        })
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs the SHA-256 of `message`; the signature is in DER.
    ///
    /// # Errors
    /// Cloud KMS refuses, cannot be reached, or received or sent other bytes.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = Digest::of(message).as_bytes().to_vec();
        let checksum = i64::from(crc32c::crc32c(&digest));
        let request = self.client.asymmetric_sign().set_name(&self.name);
        let request = request.set_digest(WireDigest::new().set_sha256(digest));
        let answer = request.set_digest_crc32c(checksum).send().await;
        let answer = answer.map_err(|error| refused("a signature", &self.name, &error))?;
        self.expect("name", &self.name, &answer.name)?;
        self.expect(
            "verified_digest_crc32c",
            "true",
            &answer.verified_digest_crc32c.to_string(),
        )?;
        let found = answer
            .signature_crc32c
            .map_or("none".to_owned(), |crc| crc.to_string());
        self.expect(
            "signature_crc32c",
            &crc32c::crc32c(&answer.signature).to_string(),
            &found,
        )?;
        Ok(answer.signature.to_vec())
    }

    fn expect(&self, what: &'static str, expected: &str, found: &str) -> Result<(), Error> {
        check(what, &self.name, expected, found)
    }
}

async fn public_key(client: &KeyManagementService, name: &str) -> Result<PublicKey, Error> {
    let answer = client.get_public_key().set_name(name).send().await;
    let answer = answer.map_err(|error| refused("the public key", name, &error))?;
    let algorithm = CryptoKeyVersionAlgorithm::EcSignP256Sha256;
    check(
        "algorithm",
        name,
        &format!("{algorithm:?}"),
        &format!("{:?}", answer.algorithm),
    )?;
    let found = answer
        .pem_crc32c
        .map_or("none".to_owned(), |crc| crc.to_string());
    check(
        "pem_crc32c",
        name,
        &crc32c::crc32c(answer.pem.as_bytes()).to_string(),
        &found,
    )?;
    Ok(PublicKey::from_pem(&answer.pem)?)
}

fn check(what: &'static str, key: &str, expected: &str, found: &str) -> Result<(), Error> {
    match expected == found {
        true => Ok(()),
        false => Err(Error::Answer {
            what,
            key: key.to_owned(),
            expected: expected.to_owned(),
            found: found.chars().take(200).collect(),
        }),
    }
}

fn refused(what: &'static str, key: &str, error: &dyn std::error::Error) -> Error {
    Error::CloudKms {
        what,
        key: key.to_owned(),
        reason: error.to_string(),
    }
}
