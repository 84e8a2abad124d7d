use confidential::claims::DEFAULT_AUDIENCE;
use confidential::event_log::{self, Register};
use serde::Deserialize;
use serde_json::Value;

use crate::rest::protojson::{self, is_default};
use crate::status::Status;

/// The largest length of an audience, in bytes (Confidential Space, token options).
const AUDIENCE: usize = 512;
/// The allowed length of a nonce, in bytes (the same).
const NONCE: std::ops::RangeInclusive<usize> = 8..=88;
/// The largest number of nonces (the same).
const NONCES: usize = 6;

/// Evidence, with Google's fields and `instance`, which replaces what hardware and metadata prove.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evidence {
    #[serde(default)]
    td_ccel: Option<Measured>,
    #[serde(default)]
    tpm_attestation: Option<Measured>,
    #[serde(default)]
    signed_entities: Vec<SignedEntity>,
    #[serde(default)]
    pub(super) options: Options,
    pub(super) instance: Instance,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    canonical_event_log: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedEntity {
    #[serde(default)]
    container_image_signatures: Vec<Signature>,
}

/// A signature on the container's image, as stored in a registry, in base64.
#[derive(Deserialize)]
pub(super) struct Signature {
    pub(super) payload: String,
    pub(super) signature: String,
}

/// The requested options of the token.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct Options {
    pub(super) audience: String,
    pub(super) nonce: Vec<String>,
    signature_type: Value,
    token_profile: Value,
    aws_principal_tags_options: Value,
}

/// The virtual machine.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instance {
    pub(super) project_id: String,
    pub(super) project_number: String,
    pub(super) zone: String,
    pub(super) instance_name: String,
    pub(super) instance_id: String,
    pub(super) hwmodel: String,
    pub(super) image_family: Family,
    #[serde(default)]
    pub(super) service_accounts: Vec<String>,
}

/// The family of the machine image.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) enum Family {
    Production,
    Debug,
}

impl Evidence {
    /// Parses evidence.
    pub(super) fn parse(body: Value) -> Result<Self, Status> {
        let evidence: Self =
            serde_json::from_value(body).map_err(|error| Status::invalid(error.to_string()))?;
        evidence.options.check()?;
        Ok(evidence)
    }

    /// The launch that the measured events describe.
    pub(super) fn launch(&self) -> Result<event_log::Launch, Status> {
        let (measured, register) = match (&self.td_ccel, &self.tpm_attestation) {
            (Some(measured), None) => (measured, Register::Rtmr),
            (None, Some(measured)) => (measured, Register::Pcr),
            _ => {
                return Err(Status::invalid(
                    "Exactly one of tdCcel and tpmAttestation is required.",
                ));
            }
        };
        let log = protojson::bytes(&measured.canonical_event_log);
        let log = log.ok_or_else(|| Status::invalid("Invalid base64 in canonicalEventLog."))?;
        let invalid = |error: confidential::Error| Status::invalid(error.to_string());
        let events = event_log::decode(&log, register).map_err(invalid)?;
        event_log::replay(&events).map_err(invalid)
    }

    /// All signatures that the launcher found.
    pub(super) fn signatures(&self) -> Vec<&Signature> {
        let entities = self.signed_entities.iter();
        entities
            .flat_map(|entity| &entity.container_image_signatures)
            .collect()
    }
}

impl Options {
    fn check(&self) -> Result<(), Status> {
        self.refuse_other_tokens()?;
        if self.audience.len() > AUDIENCE || self.audience == DEFAULT_AUDIENCE {
            return Err(Status::invalid(format!(
                "A custom audience must have at most {AUDIENCE} bytes and must not be \
                 {DEFAULT_AUDIENCE}."
            )));
        }
        let is_wrong = |nonce: &String| !NONCE.contains(&nonce.len());
        if self.nonce.len() > NONCES || self.nonce.iter().any(is_wrong) {
            return Err(Status::invalid(
                "At most 6 nonces of 8 to 88 bytes are allowed.",
            ));
        }
        Ok(())
    }

    /// Refuses requests for other kinds of tokens, which this service does not emulate. Clients may send
    /// enumerations as numbers (Protocol Buffers, "ProtoJSON"); 0 and 1 are the ordinary kind.
    fn refuse_other_tokens(&self) -> Result<(), Status> {
        let is = |value: &Value, names: [&str; 2]| {
            is_default(value) || *value == 1 || names.iter().any(|name| value == name)
        };
        let signature = ["SIGNATURE_TYPE_UNSPECIFIED", "SIGNATURE_TYPE_OIDC"];
        let profile = ["TOKEN_PROFILE_UNSPECIFIED", "TOKEN_PROFILE_DEFAULT_EAT"];
        let refused = if !is(&self.signature_type, signature) {
            format!("signatureType {}", self.signature_type)
        } else if !is(&self.token_profile, profile) {
            format!("tokenProfile {}", self.token_profile)
        } else if !self.aws_principal_tags_options.is_null() {
            "awsPrincipalTagsOptions".to_owned()
        } else {
            return Ok(());
        };
        Err(Status::unimplemented(format!(
            "{refused} is not emulated: tokens have the default profile and are signed by a key that the issuer publishes."
        )))
    }
}
