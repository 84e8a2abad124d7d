//! The claims of the tokens of the attestation service, and the tokens that it refuses to issue.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confidential::event_log::{self, Event, Register, Reporting, RestartPolicy};
use content::Digest;
use emulator::attestation::{Attestation, Challenge, Key};
use emulator::rest;
use emulator::status::Status;
use google::Location;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

fn location() -> Location {
    "projects/operator/locations/us-central1".parse().unwrap()
}

fn log(image_digest: Digest, register: Register) -> String {
    let events = [
        Event::ImageRef("registry.example/tee:1".into()),
        Event::ImageDigest(image_digest),
        Event::RestartPolicy(RestartPolicy::Never),
        Event::ImageId(Digest::of(b"config")),
        Event::MemoryMonitor(Reporting::On),
        Event::LaunchSeparator,
    ];
    STANDARD.encode(event_log::encode(&events, register))
}

fn evidence(image_digest: Digest) -> Value {
    json!({
        "tdCcel": {"canonicalEventLog": log(image_digest, Register::Rtmr)},
        "instance": {
            "projectId": "operator", "projectNumber": "1", "zone": "us-central1-a",
            "instanceName": "vm1", "instanceId": "2", "hwmodel": "GCP_INTEL_TDX",
            "imageFamily": "production",
        },
    })
}

/// The claims of the token about this evidence.
fn claims(evidence: Value) -> Result<Value, Status> {
    let service = Attestation::new(&Key::new().unwrap()).unwrap();
    let challenge = service.challenge(&location(), NOW)?;
    let evidence = rest::attestation::evidence(evidence.to_string().as_bytes())?;
    let attested = service.verify(&challenge.name, evidence, NOW)?;
    Ok(service.claims(&attested.token).unwrap())
}

fn with_options(options: Value) -> Result<Value, u16> {
    let mut evidence = evidence(Digest::of(b"image"));
    evidence["options"] = options;
    claims(evidence).map_err(|status| status.code)
}

#[test]
fn claims_of_the_hardware() {
    let mut evidence = evidence(Digest::of(b"image"));
    let token = claims(evidence.clone()).unwrap();
    assert_eq!(token["attester_tcb"], json!(["INTEL"]));
    assert_eq!(token["tdx"]["gcp_attester_tcb_status"], "UpToDate");
    let space = &token["submods"]["confidential_space"];
    assert_eq!(space["monitoring_enabled"], json!({"memory": true}));
    evidence["instance"]["hwmodel"] = "GCP_AMD_SEV".into();
    let token = claims(evidence).unwrap();
    assert!(token.get("attester_tcb").is_none() && token.get("tdx").is_none());
}

#[test]
fn only_default_tokens_signed_by_a_published_key() {
    for options in [
        json!({"signatureType": "SIGNATURE_TYPE_OIDC", "tokenProfile": "TOKEN_PROFILE_DEFAULT_EAT"}),
        json!({"signatureType": 1, "tokenProfile": 0}),
        json!({"awsPrincipalTagsOptions": null}),
    ] {
        assert!(with_options(options.clone()).is_ok(), "{options}");
    }
    for options in [
        json!({"signatureType": "SIGNATURE_TYPE_PKI"}),
        json!({"signatureType": 2}),
        json!({"tokenProfile": "TOKEN_PROFILE_AWS"}),
        json!({"awsPrincipalTagsOptions": {"allowedPrincipalTags": {}}}),
    ] {
        assert_eq!(with_options(options.clone()), Err(501), "{options}");
    }
    assert_eq!(with_options(json!({"unknown": 1})), Err(400));
}

