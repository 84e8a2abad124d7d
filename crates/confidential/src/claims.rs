//! What a Confidential Space attestation token says, after its signature was verified
//! (Google, "Attestation token claims").

use std::collections::BTreeMap;

use content::{Digest, limits};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Error;

/// The issuer of Google's tokens; without a slash at its end.
pub const ISSUER: &str = "https://confidentialcomputing.googleapis.com";
/// The audience of a token that was asked for without one. It is the same for everyone, and so a
/// token with it can be replayed to everyone.
pub const DEFAULT_AUDIENCE: &str = "https://sts.googleapis.com";
/// `swname` where a container was measured.
pub const CONFIDENTIAL_SPACE: &str = "CONFIDENTIAL_SPACE";
/// `dbgstat` of the production image. Everything else counts as debugging.
pub const PRODUCTION: &str = "disabled-since-boot";

/// Seconds by which the issuer's clock may be ahead of ours.
const CLOCK_SKEW: u64 = 10;

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
    #[serde(rename = "sub", default)]
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
    #[serde(default)]
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
    #[serde(
        default,
        deserialize_with = "or_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub args: Vec<String>,
    /// The variables of its process.
    #[serde(
        default,
        deserialize_with = "or_null",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub env: BTreeMap<String, String>,
    /// The arguments that the operator chose; absent when there are none.
    #[serde(
        default,
        deserialize_with = "or_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cmd_override: Vec<String>,
    /// The variables that the operator chose; absent when there are none.
    #[serde(
        default,
        deserialize_with = "or_null",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub env_override: BTreeMap<String, String>,
    /// Signatures over the digest that the attestation service has verified.
    #[serde(
        default,
        deserialize_with = "or_null",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub image_signatures: Vec<ImageSignature>,
}

/// Tokens of 2023 have `null` where later ones have nothing.
fn or_null<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::One(one) => Self(vec![one]),
            Form::Many(many) => Self(many),
        })
    }
}

/// What a reader of a token demands of it.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who must have signed it.
    pub issuer: &'a str,
    /// Whom it must be for, and nobody else.
    pub audience: &'a str,
    /// What must be among its nonces.
    pub nonces: &'a [String],
    /// When it must hold, in Unix seconds.
    pub at: u64,
}

