//! Signing with keys that a Sigstore instance certifies. What it answers is verified before anything is published.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod instance;
#[path = "../../remote/tests/play/mod.rs"]
mod play;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../keyless/tests/world/mod.rs"]
mod world;

use std::fs;

use attest::{PredicateType, Vsa};
use content::Digest;
use instance::{Fault, IMAGE, clock, config, start, token};
use keyless::{Artifact, Bundle, Reason, Subject, TrustRoot, Trusted, verify_keyless};
use oci::ImageRef;
use play::Play;
use rcgen::SanType;
use remote::Transport;
use serde_json::{Value, json};
use signature::Annotations;
use signer::{
    Certified, CertifiedSigner, Error, Instance, Published, attest_image_certified,
    sign_image_certified,
};
use tempfile::TempDir;
use world::{ISSUER, SUBJECT};

const MAIL: &str = "builder@example.com";

fn workflow() -> SanType {
    SanType::URI(SUBJECT.try_into().unwrap())
}

fn mail() -> Value {
    json!({ "sub": "1234", "email": MAIL, "email_verified": true })
}

async fn open(token: &str, config: &Value, root: &Value) -> Result<CertifiedSigner, Error> {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let instance = Instance {
        token: &file("token", format!("{token}\n")),
        config: &file("signing_config.json", config.to_string()),
        root: &file("trusted_root.json", root.to_string()),
    };
    CertifiedSigner::open(instance, None, clock).await
}

fn image(play: &Play) -> ImageRef {
    ImageRef {
        repository: format!("127.0.0.1:{}/a/b", play.port).parse().unwrap(),
        digest: Digest::of(IMAGE),
    }
}

async fn sign(play: &Play, claims: &Value, root: &Value) -> Result<Certified, Error> {
    let signer = open(&token(claims), &config(play), root).await?;
    let registry = play.connect(&Transport::PlainHttp);
    sign_image_certified(&registry, &image(play), &signer, &Annotations::default()).await
}