#[test]
fn evidence_is_read_as_google_reads_it() {
    let with = |change: fn(&mut Value)| {
        let mut evidence = evidence(Digest::of(b"image"));
        change(&mut evidence);
        claims(evidence).map(drop).map_err(|status| status.code)
    };
    assert_eq!(with(|e| e["signed_entities"] = json!([])), Ok(()));
    assert_eq!(with(|e| e["options"] = Value::Null), Ok(()));
    assert_eq!(with(|e| e["tdCcel"]["tdQuote"] = "AA==".into()), Ok(()));
    let refused: [fn(&mut Value); 6] = [
        |e| e["unknown"] = 1.into(),
        |e| e["tdCcel"]["unknown"] = 1.into(),
        |e| e["tdCcel"] = json!([null, null, e["tdCcel"]["canonicalEventLog"]]),
        |e| e["options"] = json!([]),
        |e| e["signedEntities"] = json!([[[]]]),
        |e| e["options"] = json!({"signatureType": []}),
    ];
    for change in refused {
        assert_eq!(with(change), Err(400));
    }
}

#[test]
fn a_custom_audience() {
    let token = with_options(json!({"audience": "https://me.example"})).unwrap();
    assert_eq!(token["aud"], "https://me.example");
    let token = with_options(json!({})).unwrap();
    assert_eq!(token["aud"], "https://sts.googleapis.com");
    let same = json!({"audience": "https://sts.googleapis.com"});
    assert_eq!(with_options(same), Err(400));
    assert_eq!(with_options(json!({"audience": "a".repeat(513)})), Err(400));
}

#[test]
fn challenges_end() {
    let service = Attestation::new(&Key::new().unwrap()).unwrap();
    let first = service.challenge(&location(), NOW).unwrap();
    assert_eq!((first.created, first.expires), (NOW, NOW + 3600));
    let second = service.challenge(&location(), NOW).unwrap();
    assert_ne!(first.nonce, second.nonce);
    let verify = |challenge: &Challenge, now| {
        let evidence = evidence(Digest::of(b"image")).to_string();
        let evidence = rest::attestation::evidence(evidence.as_bytes()).unwrap();
        service.verify(&challenge.name, evidence, now)
    };
    assert!(verify(&first, NOW + 3599).is_ok());
    assert_eq!(verify(&first, NOW + 3599).unwrap_err().code, 404);
    assert_eq!(verify(&second, NOW + 3600).unwrap_err().code, 404);
}

#[test]
fn unanswered_challenges_have_a_limit() {
    let service = Attestation::new(&Key::new().unwrap()).unwrap();
    let refused = (0..20_000).find_map(|_| service.challenge(&location(), NOW).err());
    assert_eq!(refused.unwrap().code, 429);
    assert!(service.challenge(&location(), NOW + 3600).is_ok());
}

#[test]
fn image_signatures_of_others() {
    let Some(folder) = testkit::vectors("confidential-space/signed-container") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    assert!(!text.is_empty());
    for row in text.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let mut evidence = evidence(row["image_digest"].as_str().unwrap().parse().unwrap());
        evidence["signedEntities"] = json!([{"containerImageSignatures": [
            {"payload": row["payload_b64"], "signature": row["signature_b64"]},
        ]}]);
        let token = claims(evidence).unwrap();
        let held = &token["submods"]["container"]["image_signatures"][0];
        assert_eq!(!held.is_null(), row["expect"] == "accept", "{}", row["id"]);
        assert_eq!(held["key_id"], row["key_id"], "{}", row["id"]);
    }
}

#[test]
fn events_come_from_the_register_of_the_hardware() {
    let log = |register| json!({"canonicalEventLog": log(Digest::of(b"image"), register)});
    let verified = |td: Value, tpm: Value| {
        let mut evidence = evidence(Digest::of(b"image"));
        evidence["tdCcel"] = td;
        evidence["tpmAttestation"] = tpm;
        claims(evidence).map(drop).map_err(|status| status.code)
    };
    let (rtmr, pcr) = (log(Register::Rtmr), log(Register::Pcr));
    assert_eq!(verified(rtmr.clone(), Value::Null), Ok(()));
    assert_eq!(verified(Value::Null, pcr.clone()), Ok(()));
    assert_eq!(verified(pcr.clone(), Value::Null), Err(400));
    assert_eq!(verified(Value::Null, rtmr.clone()), Err(400));
    assert_eq!(verified(rtmr, pcr), Err(400));
    assert_eq!(verified(Value::Null, Value::Null), Err(400));
}
