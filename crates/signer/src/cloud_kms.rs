//! Signs with a key in Cloud KMS, through Google's client. The private key never leaves the service.
//! Requests and answers are checked by CRC32C (Cloud KMS, data integrity guidelines).

use std::time::Duration;

use content::Digest;
use google::kms::KeyVersion;
use google_cloud_auth::credentials::Credentials;
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::Digest as WireDigest;
use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionAlgorithm;
use signature::PublicKey;

use crate::{Error, KmsEndpoint, credentials};

/// The time limit for one call, including the client's retries, which alone would take a minute.
const PATIENCE: Duration = Duration::from_secs(15);

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
    /// There are no credentials, Cloud KMS cannot be reached or refuses, or the key has an algorithm other
    /// than EC_SIGN_P256_SHA256.
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
            .map_err(|error| Error::Client(Box::new(error)))?;
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

    /// Signs the SHA-256 digest of `message`. The signature is in DER.
    ///
    /// # Errors
    /// Cloud KMS refuses or cannot be reached, or a checksum shows that the request or the answer was
    /// changed on the way.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let digest = Digest::of(message).as_bytes().to_vec();
        let checksum = i64::from(crc32c::crc32c(&digest));
        let request = self.client.asymmetric_sign().set_name(&self.name);
        let request = request.set_digest(WireDigest::new().set_sha256(digest));
        let answer = request.set_digest_crc32c(checksum).send();
        let answer = in_time("a signature", &self.name, answer).await?;
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
    let answer = client.get_public_key().set_name(name).send();
    let answer = in_time("the public key", name, answer).await?;
    check("name", name, name, &answer.name)?;
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
        Err(_) => Err(Error::Silent {
            what,
            key,
            seconds: PATIENCE.as_secs(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use google_cloud_auth::credentials;
    use serde_json::{Value, json};
    use signature::PrivateKey;

    use super::*;

    const NAME: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1";
    const MESSAGE: &[u8] = b"what is to be signed";

    /// A member of the answer, with a wrong value that the service or an attacker on the network sends.
    type Fault = (&'static str, Value);

    /// Starts a server on loopback that answers like Cloud KMS: the public key first, then one signature.
    fn serve(fault: Option<Fault>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let key = PrivateKey::generate().unwrap();
            for stream in listener.incoming() {
                answer(stream.unwrap(), &key, fault.as_ref());
            }
        });
        format!("http://{address}")
    }

    fn answer(mut stream: TcpStream, key: &PrivateKey, fault: Option<&Fault>) {
        let (path, body) = request(&stream);
        let mut answer = match path.starts_with(&format!("/v1/{NAME}/publicKey")) {
            true => public_key_of(key),
            false => signature_of(key, &body),
        };
        if let Some((member, value)) = fault
            && answer.get(member).is_some()
        {
            answer[*member] = value.clone();
        }
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    }

    fn request(stream: &TcpStream) -> (String, Vec<u8>) {
        let mut reader = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).unwrap();
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            match line.trim_end().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", text)) => length = text.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        (path, body)
    }

    fn public_key_of(key: &PrivateKey) -> Value {
        let pem = key.public().to_pem();
        let checksum = crc32c::crc32c(pem.as_bytes()).to_string();
        json!({"name": NAME, "pem": pem, "pemCrc32c": checksum, "algorithm": "EC_SIGN_P256_SHA256"})
    }

    fn signature_of(key: &PrivateKey, body: &[u8]) -> Value {
        let asked: Value = serde_json::from_slice(body).unwrap();
        let digest = Digest::of(MESSAGE);
        assert_eq!(asked["digest"]["sha256"], BASE64.encode(digest.as_bytes()));
        let checksum = crc32c::crc32c(digest.as_bytes()).to_string();
        assert_eq!(asked["digestCrc32c"], checksum);
        let signature = key.sign(MESSAGE).unwrap();
        let checksum = crc32c::crc32c(&signature).to_string();
        json!({"name": NAME, "signature": BASE64.encode(signature), "signatureCrc32c": checksum,
            "verifiedDigestCrc32c": true})
    }

    async fn sign(fault: Option<Fault>) -> Result<Vec<u8>, Error> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let credentials = credentials::anonymous::Builder::new().build();
        let endpoint = serve(fault).parse()?;
        let key = CloudKms::connect(&NAME.parse().unwrap(), Some(&endpoint), credentials).await?;
        let signature = key.sign(MESSAGE).await?;
        key.public().verify(MESSAGE, &signature)?;
        Ok(signature)
    }

    #[tokio::test]
    async fn signs_a_message() {
        sign(None).await.unwrap();
    }

    #[tokio::test]
    async fn refuses_a_wrong_answer() {
        let other = NAME.replace("/1", "/2");
        for (member, value) in [
            ("name", json!(other)),
            ("algorithm", json!("EC_SIGN_P384_SHA384")),
            ("pemCrc32c", json!("1")),
            ("pemCrc32c", Value::Null),
            ("verifiedDigestCrc32c", json!(false)),
            ("signatureCrc32c", json!("1")),
            ("signatureCrc32c", Value::Null),
            ("signature", json!("AAAA")),
        ] {
            let error = sign(Some((member, value.clone()))).await.unwrap_err();
            assert!(
                matches!(error, Error::Answer { .. }),
                "{member} {value}: {error}"
            );
        }
    }
}