/// The bundle that was pushed.
fn bundle(play: &Play) -> Value {
    let pushed = play.requests("PUT", "/v2/a/b/blobs/");
    let texts = pushed.iter().map(|request| request.body.as_slice());
    let mut bundles = texts.filter(|body| body.starts_with(br#"{"dsseEnvelope""#));
    serde_json::from_slice(bundles.next().unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_published_verifies() {
    let (play, root) = start(Fault::None, workflow()).await;
    let signed = sign(&play, &json!({ "sub": "repo:a/b" }), &root)
        .await
        .unwrap();
    assert_eq!(signed.published, Published::Listed);
    assert_eq!(
        (
            signed.signer.issuer.as_str(),
            signed.signer.subject.as_str()
        ),
        (ISSUER, SUBJECT)
    );
    let bundle = bundle(&play);
    let material = &bundle["verificationMaterial"];
    assert_eq!(
        material["tlogEntries"][0]["kindVersion"]["version"],
        "0.0.2"
    );
    assert!(material["tlogEntries"][0].get("inclusionPromise").is_none());
    assert_eq!(
        bundle["mediaType"],
        "application/vnd.dev.sigstore.bundle.v0.3+json"
    );
    let root = TrustRoot::parse(root.to_string().as_bytes()).unwrap();
    let parsed = Bundle::parse(bundle.to_string().as_bytes()).unwrap();
    let trusted = Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Subject::Exact(SUBJECT.to_owned()),
    };
    let artifact = Artifact::from(&Digest::of(IMAGE));
    let verified = verify_keyless(&parsed, &artifact, &trusted, &root, clock()).unwrap();
    let statement: Value = serde_json::from_slice(verified.statement().unwrap()).unwrap();
    assert_eq!(
        statement["predicateType"],
        "https://sigstore.dev/cosign/sign/v1"
    );
    assert_eq!(
        statement["subject"][0]["name"],
        image(&play).repository.to_string()
    );
    // The token goes to the certificate authority only.
    for path in ["/api/v2/log/", "/api/v1/", "/v2/"] {
        for request in play
            .requests("POST", path)
            .iter()
            .chain(&play.requests("PUT", path))
        {
            assert_eq!(request.header("authorization"), None);
        }
    }
}

#[tokio::test]
async fn a_predicate_is_attested_alike() {
    let subject = SanType::Rfc822Name(MAIL.try_into().unwrap());
    let (play, root) = start(Fault::None, subject).await;
    let signer = open(&token(&mail()), &config(&play), &root).await.unwrap();
    let kind = PredicateType::from(&Vsa::PREDICATE);
    let verdict = json!({ "timeVerified": "now" });
    let registry = play.connect(&Transport::PlainHttp);
    let attested = attest_image_certified(&registry, &image(&play), &signer, kind, verdict).await;
    assert_eq!(attested.unwrap().signer.subject, MAIL);
    let manifests = play.requests("PUT", "/v2/a/b/manifests/sha256:");
    let manifest: Value = serde_json::from_slice(&manifests[0].body).unwrap();
    assert_eq!(
        manifest["annotations"]["dev.sigstore.bundle.predicateType"],
        Vsa::PREDICATE.uri
    );
}

/// Whether anything was pushed.
fn has_pushed(play: &Play) -> bool {
    // Not `/v2/`, of which `count` counts requests for the API's root only.
    play.count("PUT", "/v2/a/b/") + play.count("POST", "/v2/a/b/") > 0
}

#[tokio::test]
async fn what_does_not_verify_is_not_published() {
    for (fault, reason) in [
        (Fault::OtherSubject, Reason::Identity),
        (Fault::OtherIssuer, Reason::Issuer),
        (Fault::Unlogged, Reason::CertificateLog),
        (Fault::LoggedElsewhere, Reason::CertificateLog),
        (Fault::OtherAuthority, Reason::CertificateChain),
        (Fault::OtherEntry, Reason::Artifact),
        (Fault::WrongProof, Reason::LogProof),
        (Fault::OtherCheckpoint, Reason::LogCheckpoint),
        (Fault::OtherTimestamp, Reason::Timestamp),
        (Fault::OtherTimestamps, Reason::Timestamp),
    ] {
        let subject = SanType::Rfc822Name(MAIL.try_into().unwrap());
        let (play, root) = start(fault, subject).await;
        match sign(&play, &mail(), &root).await {
            Err(Error::Unverified(refusal)) => assert_eq!(refusal.reason, reason, "{fault:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
        // A log forgets nothing: the names in a certificate are compared before.
        let is_logged = !matches!(reason, Reason::Identity | Reason::Issuer);
        assert_eq!(play.count("POST", LOG), usize::from(is_logged), "{fault:?}");
        assert!(!has_pushed(&play), "{fault:?}");
    }
    // A log and a timestamp authority that the root does not have.
    for (member, reason) in [
        ("tlogs", Reason::LogUnknown),
        ("timestampAuthorities", Reason::Timestamp),
    ] {
        let (play, mut root) = start(Fault::None, workflow()).await;
        let items = root[member].as_array_mut().unwrap();
        items.remove(0);
        match sign(&play, &json!({ "sub": "s" }), &root).await {
            Err(Error::Unverified(refusal)) => assert_eq!(refusal.reason, reason, "{member}"),
            other => panic!("{member}: {other:?}"),
        }
        assert!(!has_pushed(&play), "{member}");
    }
}

const AUTHORITY: &str = "/api/v2/signingCert";
const LOG: &str = "/api/v2/log/entries";
const TIMESTAMPS: &str = "/api/v1/timestamp";

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_an_error() {
    let answer = "parsing the certificate authority's answer";
    for (fault, expected) in [
        (Fault::OtherKey, "it is of another key"),
        (Fault::NoEntry, "parsing the log's answer"),
        (Fault::Rejection, "the status is 2, not granted"),
        (Fault::Large(AUTHORITY), "more than 262144 bytes"),
        (Fault::Large(LOG), "more than 262144 bytes"),
        (Fault::Large(TIMESTAMPS), "more than 262144 bytes"),
        (Fault::Answers(AUTHORITY, "200 OK", b"<html>"), answer),
        (
            Fault::Answers(AUTHORITY, "200 OK", b"{}"),
            "it contains none",
        ),
        (
            Fault::Answers(
                AUTHORITY,
                "200 OK",
                br#"{"signedCertificateDetachedSct":{"chain":{"certificates":["x"]}}}"#,
            ),
            "expected PEM",
        ),
        (
            Fault::Answers(TIMESTAMPS, "200 OK", b"<html>"),
            "parsing the timestamp authority's answer",
        ),
    ] {
        let (play, root) = start(fault, workflow()).await;
        match sign(&play, &json!({ "sub": "s" }), &root).await {
            Err(Error::ServiceAnswer(text)) => {
                assert!(text.contains(expected), "{fault:?}: {text}")
            }
            other => panic!("{fault:?}: {other:?}"),
        }
        // The log is asked last.
        let is_asked = matches!(fault, Fault::NoEntry | Fault::Large(LOG));
        assert_eq!(play.count("POST", LOG), usize::from(is_asked), "{fault:?}");
        assert!(!has_pushed(&play), "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_with_the_token_is_not_quoted() {
    let claims = json!({ "sub": "s" });
    let body = json!({ "signedCertificateEmbeddedSct": token(&claims) });
    let body: &'static str = body.to_string().leak();
    let fault = Fault::Answers(AUTHORITY, "200 OK", body.as_bytes());
    let (play, root) = start(fault, workflow()).await;
    let error = sign(&play, &claims, &root).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("(the identity token)"), "{error}");
    assert!(!error.contains("c2VjcmV0"), "{error}");
}

#[tokio::test]
async fn a_service_that_refuses_is_named_with_its_message() {
    let body = br#"{"code":16,"message":"token \u001b[2Jexpired","details":[]}"#;
    for (path, status, hint) in [
        (AUTHORITY, "401 Unauthorized", "new identity token"),
        (AUTHORITY, "503 Service Unavailable", "try again later"),
        (LOG, "400 Bad Request", "addresses in the signing config"),
        (TIMESTAMPS, "429 Too Many Requests", "try again later"),
        // A redirect is not followed.
        (
            AUTHORITY,
            "307 Temporary Redirect",
            "addresses in the signing config",
        ),
    ] {
        let (play, root) = start(Fault::Answers(path, status, body), workflow()).await;
        let error = sign(&play, &json!({ "sub": "s" }), &root)
            .await
            .unwrap_err();
        let text = error.to_string();
        let number = status.split(' ').next().unwrap();
        assert!(
            text.ends_with(&format!("status {number}: token \\u{{1b}}[2Jexpired")),
            "{text}"
        );
        assert!(text.contains(path), "{text}");
        assert!(
            error.hint().unwrap().contains(hint),
            "{text}: {:?}",
            error.hint()
        );
        assert!(!text.contains("c2VjcmV0"), "{text}");
        assert_eq!(play.count("POST", "/elsewhere"), 0);
        assert!(!has_pushed(&play));
    }
}

#[tokio::test]
async fn files_are_checked_before_any_request() {
    let (play, root) = start(Fault::None, workflow()).await;
    let (good, services) = (token(&json!({ "sub": "s" })), config(&play));
    let expired = token(&json!({ "sub": "s", "exp": 1_000 }));
    for bad in ["", "a.b", expired.as_str()] {
        let error = open(bad, &services, &root).await.err().unwrap();
        assert!(matches!(error, Error::IdentityToken(_)), "{error}");
        assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
    }
    let mut elsewhere = services.clone();
    elsewhere["rekorTlogUrls"][0]["url"] = "http://192.0.2.1".into();
    for bad in [json!({}), elsewhere] {
        let error = open(&good, &bad, &root).await.err().unwrap();
        assert!(matches!(error, Error::SigningConfig(_)), "{error}");
    }
    let error = open(&good, &services, &json!({})).await.err().unwrap();
    assert!(matches!(error, Error::TrustedRoot(_)), "{error}");
    assert_eq!(play.count("POST", "/"), 0);
}
