//! The claims of a Confidential Space attestation token (Google, "Attestation token claims"), read after
//! its signature was verified.

mod check;

use std::collections::BTreeMap;
use std::fmt;

use content::{json, limits};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
pub use check::Expected;
pub(crate) use check::issuer_differs;

/// The issuer of Google's tokens, without a trailing slash.
pub const ISSUER: &str = "https://confidentialcomputing.googleapis.com";
/// The audience of a token that was requested without one. All relying parties share it, so a token
/// with it can be replayed to any of them.
pub const DEFAULT_AUDIENCE: &str = "https://sts.googleapis.com";
/// The value of `swname` if a container was measured.
pub const CONFIDENTIAL_SPACE: &str = "CONFIDENTIAL_SPACE";
/// The value of `dbgstat` for the production image. Any other value counts as debugging.
pub const PRODUCTION: &str = "disabled-since-boot";
const READING: &str = "reading claims";

/// The claims of a token: those of RFC 7519, RFC 9711 and Google, in this order. A claim that no check
/// requires is optional; an absent claim never passes a check.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claims {
    /// The relying parties that the token is for.
    #[serde(rename = "aud")]
    pub audience: OneOrMany,
    /// The issuer, which signed the token.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The machine's self link: the URL of its Compute Engine resource.
    #[serde(rename = "sub", default, deserialize_with = "json::null_is_default")]
    pub subject: String,
    /// The time of signing, in Unix seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// The time from which the token is valid, in Unix seconds.
    #[serde(rename = "nbf", default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// The time from which the token is no longer valid, in Unix seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// The URL of the description of these claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eat_profile: Option<String>,
    /// The nonces that were passed with the request for the token.
    #[serde(
        rename = "eat_nonce",
        default,
        skip_serializing_if = "OneOrMany::is_empty"
    )]
    pub nonces: OneOrMany,
    /// Whether the machine booted securely.
    #[serde(rename = "secboot", default, skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<bool>,
    /// The manufacturer of the machine, by its Private Enterprise Number: 11129 is Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oemid: Option<u64>,
    /// The confidential computing technology, for example `GCP_INTEL_TDX`.
    #[serde(rename = "hwmodel", default, skip_serializing_if = "Option::is_none")]
    pub hardware_model: Option<String>,
    /// [`CONFIDENTIAL_SPACE`], or `GCE` for a machine without a measured container.
    #[serde(rename = "swname", default, skip_serializing_if = "Option::is_none")]
    pub software_name: Option<String>,
    /// The version of the machine's image: one string `YYMMNN`.
    #[serde(rename = "swversion", default, skip_serializing_if = "Vec::is_empty")]
    pub software_version: Vec<String>,
    /// [`PRODUCTION`], or another value if the operator can debug the machine.
    #[serde(rename = "dbgstat", default, skip_serializing_if = "Option::is_none")]
    pub debug_status: Option<String>,
    /// The service accounts that the machine runs as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub google_service_accounts: Vec<String>,
    /// The claims about the machine's image, container and location.
    #[serde(default, deserialize_with = "json::null_is_default")]
    pub submods: Submods,
}

/// The claims about the machine's image, container and location.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Submods {
    /// The image of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential_space: Option<ConfidentialSpace>,
    /// The container; absent on a machine that does not run Confidential Space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The machine's location in Compute Engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gce: Option<Gce>,
}

/// The support status of the machine's image.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConfidentialSpace {
    /// Those of `USABLE`, `STABLE` and `LATEST` that apply; absent on a debug image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support_attributes: Vec<String>,
    /// Whether each kind of monitoring is enabled, for example `memory`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub monitoring_enabled: BTreeMap<String, bool>,
}

