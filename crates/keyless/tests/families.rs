//! Other projects' bundles, legacy attestations and Merkle proofs, in the folder that the environment
//! variable `VECTORS` names. The bundles of sigstore-conformance are in `verifier/tests/conformance.rs`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use content::Digest;
use keyless::{
    Annotations, Artifact, Bundle, Reason, Refusal, Subject, TrustRoot, Trusted, Verified,
    attestation, verify_key, verify_keyless,
};
use serde_json::Value;
use signature::PublicKey;
use sigstore_verify::types::Sha256Hash;

/// After all of the bundles.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn cases(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str(line).unwrap());
    cases.collect()
}

fn argument<'a>(arguments: &'a [&str], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| *argument == name)?;
    arguments.get(at + 1).copied()
}

fn trusted(subject: &str, issuer: &str) -> Trusted {
    Trusted {
        issuer: Some(issuer.to_owned()),
        subject: Subject::Exact(subject.to_owned()),
    }
}

fn judge(folder: &Path, arguments: &[&str]) -> Result<Verified, Refusal> {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let root = argument(arguments, "--trusted-root").map(read);
    let root = TrustRoot::parse(&root.unwrap_or_else(|| keyless::PRODUCTION.into()))?;
    let bundle = Bundle::parse(&read(argument(arguments, "--bundle").unwrap()))?;
    let (last, bytes) = (arguments.last().unwrap(), Vec::new());
    let digest = Artifact::from_digest(last);
    let bytes = if digest.is_ok() { bytes } else { read(last) };
    let artifact = digest.unwrap_or(Artifact::Bytes(&bytes));
    if let Some(key) = argument(arguments, "--key") {
        let key = PublicKey::from_pem(std::str::from_utf8(&read(key)).unwrap()).unwrap();
        return verify_key(&bundle, &artifact, &key, Some(&root), now());
    }
    let [subject, issuer] = ["--certificate-identity", "--certificate-oidc-issuer"]
        .map(|name| argument(arguments, name).unwrap());
    verify_keyless(&bundle, &artifact, &trusted(subject, issuer), &root, now())
}

/// What is wrong if a case is not judged as expected; `reason` is that of its refusal, which must be on record.
fn check(folder: &Path, case: &Value, reason: Option<Reason>) -> Option<String> {
    let arguments = case["argv"].as_array().unwrap();
    let arguments: Vec<_> = arguments.iter().map(|a| a.as_str().unwrap()).collect();
    let judged = judge(folder, &arguments);
    let is_right = match (&judged, case["expect"].as_str().unwrap()) {
        (Ok(_), expected) => expected == "accept",
        (Err(refusal), expected) => {
            expected == "reject" && reason.is_some_and(|reason| reason == refusal.reason)
        }
    };
    (!is_right).then(|| format!("{}: {judged:?}, not {reason:?}", case["id"]))
}

/// The reason for which each case of slsa-verifier is refused.
const CHANGED: [(&str, Reason); 4] = [
    ("#wrong-identity", Reason::Identity),
    ("#identity-prefix", Reason::Identity),
    ("#wrong-issuer", Reason::Issuer),
    ("#wrong-digest", Reason::Artifact),
];

/// Cases of other clients that are refused, with the reason.
const EXTRA: [(&str, Reason); 2] = [
    ("py/bundle_no_log_entry.txt.sigstore", Reason::LogMissing),
    (
        "go/bundles/dsse-2sigs.sigstore.json",
        Reason::EnvelopeSignatures,
    ),
];

fn on_record(reasons: &[(&str, Reason)], id: &str) -> Option<Reason> {
    let mut reasons = reasons.iter();
    let found = reasons.find(|(end, _)| id.ends_with(end));
    found.map(|(_, reason)| *reason)
}

