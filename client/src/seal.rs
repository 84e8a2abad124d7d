//! Encryption with a key of Cloud KMS, through Google's client. Request and answer are checked by CRC32C (Cloud KMS, data
//! integrity guidelines).

use std::time::Duration;

use console::hint::Hinted;
use gcp::{Credentials, Endpoint};
use google::kms::{Key, KeyVersion};
use google_cloud_kms_v1::client::KeyManagementService;
use google_cloud_kms_v1::model::EncryptResponse;

/// The time limit for the call, including the client's retries, which alone would take minutes.
const PATIENCE: Duration = Duration::from_secs(15);

/// Cloud KMS.
#[derive(Clone, Debug)]
pub struct Sealer(KeyManagementService);

impl Sealer {
    /// Connects with these credentials.
    ///
    /// # Errors
    /// The client for the endpoint cannot be built.
    pub async fn open(
        endpoint: Option<&Endpoint>,
        credentials: Credentials,
    ) -> Result<Self, Hinted> {
        let mut builder = KeyManagementService::builder().with_credentials(credentials);
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint.as_str());
        }
        let client = builder.build().await;
        client.map(Self).map_err(|error| {
            Hinted::new(format_args!("connecting to Cloud KMS: {error}")).hinting(SERVICE)
        })
    }

    /// Encrypts `plaintext` with the key's primary version, and binds the ciphertext to `associated`.
    ///
    /// # Errors
    /// Cloud KMS refuses or does not answer, or a checksum shows that request or answer were changed on the way.
    pub async fn seal(
        &self,
        key: &Key,
        plaintext: &[u8],
        associated: &[u8],
    ) -> Result<Vec<u8>, Hinted> {
        let failed = |fault: String| Hinted::new(format_args!("encrypting with {key}: {fault}"));
        let request = self.0.encrypt().set_name(key.to_string());
        let request = request
            .set_plaintext(plaintext.to_vec())
            .set_plaintext_crc32c(checksum(plaintext))
            .set_additional_authenticated_data(associated.to_vec())
            .set_additional_authenticated_data_crc32c(checksum(associated));
        let answer = match tokio::time::timeout(PATIENCE, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(error.to_string()).hinting(hint(&error))),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                return Err(failed(format!("no answer within {seconds} seconds")).hinting(SERVICE));
            }
        };
        check(key, &answer).map_err(|fault| failed(fault).hinting(CHANGED))?;
        Ok(answer.ciphertext.to_vec())
    }
}

const SERVICE: &str = "requests go to the public endpoint, or to --kms-endpoint";
const CHANGED: &str =
    "nothing was sent: try again; if it fails again, check that the endpoint is Cloud KMS";

fn hint(error: &google_cloud_kms_v1::Error) -> &'static str {
    match error.status().map(|status| status.code.name()) {
        Some("PERMISSION_DENIED") => {
            "the credentials need roles/cloudkms.cryptoKeyEncrypter on the key"
        }
        Some("INVALID_ARGUMENT") => {
            "a key in an HSM encrypts up to 8 KiB, associated data included: send a key instead, as docs/messages.md shows"
        }
        Some("FAILED_PRECONDITION") => "check that the key has a primary version that is enabled",
        Some("NOT_FOUND") => "check the name of the key in the grant",
        _ => SERVICE,
    }
}

/// Checks that the answer is for this key, that Cloud KMS received what was sent, and that the ciphertext is as it was made.
fn check(key: &Key, answer: &EncryptResponse) -> Result<(), String> {
    let version = answer.name.parse::<KeyVersion>();
    if !version.is_ok_and(|version| version.key() == key) {
        return Err("the answer is of another key".to_owned());
    }
    if !answer.verified_plaintext_crc32c || !answer.verified_additional_authenticated_data_crc32c {
        return Err("the checksums that were sent did not arrive".to_owned());
    }
    match answer.ciphertext_crc32c == Some(checksum(&answer.ciphertext)) {
        true => Ok(()),
        false => Err("the checksum of the ciphertext is missing or wrong".to_owned()),
    }
}

fn checksum(bytes: &[u8]) -> i64 {
    i64::from(crc32c::crc32c(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

    fn right() -> EncryptResponse {
        EncryptResponse::new()
            .set_name(format!("{KEY}/cryptoKeyVersions/7"))
            .set_ciphertext(b"sealed".to_vec())
            .set_ciphertext_crc32c(checksum(b"sealed"))
            .set_verified_plaintext_crc32c(true)
            .set_verified_additional_authenticated_data_crc32c(true)
    }

    #[test]
    fn an_answer_that_was_changed_is_refused() {
        let key = KEY.parse().unwrap();
        assert_eq!(check(&key, &right()), Ok(()));
        let other = format!("{KEY}k/cryptoKeyVersions/7");
        for (answer, fault) in [
            (right().set_name(other), "another key"),
            (right().set_name(KEY), "another key"),
            (
                right().set_verified_plaintext_crc32c(false),
                "did not arrive",
            ),
            (
                right().set_verified_additional_authenticated_data_crc32c(false),
                "did not arrive",
            ),
            (
                right().set_ciphertext(b"Sealed".to_vec()),
                "missing or wrong",
            ),
            (
                right().set_or_clear_ciphertext_crc32c(None::<i64>),
                "missing or wrong",
            ),
        ] {
            let found = check(&key, &answer).unwrap_err();
            assert!(found.contains(fault), "{found}");
        }
    }
}
