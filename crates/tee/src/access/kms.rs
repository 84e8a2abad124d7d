//! Decrypts with a key in Cloud KMS (REST, `cryptoKeys.decrypt`). Additional authenticated data binds the ciphertext to its
//! purpose; CRC32C is checked in both directions.

use google::kms::Key;
use serde::Deserialize;
use serde_json::json;

use super::Access;
use crate::crc32c::crc32c;
use crate::encode::{base64, from_base64};
use crate::error::{Error, Refusal};
use crate::http::Request;
use crate::secret::Secret;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decrypted {
    // Google's JSON omits empty fields.
    plaintext: Option<Secret>,
    plaintext_crc32c: Option<String>,
}

impl Access<'_> {
    /// Decrypts with `key`; `aad` is the additional authenticated data with which it was encrypted. `doing` names the operation in
    /// errors, as a present participle.
    ///
    /// # Errors
    /// [`Error::NotDecrypted`] if the key does not decrypt this; [`Error::Refused`] if the key's owner denies access or has disabled
    /// the key; any other error if the answer is missing, invalid or corrupted.
    pub fn decrypt(
        &self,
        doing: &str,
        key: &Key,
        ciphertext: &[u8],
        aad: &[u8],
    ) -> Result<Secret, Error> {
        let request = json!({
            "ciphertext": base64(ciphertext),
            "ciphertextCrc32c": crc32c(ciphertext).to_string(),
            "additionalAuthenticatedData": base64(aad),
            "additionalAuthenticatedDataCrc32c": crc32c(aad).to_string(),
        });
        let url = format!("{}/v1/{key}:decrypt", self.services.kms.as_str());
        let answer = self.call(doing, Request::json(url, &request)?)?;
        match (answer.status(), answer.code().as_str()) {
            (400, "INVALID_ARGUMENT") => Err(Error::NotDecrypted {
                doing: doing.to_owned(),
                reason: answer.message(),
            }),
            (401 | 403, _) | (400, "FAILED_PRECONDITION") => {
                Err(Refusal::new(doing, answer.message()).into())
            }
            _ => check(&answer.json(doing)?, doing),
        }
    }
}

fn check(decrypted: &Decrypted, doing: &str) -> Result<Secret, Error> {
    let encoded = decrypted.plaintext.as_ref().map_or(Some(""), Secret::text);
    let plaintext = encoded.and_then(from_base64).map(Secret::new);
    let Some(plaintext) = plaintext else {
        return Err(Error::incomplete(doing, "plaintext"));
    };
    let crc32c = crc32c(plaintext.bytes()).to_string();
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
        let crc32c = crc32c(b"alice").to_string();
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
