//! Decrypts a message with its sender's key in Cloud KMS (REST, `cryptoKeys.decrypt`). Additional
//! authenticated data binds the ciphertext to its sender, its name and this image; CRC32C is checked
//! in both directions.

use content::Digest;
use google::kms::Key;
use serde::Deserialize;
use serde_json::json;

use crate::platform::exchange::Access;
use crate::platform::http::{Client, Content, base64, from_base64};
use crate::platform::inbox::EncryptedMessage;
use crate::platform::{Error, Refusal, Secret};
use crate::terms::Endpoint;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    // Google's JSON omits empty fields.
    plaintext: Option<Secret>,
    plaintext_crc32c: Option<String>,
}

/// A client of Cloud KMS.
pub struct Kms<'a> {
    /// The HTTP client.
    pub network: Client<'a>,
    /// The address of the service.
    pub endpoint: &'a Endpoint,
    /// The digest of this image, which the additional data contains.
    pub image_digest: Digest,
}

/// The outcome of decrypting a message.
pub enum Opened {
    /// The decrypted data.
    Plaintext(Secret),
    /// The key does not decrypt this message, with the reason that Cloud KMS states. The message is at
    /// fault, not the workload.
    NotOpened(String),
}

impl Kms<'_> {
    /// Decrypts `message` with `key`.
    ///
    /// # Errors
    /// The key's owner denies access or has disabled the key; or the answer is missing, invalid or
    /// corrupted.
    pub fn open(
        &self,
        message: &EncryptedMessage,
        key: &Key,
        access: &Access,
    ) -> Result<Opened, Error> {
        let EncryptedMessage {
            collaborator,
            name,
            ciphertext,
            ..
        } = message;
        let doing = format!("decrypting message {name} of {collaborator}");
        let aad = self.associated_data(collaborator, name)?;
        let request = json!({
            "ciphertext": base64(ciphertext),
            "ciphertextCrc32c": crc32c::crc32c(ciphertext).to_string(),
            "additionalAuthenticatedData": base64(&aad),
            "additionalAuthenticatedDataCrc32c": crc32c::crc32c(&aad).to_string(),
        });
        let url = format!("{}/v1/{key}:decrypt", self.endpoint.as_str());
        let content = Content::json(&request)?;
        let answer = self
            .network
            .call(&doing, &url, Some(access.token()), &content)?;
        match (answer.status(), answer.code().as_str()) {
            (400, "INVALID_ARGUMENT") => Ok(Opened::NotOpened(answer.message())),
            (401 | 403, _) | (400, "FAILED_PRECONDITION") => {
                Err(Refusal::new(doing, answer.message()).into())
            }
            _ => Ok(Opened::Plaintext(check(&answer.json(&doing)?, &doing)?)),
        }
    }

    /// `{"collaborator":…,"image_digest":…,"message":…}`: sorted by name, without white space.
    fn associated_data(&self, collaborator: &str, name: &str) -> Result<Vec<u8>, Error> {
        let data = json!({
            "collaborator": collaborator,
            "image_digest": self.image_digest,
            "message": name,
        });
        content::json::canonical(&data).map_err(|error| Error::system("writing request", error))
    }
}

fn check(decrypted: &Decrypted, doing: &str) -> Result<Secret, Error> {
    let encoded = decrypted.plaintext.as_ref().map_or(Some(""), Secret::text);
    let plaintext = encoded.and_then(from_base64).map(Secret::new);
    let Some(plaintext) = plaintext else {
        return Err(Error::incomplete(doing, "plaintext"));
    };
    let crc32c = crc32c::crc32c(plaintext.bytes()).to_string();
    match decrypted.plaintext_crc32c.as_ref() == Some(&crc32c) {
        true => Ok(plaintext),
        false => Err(Error::incomplete(doing, "plaintextCrc32c")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(plaintext: &str, crc32c: Option<&str>) -> Result<Secret, Error> {
        let plaintext_crc32c = crc32c.map(str::to_owned);
        check(
            &Decrypted {
                plaintext: Some(Secret::new(plaintext.into())),
                plaintext_crc32c,
            },
            "decrypting",
        )
    }

    #[test]
    fn rejects_a_plaintext_without_a_matching_checksum() {
        // CRC32C of "alice", then of empty data.
        let crc32c = crc32c::crc32c(b"alice").to_string();
        assert_eq!(
            checked("YWxpY2U=", Some(&crc32c)).ok().unwrap().bytes(),
            b"alice"
        );
        assert!(checked("", Some("0")).is_ok());
        for (plaintext, crc32c, wrong) in [
            ("YWxpY2U=", None, "plaintextCrc32c"),
            ("YWxpY2U=", Some("0"), "plaintextCrc32c"),
            ("YWxpY2X=", Some(crc32c.as_str()), "plaintext"),
            ("", None, "plaintextCrc32c"),
        ] {
            let refused = checked(plaintext, crc32c).err().unwrap();
            let expected = format!("decrypting: the answer has no valid {wrong}");
            assert_eq!(refused.to_string(), expected);
        }
    }
}