/// The container that was measured.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Container {
    /// The reference as the operator wrote it: a hint, not an identity.
    pub image_reference: String,
    /// The digest of the manifest, as text; [`Claims::image_digest`] parses it.
    pub image_digest: String,
    /// The digest of the configuration, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When the launcher restarts the container: `Never`, `Always` or `OnFailure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
    /// The arguments of the container's process, overrides included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The environment variables of the container's process, overrides included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The arguments that the operator passed; absent if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cmd_override: Vec<String>,
    /// The environment variables that the operator passed; absent if there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_override: BTreeMap<String, String>,
    /// The signatures over the image digest that the attestation service has verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_signatures: Vec<ImageSignature>,
}

/// A signature over the image digest that the attestation service has verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImageSignature {
    /// The SHA-256 of the public key (SubjectPublicKeyInfo in DER), as hex.
    pub key_id: String,
    /// The signature, in standard base64.
    pub signature: String,
    /// `ECDSA_P256_SHA256`, `RSASSA_PSS_SHA256` or `RSASSA_PKCS1V15_SHA256`.
    pub signature_algorithm: String,
}

/// The machine's location in Compute Engine.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Gce {
    /// The zone, for example `europe-west4-a`.
    pub zone: String,
    /// The ID of the operator's project.
    pub project_id: String,
    /// The number of that project, as text.
    pub project_number: String,
    /// The machine's name.
    pub instance_name: String,
    /// The machine's numeric ID, as text.
    pub instance_id: String,
}

/// A list of strings. With one item it is written as a string instead of an array.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OneOrMany(pub Vec<String>);

impl OneOrMany {
    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `item` is in the list.
    pub fn has(&self, item: &str) -> bool {
        self.0.iter().any(|other| other == item)
    }
}

impl Serialize for OneOrMany {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            many => serializer.collect_seq(many),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: de::Error>(self, one: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![one.to_owned()]))
    }

    fn visit_unit<E: de::Error>(self) -> Result<OneOrMany, E> {
        Ok(OneOrMany::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(item) = items.next_element()? {
            many.push(item);
        }
        Ok(OneOrMany(many))
    }
}

impl Claims {
    /// Parses the payload of a token.
    ///
    /// # Errors
    /// The payload is not strict JSON or larger than [`limits::TOKEN`], or a claim has another type.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        json::parse(payload, limits::TOKEN).map_err(Error::of(READING))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const DIGEST: &str =
        "sha256:ac91dd368193efa938776f35ff715e29f907c2b6671bae6589d44f60c8d82a54";

    pub(super) fn claims(edit: &[(&str, &str)]) -> Result<Claims, Error> {
        let mut text = format!(
            r#"{{"aud":"https://me.example","iss":"{ISSUER}","iat":1000,"nbf":1000,"exp":4600,
            "eat_nonce":["one","two"],"swname":"CONFIDENTIAL_SPACE","dbgstat":"disabled-since-boot",
            "submods":{{"container":{{"image_reference":"r","image_digest":"{DIGEST}",
            "cmd_override":null,"image_signatures":null}}}},"new":{{"claim":[1]}}}}"#
        );
        for (from, to) in edit {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        Claims::parse(text.as_bytes())
    }

    #[test]
    fn refuses_claims_of_other_types() {
        for (from, to, reason) in [
            (
                "\"exp\":4600",
                "\"exp\":\"4600\"",
                "invalid type: string \"4600\"",
            ),
            ("\"exp\":4600", "\"exp\":-1", "invalid value: integer `-1`"),
            ("\"exp\":4600", "\"exp\":4600,\"exp\":9999", "\"exp\""),
            ("\"iat\"", "\"was\"", "missing field `iat`"),
        ] {
            let error = claims(&[(from, to)]).unwrap_err();
            assert_eq!(error.doing, READING, "{error}");
            assert!(error.to_string().contains(reason), "{to}: {error}");
        }
    }

    #[test]
    fn writes_one_nonce_as_text() {
        let mut claims = claims(&[]).unwrap();
        claims.nonces.0.pop();
        let written = serde_json::to_value(&claims).unwrap();
        assert_eq!(written["eat_nonce"], "one");
        assert!(
            written["submods"]["container"]
                .get("cmd_override")
                .is_none()
        );
        assert_eq!(serde_json::from_value::<Claims>(written).unwrap(), claims);
    }
}
