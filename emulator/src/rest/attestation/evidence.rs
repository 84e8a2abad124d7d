//! Reads the evidence in a request for a token.

use confidential::event_log::Register;
use content::json::null_is_default;
use serde::Deserialize;
use serde_json::Value;

use crate::attestation::{Evidence, Family, Instance, Options, Signature};
use crate::protojson::{self, Bytes, Enumeration, Ignored, NotEmulated, Object};
use crate::status::Status;

/// `SignatureType`, as far as it is emulated.
const SIGNATURES: [(i64, &str); 1] = [(1, "SIGNATURE_TYPE_OIDC")];
/// `TokenProfile`, as far as it is emulated.
const PROFILES: [(i64, &str); 1] = [(1, "TOKEN_PROFILE_DEFAULT_EAT")];

/// The body of `challenges.verifyConfidentialSpace`. The fields of hardware have no effect.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields without effect")]
struct Body {
    #[serde(default)]
    challenge: Ignored<String>,
    #[serde(default, alias = "td_ccel")]
    td_ccel: Option<TdCcel>,
    #[serde(default, alias = "tpm_attestation")]
    tpm_attestation: Option<TpmAttestation>,
    #[serde(default, alias = "gcp_credentials")]
    gcp_credentials: Ignored<GcpCredentials>,
    #[serde(default, alias = "gce_shielded_identity")]
    gce_shielded_identity: Ignored<Object>,
    #[serde(default, alias = "nvidia_attestation")]
    nvidia_attestation: NotEmulated<Object>,
    #[serde(default, alias = "signed_entities")]
    signed_entities: Vec<SignedEntity>,
    #[serde(default, deserialize_with = "null_is_default")]
    options: TokenOptions,
    instance: Machine,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TdCcel {
    #[serde(alias = "ccel_acpi_table")]
    ccel_acpi_table: Ignored<String>,
    #[serde(alias = "ccel_data")]
    ccel_data: Ignored<String>,
    #[serde(alias = "canonical_event_log")]
    canonical_event_log: Bytes,
    #[serde(alias = "td_quote")]
    td_quote: Ignored<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TpmAttestation {
    quotes: Ignored<Vec<Object>>,
    #[serde(alias = "tcg_event_log")]
    tcg_event_log: Ignored<String>,
    #[serde(alias = "canonical_event_log")]
    canonical_event_log: Bytes,
    #[serde(alias = "ak_cert")]
    ak_cert: Ignored<String>,
    #[serde(alias = "cert_chain")]
    cert_chain: Ignored<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct GcpCredentials {
    #[serde(alias = "service_account_id_tokens")]
    service_account_id_tokens: Ignored<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignedEntity {
    #[serde(default, alias = "container_image_signatures")]
    container_image_signatures: Vec<ImageSignature>,
}

/// A signature on the container's image, as stored in a registry, in base64. The payload names key and
/// algorithm, so that the fields for them have no effect.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields without effect")]
struct ImageSignature {
    payload: String,
    signature: String,
    #[serde(default, alias = "public_key")]
    public_key: Ignored<String>,
    #[serde(default, alias = "sig_alg")]
    sig_alg: Ignored<Enumeration>,
}

/// The requested options of the token.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct TokenOptions {
    #[serde(deserialize_with = "null_is_default")]
    audience: String,
    nonce: Vec<String>,
    #[serde(alias = "signature_type")]
    signature_type: Enumeration,
    #[serde(alias = "token_profile")]
    token_profile: Enumeration,
    #[serde(alias = "aws_principal_tags_options")]
    aws_principal_tags_options: NotEmulated<Option<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
pub fn evidence(body: &[u8]) -> Result<Evidence, Status> {
    let body: Body = protojson::parse(body)?;
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
    td_ccel: Option<TdCcel>,
    tpm: Option<TpmAttestation>,
) -> Result<(Register, Vec<u8>), Status> {
    match (td_ccel, tpm) {
        (Some(measured), None) => Ok((Register::Rtmr, measured.canonical_event_log.0)),
        (None, Some(measured)) => Ok((Register::Pcr, measured.canonical_event_log.0)),
        _ => Err(Status::invalid(
            "Exactly one of tdCcel and tpmAttestation is required.",
        )),
    }
}

fn signatures(entities: Vec<SignedEntity>) -> Vec<Signature> {
    let all = entities
        .into_iter()
        .flat_map(|entity| entity.container_image_signatures);
    let signature = |found: ImageSignature| Signature {
        payload: found.payload,
        signature: found.signature,
    };
    all.map(signature).collect()
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
    /// Refuses requests for other kinds of tokens, which this service does not emulate.
    fn refuse_other_tokens(&self) -> Result<(), Status> {
        let signature = self.signature_type.name(&SIGNATURES);
        let profile = self.token_profile.name(&PROFILES);
        let refused = if !["", "SIGNATURE_TYPE_OIDC"].contains(&signature) {
            format!("signatureType {signature}")
        } else if !["", "TOKEN_PROFILE_DEFAULT_EAT"].contains(&profile) {
            format!("tokenProfile {profile}")
        } else {
            return Ok(());
        };
        Err(Status::unimplemented(format!(
            "{refused} is not emulated: tokens have the default profile and are signed by a key that the issuer publishes."
        )))
    }
}