fn judges_all(family: &str, file: &str, reasons: &[(&str, Reason)]) {
    let Some(folder) = testkit::vectors(family) else {
        return;
    };
    let cases = cases(&folder.join(file));
    assert!(!cases.is_empty());
    let wrong = cases.iter().filter_map(|case| {
        let reason = on_record(reasons, case["id"].as_str().unwrap());
        check(&folder, case, reason)
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn judges_provenance_of_slsa_verifier() {
    judges_all("slsa-verifier-attestations", "bundle_cases.jsonl", &CHANGED);
}

#[test]
fn judges_bundles_of_other_clients() {
    judges_all("sigstore-extra-bundles", "cases.jsonl", &EXTRA);
}

/// What `cosign save` wrote: the digest of the image, and each attestation with its annotations.
fn attestations(layout: &Path) -> (Digest, Vec<(Vec<u8>, Value)>) {
    let blob = |digest: &str| {
        let bytes = std::fs::read(layout.join("blobs").join(digest.replace(':', "/"))).unwrap();
        assert_eq!(format!("sha256:{}", Digest::of(&bytes).hex()), digest);
        bytes
    };
    let index: Value =
        serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let (mut image, mut found) = (None, Vec::new());
    for descriptor in index["manifests"].as_array().unwrap() {
        let manifest = blob(descriptor["digest"].as_str().unwrap());
        match descriptor["annotations"]["kind"].as_str().unwrap() {
            "dev.cosignproject.cosign/atts" => {
                let manifest: Value = serde_json::from_slice(&manifest).unwrap();
                for layer in manifest["layers"].as_array().unwrap() {
                    let envelope = blob(layer["digest"].as_str().unwrap());
                    found.push((envelope, layer["annotations"].clone()));
                }
            }
            _ => image = Some(Digest::of(&manifest)),
        }
    }
    (image.unwrap(), found)
}

fn annotations(all: &Value) -> Annotations<'_> {
    Annotations {
        signature: all["dev.cosignproject.cosign/signature"].as_str(),
        certificate: all["dev.sigstore.cosign/certificate"].as_str(),
        chain: all["dev.sigstore.cosign/chain"].as_str(),
        promise: all["dev.sigstore.cosign/bundle"].as_str(),
        timestamp: all["dev.sigstore.cosign/rfc3161timestamp"].as_str(),
    }
}

#[test]
fn judges_attestations_in_the_older_layout() {
    let Some(folder) = testkit::vectors("slsa-verifier-attestations") else {
        return;
    };
    let root =
        TrustRoot::parse(&std::fs::read(folder.join("trusted_root_prod.json")).unwrap()).unwrap();
    let versions = std::fs::read_dir(folder.join("oci-layouts")).unwrap();
    let versions = versions
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    let versions: Vec<_> = versions.collect();
    assert!(!versions.is_empty());
    for version in versions {
        let (image, all) = attestations(&version.join("container_workflow_dispatch"));
        assert!(!all.is_empty());
        for (envelope, all) in &all {
            judge_attestation(envelope, &annotations(all), &image, &root);
        }
    }
}

fn judge_attestation(envelope: &[u8], found: &Annotations<'_>, image: &Digest, root: &TrustRoot) {
    let issuer = "https://token.actions.githubusercontent.com";
    let judge = |found: &Annotations<'_>, image: &Digest, subject: &str| {
        let bundle = attestation(envelope, found)?;
        verify_keyless(
            &bundle,
            &image.into(),
            &trusted(subject, issuer),
            root,
            now(),
        )
    };
    // The subject is that of the certificate, which a wrong one makes the verifier say.
    let refusal = judge(found, image, "another").unwrap_err();
    assert_eq!(refusal.reason, Reason::Identity, "{refusal}");
    let subject = refusal.detail.rsplit(' ').next().unwrap();
    assert!(judge(found, image, subject).is_ok());
    let refusal = judge(found, &Digest::of(b"another"), subject).unwrap_err();
    assert_eq!(refusal.reason, Reason::Artifact, "{refusal}");
    let without = Annotations {
        promise: None,
        ..*found
    };
    let refusal = judge(&without, image, subject).unwrap_err();
    assert_eq!(refusal.reason, Reason::LogMissing, "{refusal}");
    let changed =
        found
            .promise
            .unwrap()
            .replacen("\"integratedTime\":1", "\"integratedTime\":2", 1);
    let changed = Annotations {
        promise: Some(&changed),
        ..*found
    };
    assert!(judge(&changed, image, subject).is_err());
}

fn hash(value: &Value) -> Option<Sha256Hash> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    Sha256Hash::try_from(&bytes[..]).ok()
}

/// Whether a proof holds; one with a hash of another length holds nothing.
fn holds(case: &Value) -> Option<bool> {
    let number = |name: &str| case[name].as_u64();
    let proof = case["proof"].as_array().map_or(&[][..], Vec::as_slice);
    let proof = proof.iter().map(hash).collect::<Option<Vec<_>>>()?;
    Some(match case["kind"].as_str()? {
        "inclusion" => sigstore_merkle::verify_inclusion_proof(
            &hash(&case["leafHash"])?,
            number("leafIdx")?,
            number("treeSize")?,
            &proof,
            &hash(&case["root"])?,
        )
        .is_ok(),
        "consistency" => sigstore_merkle::verify_consistency_proof(
            number("size1")?,
            number("size2")?,
            &proof,
            &hash(&case["root1"])?,
            &hash(&case["root2"])?,
        )
        .is_ok(),
        _ => return None,
    })
}

#[test]
fn judges_proofs_of_merkle_trees() {
    let Some(folder) = testkit::vectors("merkle") else {
        return;
    };
    let cases = cases(&folder.join("cases.jsonl"));
    let kinds = ["inclusion", "consistency"];
    let cases = cases
        .iter()
        .filter(|case| kinds.contains(&case["kind"].as_str().unwrap()));
    let wrong = cases.filter(|case| {
        let is_good = case["wantErr"] == false;
        holds(case).unwrap_or_default() != is_good
    });
    let wrong: Vec<_> = wrong.map(|case| &case["id"]).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