impl Claims {
    /// Reads the payload of a token.
    ///
    /// # Errors
    /// JSON that cannot be read strictly, or a claim of another type.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        content::json::parse(payload, limits::TOKEN).map_err(Error::Claims)
    }

    /// Checks issuer, audience, time and nonces.
    ///
    /// # Errors
    /// The first of them that is not as expected.
    pub fn check(&self, expected: &Expected) -> Result<(), Error> {
        self.check_issuer(expected.issuer)?;
        self.check_audience(expected.audience)?;
        self.check_time(expected.at)?;
        let missing = expected.nonces.iter().find(|nonce| !self.nonces.has(nonce));
        missing.map_or(Ok(()), |nonce| Err(Error::Nonce(nonce.clone())))
    }

    /// Checks that the operator cannot look in.
    ///
    /// # Errors
    /// `dbgstat` is not [`PRODUCTION`], or is absent.
    pub fn check_production(&self) -> Result<(), Error> {
        match self.debug_status.as_deref() {
            Some(PRODUCTION) => Ok(()),
            found => Err(Error::Debug {
                found: found.map(str::to_owned),
            }),
        }
    }

    /// Checks that this is Confidential Space, and gives the container that it measured.
    ///
    /// # Errors
    /// `swname` is not [`CONFIDENTIAL_SPACE`], or there is no container.
    pub fn container(&self) -> Result<&Container, Error> {
        match self.software_name.as_deref() {
            Some(CONFIDENTIAL_SPACE) => {}
            found => {
                return Err(Error::Software {
                    found: found.map(str::to_owned),
                });
            }
        }
        self.submods.container.as_ref().ok_or(Error::Container)
    }

    /// The digest of the image that was measured.
    ///
    /// # Errors
    /// No Confidential Space, no container, or no digest.
    pub fn image_digest(&self) -> Result<Digest, Error> {
        self.container()?
            .image_digest
            .parse()
            .map_err(Error::ImageDigest)
    }

    fn check_issuer(&self, expected: &str) -> Result<(), Error> {
        match self.issuer == expected {
            true => Ok(()),
            false => Err(Error::Issuer {
                expected: expected.to_owned(),
                found: self.issuer.clone(),
            }),
        }
    }

    fn check_audience(&self, expected: &str) -> Result<(), Error> {
        match self.audience.0.as_slice() {
            [one] if one == expected => Ok(()),
            found => Err(Error::Audience {
                expected: expected.to_owned(),
                found: found.to_vec(),
            }),
        }
    }

    fn check_time(&self, at: u64) -> Result<(), Error> {
        if at >= self.expires_at {
            return Err(Error::Expired {
                at,
                expires_at: self.expires_at,
            });
        }
        let from = self.issued_at.max(self.not_before.unwrap_or_default());
        match from > at.saturating_add(CLOCK_SKEW) {
            true => Err(Error::NotYet { at, from }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:ac91dd368193efa938776f35ff715e29f907c2b6671bae6589d44f60c8d82a54";

    fn claims(edit: &[(&str, &str)]) -> Result<Claims, Error> {
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

    fn check(edit: &[(&str, &str)], at: u64) -> Result<(), Error> {
        let nonces = ["two".to_owned()];
        let audience = "https://me.example";
        claims(edit)?.check(&Expected {
            issuer: ISSUER,
            audience,
            nonces: &nonces,
            at,
        })
    }

    #[test]
    fn holds_between_its_times() {
        for (at, holds) in [
            (989, false),
            (990, true),
            (1000, true),
            (4599, true),
            (4600, false),
        ] {
            assert_eq!(check(&[], at).is_ok(), holds, "{at}");
        }
        assert!(matches!(
            check(&[], 4600),
            Err(Error::Expired {
                expires_at: 4600,
                ..
            })
        ));
        let late = [("\"nbf\":1000", "\"nbf\":2000")];
        assert!(matches!(
            check(&late, 1500),
            Err(Error::NotYet { from: 2000, .. })
        ));
    }

    #[test]
    fn is_for_one_reader_of_one_issuer() {
        let slash = [(ISSUER, "https://confidentialcomputing.googleapis.com/")];
        assert!(matches!(check(&slash, 2000), Err(Error::Issuer { .. })));
        let both = [(
            "\"https://me.example\"",
            "[\"https://me.example\",\"https://you.example\"]",
        )];
        assert!(matches!(check(&both, 2000), Err(Error::Audience { .. })));
        let other = [("\"https://me.example\"", "\"https://sts.googleapis.com\"")];
        assert!(matches!(check(&other, 2000), Err(Error::Audience { .. })));
        assert!(matches!(
            check(&[("\"two\"", "\"three\"")], 2000),
            Err(Error::Nonce(_))
        ));
    }

    #[test]
    fn has_a_digest_only_in_confidential_space() {
        assert_eq!(
            claims(&[]).unwrap().image_digest().unwrap().to_string(),
            DIGEST
        );
        let gce = claims(&[("CONFIDENTIAL_SPACE", "GCE")]).unwrap();
        assert!(matches!(gce.image_digest(), Err(Error::Software { .. })));
        let bare = claims(&[("container", "other")]).unwrap();
        assert!(matches!(bare.image_digest(), Err(Error::Container)));
        let short = claims(&[(DIGEST, "sha256:ac91")]).unwrap();
        assert!(matches!(short.image_digest(), Err(Error::ImageDigest(_))));
    }

    #[test]
    fn takes_no_silence_for_production() {
        assert!(claims(&[]).unwrap().check_production().is_ok());
        for other in ["enabled", "enable", "", "disabled-since-boot "] {
            let claims = claims(&[("disabled-since-boot", other)]).unwrap();
            assert!(claims.check_production().is_err(), "{other}");
        }
        assert!(
            claims(&[("dbgstat", "debug")])
                .unwrap()
                .check_production()
                .is_err()
        );
    }

    #[test]
    fn refuses_claims_of_other_types() {
        assert!(claims(&[("\"exp\":4600", "\"exp\":\"4600\"")]).is_err());
        assert!(claims(&[("\"exp\":4600", "\"exp\":-1")]).is_err());
        assert!(claims(&[("\"exp\":4600", "\"exp\":4600,\"exp\":9999")]).is_err());
        assert!(claims(&[("\"iat\"", "\"was\"")]).is_err());
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
