//! Decrypts a message with its sender's key in Cloud KMS (REST, `cryptoKeys.decrypt`). Additional
//! data bind the ciphertext to its sender, its name and this image; CRC32C is checked both ways.

use content::Digest;
use serde::Deserialize;
use serde_json::json;

use crate::platform::exchange::Access;
use crate::platform::http::{Client, Content, base64, from_base64};
use crate::platform::inbox::Letter;
use crate::platform::{Error, Refusal, Secret};
use crate::terms::{Endpoint, Resource};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    // Absent when it is empty, as everything in Google's JSON.
    plaintext: Option<Secret>,
    plaintext_crc32c: Option<String>,
}

/// Cloud KMS.
pub struct Kms<'a> {
    /// How to reach it.
    pub network: Client<'a>,
    /// Where it is.
    pub endpoint: &'a Endpoint,
    /// The image that it is asked for.
    pub image_digest: Digest,
}

/// What became of a message at Cloud KMS.
pub enum Opened {
    /// The data.
    Plaintext(Secret),
    /// This key does not open this message: the message is wrong, not the workload.
    NotOpened(String),
}

impl Kms<'_> {
    /// Decrypts `letter` with `key`.
    ///
    /// # Errors
    /// The key's owner does not allow it, or has disabled the key; no answer, or one that was
    /// changed on its way.
    pub fn open(&self, letter: &Letter, key: &Resource, access: &Access) -> Result<Opened, Error> {
        let Letter {
            collaborator,
            message,
            ciphertext,
            ..
        } = letter;
        let doing = format!("decrypting message {message} of {collaborator}");
        let aad = self.associated_data(collaborator, message)?;
        let request = json!({
            "ciphertext": base64(ciphertext),
            "ciphertextCrc32c": crc32c::crc32c(ciphertext).to_string(),
            "additionalAuthenticatedData": base64(&aad),
            "additionalAuthenticatedDataCrc32c": crc32c::crc32c(&aad).to_string(),
        });
        let url = format!("{}/v1/{}:decrypt", self.endpoint.as_str(), key.as_str());
        let content = Content::json(&request)?;
        let answer = self
            .network
            .call(&doing, &url, Some(access.token()), &content)?;
        match (answer.status(), answer.code().as_str()) {
            (400, "INVALID_ARGUMENT") => Ok(Opened::NotOpened(answer.message())),
            (401 | 403, _) | (400, "FAILED_PRECONDITION") => Err(Refusal::Denied {
                doing,
                message: answer.message(),
            }
            .into()),
            _ => Ok(Opened::Plaintext(check(&answer.json(&doing)?, doing)?)),
        }
    }

    /// `{"collaborator":…,"image_digest":…,"message":…}`: sorted, without white space.
    fn associated_data(&self, collaborator: &str, message: &str) -> Result<Vec<u8>, Error> {
        let data = json!({
            "collaborator": collaborator,
            "image_digest": self.image_digest,
            "message": message,
        });
        content::json::canonical(&data).map_err(Error::Request)
    }
}

fn check(decrypted: &Decrypted, doing: String) -> Result<Secret, Error> {
    let encoded = decrypted.plaintext.as_ref().map_or(Some(""), Secret::text);
    let plaintext = encoded.and_then(from_base64).map(Secret::new);
    let Some(plaintext) = plaintext else {
        return Err(Error::Incomplete {
            doing,
            missing: "plaintext",
        });
    };
    let crc32c = crc32c::crc32c(plaintext.bytes()).to_string();
    match decrypted.plaintext_crc32c.as_ref() == Some(&crc32c) {
        true => Ok(plaintext),
        false => Err(Error::Incomplete {
            doing,
            missing: "plaintextCrc32c",
        }),
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
            "decrypting".into(),
        )
    }

    #[test]
    fn believes_no_plaintext_without_its_checksum() {
        // CRC32C of "alice", and of nothing.
        let crc32c = crc32c::crc32c(b"alice").to_string();
        assert_eq!(
            checked("YWxpY2U=", Some(&crc32c)).ok().unwrap().bytes(),
            b"alice"
        );
        assert!(checked("", Some("0")).is_ok());
        assert!(checked("YWxpY2U=", None).is_err());
        assert!(checked("YWxpY2U=", Some("0")).is_err());
        assert!(checked("YWxpY2X=", Some(&crc32c)).is_err());
        assert!(checked("", None).is_err());
    }
}
