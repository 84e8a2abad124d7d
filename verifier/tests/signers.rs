//! `verifier verify --signatures-only` fetches no layer, refuses what is not signed, and never passes.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;
mod shelf;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use case::{Case, PROVENANCE, SBOM, keys, stored};
use oci::{ImageRef, media};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use serde_json::Value;
use shelf::{Shelf, image, policy, serve};
use signature::PrivateKey;
use verifier::damage::{Damage, Part};
use verifier::evidence::{Evidence, Rebuild};
use verifier::examine::examine;
use verifier::finding::{Outcome, Rule};
use verifier::report::{self, detail};

/// Runs the verifier in a folder in which `roots.pem` has all certificate authorities of the system. If there is no such
/// file, reading them fails.
async fn verifier(words: &str, image: &ImageRef, folder: &Path) -> Output {
    let path = folder.join("policy.toml");
    std::fs::write(&path, policy(image)).unwrap();
    let mut verifier = tokio::process::Command::new(env!("CARGO_BIN_EXE_verifier"));
    verifier.args(words.split_whitespace());
    verifier.arg(image.to_string()).arg("--plain-http");
    verifier.arg("--policy").arg(path);
    verifier.env("SSL_CERT_FILE", folder.join("roots.pem"));
    verifier.env("SSL_CERT_DIR", folder.join("none"));
    verifier.output().await.unwrap()
}

/// Its exit status and its report, after asking `shelf`, which it may not ask for config or layers.
async fn signatures_only(
    listener: tokio::net::TcpListener,
    shelf: Shelf,
    image: &ImageRef,
) -> (i32, Value) {
    let shelf = serve(listener, shelf);
    let folder = tempfile::tempdir().unwrap();
    let words = "verify --signatures-only --json";
    let output = verifier(words, image, folder.path()).await;
    let stored = stored(&case::FILES);
    for bytes in [&stored.config, &stored.layer] {
        let digest = content::Digest::of(bytes).to_string();
        assert_eq!(shelf.asked_for(&digest), 0);
    }
    let asked = image.digest.to_string();
    assert!(shelf.asked_for(&format!("manifests/{asked}")) > 0);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).expect(&said);
    (output.status.code().unwrap(), report)
}

async fn signed_by(key: &PrivateKey) -> (i32, Value) {
    let (listener, mut shelf, image) = image().await;
    shelf.sign(&image, key);
    signatures_only(listener, shelf, &image).await
}

#[tokio::test]
async fn a_signature_is_checked_without_layers() {
    let (status, report) = signed_by(&keys().builder).await;
    assert_eq!((status, &report["verdict"]), (0, &"signed".into()));
    assert_eq!(
        report["unchecked"],
        serde_json::json!(["integrity", "rebuild"])
    );
}

#[tokio::test]
async fn a_missing_signature_is_refused() {
    let (listener, shelf, image) = image().await;
    let (status, report) = signatures_only(listener, shelf, &image).await;
    assert_eq!((status, &report["verdict"]), (1, &"fail".into()));
    // The policy requires that of the builder.
    let (status, report) = signed_by(&keys().collaborator).await;
    assert_eq!((status, &report["verdict"]), (1, &"fail".into()));
}

#[tokio::test]
async fn a_signature_with_other_bytes_is_refused() {
    let (listener, mut shelf, image) = image().await;
    let layer = shelf.sign(&image, &keys().builder);
    let other = vec![b' '; usize::try_from(layer.size).unwrap()];
    shelf.put(&format!("blobs/{}", layer.digest), media::OCTETS, &other);
    let (status, report) = signatures_only(listener, shelf, &image).await;
    assert_eq!((status, &report["verdict"]), (1, &"fail".into()));
}

/// Without the option, the layers of the same image are fetched, and its config is missing.
#[tokio::test]
async fn a_whole_verification_needs_the_layers() {
    let (listener, mut shelf, image) = image().await;
    shelf.sign(&image, &keys().builder);
    let config = content::Digest::of(&stored(&case::FILES).config);
    shelf.answers.remove(&format!("/v2/a/b/blobs/{config}"));
    let _shelf = serve(listener, shelf);
    let folder = tempfile::tempdir().unwrap();
    for (words, fault) in [
        ("verify --source nothing --builder git", "fetching config"),
        // What the arguments name is checked before the image is fetched.
        ("verify --rebuilt nothing", "it has no nothing/rebuild.json"),
        ("verify --source nothing --builder ./none", "./none"),
    ] {
        let output = verifier(words, &image, folder.path()).await;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(fault), "{words}: {said}");
    }
    let words = "verify --signatures-only";
    let output = verifier(words, &image, folder.path()).await;
    // Standard output is for the name of an image that passes.
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let said = String::from_utf8_lossy(&output.stderr);
    let result = format!("signed: {image}; not checked: integrity, rebuild\n");
    assert!(said.ends_with(&result), "{said}");
}

