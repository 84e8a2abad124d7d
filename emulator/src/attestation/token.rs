//! The payload of attestation tokens.

use confidential::claims::{
    CONFIDENTIAL_SPACE, Claims, ConfidentialSpace, Container, DEFAULT_AUDIENCE, Gce, ISSUER,
    ImageSignature, OneOrMany, PRODUCTION, Submods,
};
use confidential::event_log::{Launch, Reporting};
use serde::Serialize;

use super::evidence::{Evidence, Family, Instance};

/// The lifetime of a token and of a challenge, in seconds (Confidential Computing v1,
/// `Challenge.expire_time`).
pub(super) const LIFETIME: u64 = 3600;
/// The version of the machine image, for `swversion`.
const VERSION: &str = "260701";
/// The hardware model whose tokens have additional claims.
const TDX: &str = "GCP_INTEL_TDX";

/// The payload of a token: the claims that this project reads, and others that Google sets.
#[derive(Serialize)]
pub(super) struct Payload {
    #[serde(flatten)]
    claims: Claims,
    #[serde(skip_serializing_if = "Option::is_none")]
    attester_tcb: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tdx: Option<Tdx>,
}

#[derive(Serialize)]
struct Tdx {
    gcp_attester_tcb_status: &'static str,
    gcp_attester_tcb_date: &'static str,
}

/// The payload of a token about this evidence at the time `now` in Unix seconds.
pub(super) fn payload(
    evidence: Evidence,
    launch: Launch,
    signatures: Vec<ImageSignature>,
    now: u64,
) -> Payload {
    let is_tdx = evidence.instance.hardware_model == TDX;
    Payload {
        claims: claims(evidence, launch, signatures, now),
        attester_tcb: is_tdx.then_some(["INTEL"]),
        tdx: is_tdx.then_some(Tdx {
            gcp_attester_tcb_status: "UpToDate",
            gcp_attester_tcb_date: "2025-05-14T00:00:00Z",
        }),
    }
}

fn claims(evidence: Evidence, launch: Launch, signatures: Vec<ImageSignature>, now: u64) -> Claims {
    let Evidence {
        options, instance, ..
    } = evidence;
    let audience = match options.audience.is_empty() {
        true => DEFAULT_AUDIENCE.to_owned(),
        false => options.audience,
    };
    Claims {
        audience: OneOrMany(vec![audience]),
        issuer: ISSUER.to_owned(),
        subject: subject(&instance),
        issued_at: now,
        not_before: Some(now),
        expires_at: now + LIFETIME,
        eat_profile: Some(
            "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims"
                .to_owned(),
        ),
        nonces: OneOrMany(options.nonces),
        secure_boot: Some(true),
        oemid: Some(11129),
        hardware_model: Some(instance.hardware_model.clone()),
        software_name: Some(CONFIDENTIAL_SPACE.to_owned()),
        software_version: vec![VERSION.to_owned()],
        debug_status: Some(debug_status(instance.image_family).to_owned()),
        google_service_accounts: instance.service_accounts.clone(),
        submods: Submods {
            confidential_space: Some(ConfidentialSpace {
                support_attributes: support(instance.image_family),
                monitoring_enabled: [(
                    "memory".to_owned(),
                    launch.memory_monitor == Reporting::On,
                )]
                .into(),
            }),
            container: Some(container(launch, signatures)),
            gce: Some(gce(instance)),
        },
    }
}

fn subject(instance: &Instance) -> String {
    let (project, zone, name) = (&instance.project_id, &instance.zone, &instance.name);
    format!(
        "https://www.googleapis.com/compute/v1/projects/{project}/zones/{zone}/instances/{name}"
    )
}

fn debug_status(family: Family) -> &'static str {
    match family {
        Family::Production => PRODUCTION,
        Family::Debug => "enabled",
    }
}

fn support(family: Family) -> Vec<String> {
    match family {
        Family::Production => ["LATEST", "STABLE", "USABLE"].map(str::to_owned).into(),
        Family::Debug => Vec::new(),
    }
}

fn gce(instance: Instance) -> Gce {
    Gce {
        zone: instance.zone,
        project_id: instance.project_id,
        project_number: instance.project_number,
        instance_name: instance.name,
        instance_id: instance.id,
    }
}

fn container(launch: Launch, image_signatures: Vec<ImageSignature>) -> Container {
    Container {
        image_reference: launch.image_reference,
        image_digest: launch.image_digest.to_string(),
        image_id: Some(launch.image_id.to_string()),
        restart_policy: Some(format!("{:?}", launch.restart_policy)),
        args: launch.args,
        env: launch.env,
        cmd_override: launch.cmd_override,
        env_override: launch.env_override,
        image_signatures,
    }
}
