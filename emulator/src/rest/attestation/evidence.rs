use confidential::event_log::Register;
use serde::Deserialize;
use serde_json::Value;

use crate::attestation::{Evidence, Family, Instance, Options, Signature};
use crate::rest::protojson::{self, is_default};
use crate::status::Status;

/// The body of `challenges.verifyConfidentialSpace`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(default)]
    td_ccel: Option<Measured>,
    #[serde(default)]
    tpm_attestation: Option<Measured>,
    #[serde(default)]
    signed_entities: Vec<SignedEntity>,
    #[serde(default)]
    options: TokenOptions,
    instance: Machine,
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
    container_image_signatures: Vec<ImageSignature>,
}

#[derive(Deserialize)]
struct ImageSignature {
    payload: String,
    signature: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TokenOptions {
    audience: String,
    nonce: Vec<String>,
    signature_type: Value,
    token_profile: Value,
    aws_principal_tags_options: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    project_id: String,
    project_number: String,
    zone: String,
    instance_name: String,
    instance_id: String,
    hwmodel: String,
    image_family: ImageFamily,
    #[serde(default)]
    service_accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum ImageFamily {
    Production,
    Debug,
}

/// Reads evidence.
///
/// # Errors
/// The body is not evidence, or asks for a kind of token that is not emulated.
pub fn evidence(body: Value) -> Result<Evidence, Status> {
    let body: Body =
        serde_json::from_value(body).map_err(|error| Status::invalid(error.to_string()))?;
    body.options.refuse_other_tokens()?;
    let (register, event_log) = event_log(body.td_ccel, body.tpm_attestation)?;
    Ok(Evidence {
        register,
        event_log,
        signatures: signatures(body.signed_entities),
        options: Options {
            audience: body.options.audience,
            nonces: body.options.nonce,
        },
        instance: instance(body.instance),
    })
}

fn event_log(
    td_ccel: Option<Measured>,
    tpm: Option<Measured>,
) -> Result<(Register, Vec<u8>), Status> {
    let (register, measured) = match (td_ccel, tpm) {
        (Some(measured), None) => (Register::Rtmr, measured),
        (None, Some(measured)) => (Register::Pcr, measured),
        _ => {
            return Err(Status::invalid(
                "Exactly one of tdCcel and tpmAttestation is required.",
            ));
        }
    };
    let log = protojson::bytes(&measured.canonical_event_log);
    let log = log.ok_or_else(|| Status::invalid("Invalid base64 in canonicalEventLog."))?;
    Ok((register, log))
}

fn signatures(entities: Vec<SignedEntity>) -> Vec<Signature> {
    let all = entities
        .into_iter()
        .flat_map(|entity| entity.container_image_signatures);
    all.map(|ImageSignature { payload, signature }| Signature { payload, signature })
        .collect()
}

fn instance(machine: Machine) -> Instance {
    Instance {
        project_id: machine.project_id,
        project_number: machine.project_number,
        zone: machine.zone,
        name: machine.instance_name,
        id: machine.instance_id,
        hardware_model: machine.hwmodel,
        image_family: match machine.image_family {
            ImageFamily::Production => Family::Production,
            ImageFamily::Debug => Family::Debug,
        },
        service_accounts: machine.service_accounts,
    }
}

impl TokenOptions {
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
