//! The signatures, findings and binding for a small fixed image, byte for byte. Refactoring must not change these files;
//! `just golden` rewrites them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;

use std::path::Path;

use attest::{Statement, Subject, Vsa};
use case::{Case, REPOSITORY};
use content::Digest;
use grant::Grant;
use serde_json::json;
use signature::PrivateKey;
use verifier::binding::Binding;
use verifier::countersign;
use verifier::evidence::Evidence;
use verifier::examine::examine;
use verifier::verdict::Verdict;

const GRANT: &[u8] = br#"
key = "projects/collaborator/locations/global/keyRings/ring/cryptoKeys/data"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/123456789012/locations/global/workloadIdentityPools/trusted-workloads"
"#;

fn golden(name: &str, actual: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    testkit::golden(&folder.join(name), actual);
}

/// Its signatures are deterministic (RFC 6979).
fn key() -> PrivateKey {
    case::keys().builder
}

#[test]
fn simple_signing() {
    let key = key();
    let digest = Digest::of(b"image");
    let payload = signature::simple_signing::payload(
        REPOSITORY,
        &digest,
        key.public(),
        &signature::Annotations::default(),
    )
    .unwrap();
    golden("simple-signing.json", &payload);
}

#[test]
fn vsa_and_bundle() {
    let vsa = Vsa {
        verifier: attest::Verifier {
            id: "https://collaborator.example".to_owned(),
        },
        time_verified: Some("2026-11-28T00:00:00Z".to_owned()),
        resource_uri: REPOSITORY.to_owned(),
        policy: countersign::policy(&Digest::of(b"policy")),
        verification_result: "PASSED".to_owned(),
        verified_levels: Vec::new(),
        slsa_version: Some("1.0".to_owned()),
    };
    let subject = Subject::image(REPOSITORY, &Digest::of(b"image"));
    let statement = Statement::new(subject, Vsa::PREDICATE.uri, json!(vsa));
    let statement = statement.to_bytes().unwrap();
    golden("vsa.json", &statement);
    let bundle = case::bundle(&key(), Vsa::PREDICATE.uri, statement);
    golden("bundle.json", &bundle.bytes);
}

#[test]
fn verdict_and_binding() {
    let case = Case::passing();
    let attested = examine(
        case.published.clone(),
        case.policy().principals(),
        case::NOW,
    );
    let evidence = Evidence::new(attested, case.rebuild.clone());
    let verdict = Verdict::of(verifier::appraise::appraise(
        &evidence,
        &case.policy(),
        case::NOW,
    ));
    let report = verifier::report::json(&verdict, &evidence);
    golden("verdict.json", format!("{report:#}\n").as_bytes());
    golden("verdict.txt", verifier::report::table(&verdict).as_bytes());
    let Verdict::Pass(approval) = &verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(approval.at(), case::NOW);
    let countersigned = approval.clone().to_bind().unwrap();
    let binding = Binding::new(&countersigned, &Grant::parse(GRANT).unwrap());
    for (format, file) in [("gcloud", "binding.sh"), ("iam", "binding.json")] {
        let output = google::outputs::named(format).unwrap();
        let printed = (output.print)(&binding.granted()).unwrap();
        golden(file, format!("{}\n", printed.text).as_bytes());
    }
}