/// A server of HTTPS that gives each client that trusts it this answer; its port, and its certificate in PEM.
fn https(answer: Vec<u8>) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let mut request = [0; 4096];
            // A client that does not trust the certificate sends none.
            if tls.read(&mut request).is_ok_and(|read| read > 0) {
                tls.write_all(&answer).unwrap();
            }
        }
    });
    let body = STANDARD.encode(made.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    (port, pem)
}

/// A registry on HTTP that keeps its blobs elsewhere.
#[tokio::test]
async fn certificate_authorities_are_read_after_a_redirect_to_https() {
    let (listener, mut shelf, image) = image().await;
    let layer = shelf.sign(&image, &keys().builder);
    let blob = format!("/v2/a/b/blobs/{}", layer.digest);
    let (port, trusted) = https(shelf.answers[&blob].clone());
    let (_, other) = https(Vec::new());
    let head = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:{port}/x\r\nContent-Length: 0\r\n\r\n"
    );
    shelf.answers.insert(blob, head.into_bytes());
    let _shelf = serve(listener, shelf);
    let folder = tempfile::tempdir().unwrap();
    for (authorities, status) in [(None, 2), (Some(other), 2), (Some(trusted), 0)] {
        if let Some(pem) = &authorities {
            std::fs::write(folder.path().join("roots.pem"), pem).unwrap();
        }
        let output = verifier("verify --signatures-only", &image, folder.path()).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(status == 0 || said.contains("certificate"), "{said}");
    }
}

#[tokio::test]
async fn nothing_is_authorized_by_signatures_alone() {
    let (_, _, image) = image().await;
    let folder = tempfile::tempdir().unwrap();
    let words = "authorize --signatures-only --grant g";
    let output = verifier(words, &image, folder.path()).await;
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("'--signatures-only'"), "{said}");
}

#[test]
fn what_was_not_checked_is_unknown() {
    let signers = Case::passing().signers();
    assert!(signers.are_complete());
    let unknown: Vec<Rule> = signers.unknown().collect();
    assert_eq!(unknown, [Rule::Integrity, PROVENANCE, SBOM, Rule::Rebuild]);
    let said = signers.findings().iter().map(detail).collect::<String>();
    for expected in [
        "https://slsa.dev/provenance/v1 is signed by builder (referrer",
        "https://cyclonedx.org/bom is signed by builder (referrer",
        "what it says was not compared with the image",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(
        report::signers_table(&signers)
            .contains("not checked: integrity, provenance, sbom, rebuild")
    );
    let passed = signers.findings().iter();
    let passed = passed.filter(|finding| finding.outcome() == Outcome::Pass);
    let passed: Vec<Rule> = passed.map(verifier::finding::Finding::rule).collect();
    assert_eq!(passed, [Rule::Repository, Rule::Signatures]);
}

#[test]
fn a_statement_of_another_signer_is_refused() {
    let mut case = Case::passing();
    case.policy = case
        .policy
        .replace(r#"by = ["builder"]"#, r#"by = ["collaborator"]"#);
    let signers = case.signers();
    let failed = signers.findings().iter();
    let failed = failed.filter(|finding| finding.outcome() == Outcome::Fail);
    let failed: Vec<Rule> = failed.map(verifier::finding::Finding::rule).collect();
    assert_eq!(failed, [PROVENANCE, SBOM]);
    case.refused_by(&[PROVENANCE, SBOM], "expected");
}

#[test]
fn damage_is_refused() {
    let mut case = Case::passing();
    case.published.damage.push(Damage {
        what: Part::Manifest,
        expected: "1".into(),
        found: "2".into(),
    });
    assert!(!case.signers().are_complete());
}

/// The same evidence, appraised, is a refusal: without contents there is no pass.
#[test]
fn evidence_without_contents_never_passes() {
    let mut case = Case::passing();
    case.policy = case
        .policy
        .replace("require = true", "require = false")
        .replace(r#"["provenance", "sbom"]"#, "[]");
    case.published.contents = None;
    case.rebuild = Rebuild::Absent;
    assert!(case.signers().are_complete());
    case.refused_by(&[Rule::Integrity], "image");
    let policy = case.policy();
    let attested = examine(case.published, policy.principals(), case::NOW);
    let evidence = Evidence::new(attested, Rebuild::Absent);
    let appraisal = verifier::appraise::appraise(&evidence, &policy, case::NOW);
    assert!(matches!(
        verifier::verdict::Verdict::of(appraisal),
        verifier::verdict::Verdict::Fail(_)
    ));
}
