//! Reads a version of a secret (Secret Manager v1, `projects.secrets.versions.access`).

use google::secret::SecretVersion;
use serde::Deserialize;

use super::{Access, accepted};
use crate::crc32c::crc32c;
use crate::encode::from_base64;
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::secret::Secret;

#[derive(Deserialize)]
struct Accessed {
    name: SecretVersion,
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    data: Option<Secret>,
    data_crc32c: Option<String>,
}

impl Access<'_> {
    /// The data of a version.
    ///
    /// # Errors
    /// [`Error::Refused`] if the secret's owner denies access; any other error if the answer is missing, invalid, corrupted, or about
    /// another version.
    pub fn secret(&self, version: &SecretVersion) -> Result<Secret, Error> {
        let doing = format!("reading {version}");
        let service = self.services.secret_manager.as_str();
        let answer = self.call(
            &doing,
            Request::get(format!("{service}/v1/{version}:access")),
        )?;
        // Google answers 400 for a version that is disabled or destroyed.
        if (answer.status(), answer.code().as_str()) == (400, "FAILED_PRECONDITION") {
            return Err(crate::error::Refusal::new(doing, answer.message()).into());
        }
        check(accepted(answer, &doing)?.json(&doing)?, version, &doing)
    }
}

fn check(accessed: Accessed, version: &SecretVersion, doing: &str) -> Result<Secret, Error> {
    if !version.may_be(&accessed.name) {
        let (expected, found) = (version.to_string(), accessed.name.to_string());
        return Err(Error::answer(doing, Fault::Other { expected, found }));
    }
    let Payload { data, data_crc32c } = accessed.payload;
    let encoded = data.as_ref().map_or(Some(""), Secret::text);
    let data = encoded.and_then(from_base64).map(Secret::new);
    let data = data.ok_or_else(|| Error::incomplete(doing, "payload.data"))?;
    match data_crc32c == Some(crc32c(data.bytes()).to_string()) {
        true => Ok(data),
        false => Err(Error::incomplete(doing, "payload.dataCrc32c")),
    }
}
