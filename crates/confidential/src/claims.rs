//! What a Confidential Space attestation token says, after its signature was verified
//! (Google, "Attestation token claims").

mod check;

use std::collections::BTreeMap;
use std::fmt;

use content::{json, limits};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;
pub use check::Expected;

/// The issuer of Google's tokens; without a slash at its end.
pub const ISSUER: &str = "https://confidentialcomputing.googleapis.com";
/// The audience of a token that was asked for without one. It is the same for everyone, and so a
/// token with it can be replayed to everyone.
pub const DEFAULT_AUDIENCE: &str = "https://sts.googleapis.com";
/// `swname` where a container was measured.
pub const CONFIDENTIAL_SPACE: &str = "CONFIDENTIAL_SPACE";
/// `dbgstat` of the production image. Everything else counts as debugging.
pub const PRODUCTION: &str = "disabled-since-boot";

/// The claims of a token, in the order of RFC 7519, RFC 9711 and Google. A claim that relying
/// parties can do without is optional: an absent one never stands for a good one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claims {
    /// Whom the token is for.
    #[serde(rename = "aud")]
    pub audience: OneOrMany,
    /// Who signed it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The machine's self link.
    #[serde(rename = "sub", default, deserialize_with = "json::null_is_default")]
    pub subject: String,
    /// When it was signed, in Unix seconds.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    /// When it begins to hold, in Unix seconds.
    #[serde(rename = "nbf", default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
    /// When it holds no longer, in Unix seconds.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// Where these claims are described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eat_profile: Option<String>,
    /// What the one who asked for the token wanted to see in it.
    #[serde(
        rename = "eat_nonce",
        default,
        skip_serializing_if = "OneOrMany::is_empty"
    )]
    pub nonces: OneOrMany,
    /// Whether the machine booted securely.
    #[serde(rename = "secboot", default, skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<bool>,
    /// The maker of the machine: 11129 is Google.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oemid: Option<u64>,
    /// The technology, e.g. `GCP_INTEL_TDX`.
    #[serde(rename = "hwmodel", default, skip_serializing_if = "Option::is_none")]
    pub hardware_model: Option<String>,
    /// [`CONFIDENTIAL_SPACE`], or `GCE` for a machine without a measured container.
    #[serde(rename = "swname", default, skip_serializing_if = "Option::is_none")]
    pub software_name: Option<String>,
    /// The version of the machine's image: one text `YYMMNN`.
    #[serde(rename = "swversion", default, skip_serializing_if = "Vec::is_empty")]
    pub software_version: Vec<String>,
    /// [`PRODUCTION`], or something else when the operator can look in.
    #[serde(rename = "dbgstat", default, skip_serializing_if = "Option::is_none")]
    pub debug_status: Option<String>,
    /// The accounts that the machine runs as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub google_service_accounts: Vec<String>,
    /// What is inside.
    #[serde(default, deserialize_with = "json::null_is_default")]
    pub submods: Submods,
}

/// What is inside the machine.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Submods {
    /// The image of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential_space: Option<ConfidentialSpace>,
    /// The container; absent on a machine that is no Confidential Space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Where the machine runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gce: Option<Gce>,
}

/// How well the machine's image is supported.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConfidentialSpace {
    /// `USABLE`, `STABLE` and `LATEST`, as far as they hold; absent on a debug image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub support_attributes: Vec<String>,
    /// What is monitored.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub monitoring_enabled: BTreeMap<String, bool>,
}

/// The container that was measured.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Container {
    /// The reference as the operator typed it: a hint, not an identity.
    pub image_reference: String,
    /// The digest of the manifest, as text; [`Claims::image_digest`] reads it.
    pub image_digest: String,
    /// The digest of the configuration, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When it is started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<String>,
    /// The arguments of its process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The variables of its process.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The arguments that the operator chose; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cmd_override: Vec<String>,
    /// The variables that the operator chose; absent when there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_override: BTreeMap<String, String>,
    /// Signatures over the digest that the attestation service has verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_signatures: Vec<ImageSignature>,
}

/// A signature over the image digest that the attestation service has verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ImageSignature {
    /// The hex SHA-256 of the public key (DER, SubjectPublicKeyInfo).
    pub key_id: String,
    /// The signature, standard base64.
    pub signature: String,
    /// `ECDSA_P256_SHA256`, `RSASSA_PSS_SHA256` or `RSASSA_PKCS1V15_SHA256`.
    pub signature_algorithm: String,
}

/// Where the machine runs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Gce {
    /// The zone.
    pub zone: String,
    /// The operator's project.
    pub project_id: String,
    /// The number of that project, as text.
    pub project_number: String,
    /// The machine's name.
    pub instance_name: String,
    /// The machine's number, as text.
    pub instance_id: String,
}

/// A list that is written as a bare text when it has one item.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OneOrMany(pub Vec<String>);

impl OneOrMany {
    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `item` is one of them.
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
        f.write_str("a text or a list of texts")
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
    /// Reads the payload of a token.
    ///
    /// # Errors
    /// JSON that cannot be read strictly, or a claim of another type.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        json::parse(payload, limits::TOKEN).map_err(Error::Claims)
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
            assert!(matches!(error, Error::Claims(_)), "{error}");
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
