//! Registries that are busy, reset connections, or deviate from the specification.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod play;

use std::sync::Arc;
use std::time::Duration;

use content::Digest;
use oci::{Descriptor, Manifest, Tag, Target, media};
use play::{Answer, Play, challenge, reply};
use remote::{Attached, Error, Registry, Transport};
use tokio::sync::Barrier;
use tokio::time::{Instant, timeout};

const MANIFEST: &[u8] = b"{\"schemaVersion\":2}";

fn ok(body: &[u8]) -> Answer {
    reply("200 OK", "", body)
}

/// A registry without tokens, whose repository gives these answers in turn and then repeats the last.
async fn gives(answers: Vec<Answer>) -> (Play, Registry) {
    let play = Play::serve(move |request, number| match request.path.as_str() {
        "/v2/" => ok(b""),
        _ => answers[(number - 1).min(answers.len() - 1)].clone(),
    })
    .await;
    let registry = play.connect(&Transport::PlainHttp);
    (play, registry)
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let digest = Digest::of(MANIFEST);
    let whole = ok(MANIFEST);
    let half = Answer::BreaksOff(whole.bytes()[..whole.bytes().len() - 5].to_vec());
    for passing in [
        reply("503 Busy", "", b""),
        reply("429 Too Many", "Retry-After: 0\r\n", b""),
        reply("502 Bad Gateway", "", b"<html>"),
        Answer::BreaksOff(Vec::new()),
        Answer::Reset,
        half,
    ] {
        let (play, registry) = gives(vec![passing.clone(), whole.clone()]).await;
        let bytes = registry.manifest(&digest).await.unwrap();
        assert_eq!(bytes, MANIFEST, "{passing:?}");
        assert_eq!(play.count("GET", "/v2/a/b/manifests"), 2, "{passing:?}");

        let (_, registry) = gives(vec![passing.clone(), whole.clone()]).await;
        let blob = Descriptor::of(media::CONFIG, MANIFEST);
        assert_eq!(registry.blob(&blob, 100).await.unwrap(), MANIFEST);
        let (_, registry) = gives(vec![passing, whole.clone()]).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        registry.blob_to(&blob, &path).await.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), MANIFEST);
    }
}

#[tokio::test]
async fn the_pause_that_a_registry_requests_is_kept() {
    let busy = reply("429 Too Many", "Retry-After: 2\r\n", b"");
    let (_, registry) = gives(vec![busy, ok(MANIFEST)]).await;
    let started = Instant::now();
    registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(2));

    let dates =
        "Date: Sat, 28 Nov 2026 10:00:00 GMT\r\nRetry-After: Sat, 28 Nov 2026 12:00:00 GMT\r\n";
    let (play, registry) = gives(vec![reply("429 Too Many", dates, b"")]).await;
    let error = registry.manifest(&Digest::of(MANIFEST)).await.unwrap_err();
    assert!(error.to_string().contains("7200 s"), "{error}");
    assert_eq!(play.count("GET", "/v2/a/b/manifests"), 1);
}

#[tokio::test]
async fn tries_end_and_are_counted() {
    let (play, registry) = gives(vec![reply("503 Busy", "", b"")]).await;
    let error = registry.manifest(&Digest::of(MANIFEST)).await.unwrap_err();
    assert!(
        error.to_string().ends_with("status 503 (tried 4 times)"),
        "{error}"
    );
    assert_eq!(play.count("GET", "/v2/a/b/manifests"), 4);
    let (play, registry) = gives(vec![reply("400 Bad", "", b"")]).await;
    let error = registry.manifest(&Digest::of(MANIFEST)).await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 400, .. }),
        "{error}"
    );
    assert_eq!(play.count("GET", "/v2/a/b/manifests"), 1);
}

/// Each try begins a new upload; a blob that the registry has is not uploaded.
#[tokio::test]
async fn uploads_are_retried() {
    let play = Play::serve(|request, number| match (request.method.as_str(), number) {
        ("GET", _) => ok(b""),
        ("HEAD", _) => reply("404 Not Found", "", b""),
        ("POST", 1) => reply("503 Busy", "", b""),
        ("POST", _) => reply("202 Accepted", "Location: /upload?a=b\r\n", b""),
        ("PUT", 1) => Answer::Reset,
        _ => reply("201 Created", "", b""),
    })
    .await;
    let registry = play.connect(&Transport::PlainHttp);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, [7; 1_000_000]).unwrap();
    let blob = Descriptor::of(media::CONFIG, &[7; 1_000_000]);
    registry.push_blob_file(&path, &blob).await.unwrap();
    assert_eq!(play.count("POST", "/v2/a/b/blobs/uploads/"), 3);
    let puts = play.requests("PUT", "/upload?a=b&digest=sha256");
    assert_eq!(puts.last().unwrap().body, [7; 1_000_000]);
    let target = Target::Tag("v1".parse().unwrap());
    registry
        .push_manifest(&target, MANIFEST, media::MANIFEST)
        .await
        .unwrap();
}

/// The registry answers each upload only after all have arrived.
#[tokio::test]
async fn files_are_uploaded_side_by_side() {
    let all = Arc::new(Barrier::new(3));
    let play = Play::serve(move |request, _| match request.method.as_str() {
        "HEAD" => reply("404 Not Found", "", b""),
        "POST" => reply("202 Accepted", "Location: /upload\r\n", b""),
        "PUT" => {
            let stored = reply("201 Created", "", b"").bytes().to_vec();
            Answer::Together(all.clone(), stored)
        }
        _ => ok(b""),
    })
    .await;
    let registry = play.connect(&Transport::PlainHttp);
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b", "c", "a"].map(|name| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        (path, Descriptor::of(media::OCTETS, name.as_bytes()))
    });
    let pushed = timeout(Duration::from_secs(20), registry.push_blob_files(files)).await;
    pushed.unwrap().unwrap();
    // A blob that is named twice is sent once.
    assert_eq!(play.count("PUT", "/upload"), 3);
}

#[tokio::test]
async fn a_blob_is_stored_if_the_answer_is_201() {
    for (status, has) in [
        ("201 Created", false),
        ("200 OK", true),
        ("204 No Content", true),
    ] {
        let play = Play::serve(move |request, _| match request.method.as_str() {
            "HEAD" if request.earlier("PUT") && has => ok(b""),
            "HEAD" => reply("404 Not Found", "", b""),
            "POST" => reply("202 Accepted", "Location: /upload\r\n", b""),
            "PUT" => reply(status, "", b""),
            _ => ok(b""),
        })
        .await;
        let registry = play.connect(&Transport::PlainHttp);
        registry.push_blob(media::CONFIG, b"{}").await.unwrap();
        assert_eq!(
            play.requests("PUT", "/upload?digest=")[0].body,
            b"{}",
            "{status}"
        );
    }
    // Accepted is not stored.
    let play = Play::serve(|request, _| match request.method.as_str() {
        "HEAD" => reply("404 Not Found", "", b""),
        "POST" | "PUT" => reply("202 Accepted", "Location: /upload\r\n", b""),
        _ => ok(b""),
    })
    .await;
    let registry = play.connect(&Transport::PlainHttp);
    let error = registry.push_blob(media::CONFIG, b"{}").await.unwrap_err();
    assert!(matches!(error, Error::Upload { .. }), "{error}");
}

#[tokio::test]
async fn a_challenge_may_come_at_the_repository_alone() {
    let play = Play::serve(|request, _| match request.path.as_str() {
        "/v2/" => ok(b""),
        path if path.starts_with("/token?") => ok(br#"{"token":"t"}"#),
        _ if request.header("authorization") == Some("Bearer t") => ok(MANIFEST),
        _ => {
            let scope = ",scope=\"repository:mirror/a/b:pull\"";
            reply("401 Unauthorized", &challenge(request, scope), b"")
        }
    })
    .await;
    let registry = play.connect(&Transport::PlainHttp);
    for _ in 0..2 {
        let bytes = registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
        assert_eq!(bytes, MANIFEST);
    }
    let asked = play.requests("GET", "/token?");
    assert_eq!(asked.len(), 1);
    let scope = "scope=repository%3Amirror%2Fa%2Fb%3Apull";
    assert!(asked[0].path.contains(scope), "{}", asked[0].path);
}

/// Attaches a referrer at a registry that keeps no list of referrers and resolves the tag
/// `sha256-<hex>` as the digest.
async fn without_tags(puts: &'static str) -> Attached {
    let image = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let digest = Digest::of(image);
    let tag = format!("/v2/a/b/manifests/{}", Tag::of_digest(&digest, "").unwrap());
    let play =
        Play::serve(
            move |request, _| match (request.method.as_str(), request.path == tag) {
                ("PUT", true) => reply(puts, "", b""),
                ("GET", true) => match request.earlier_body("PUT", &tag) {
                    Some(list) if puts.starts_with("201") => ok(&list),
                    _ => ok(image),
                },
                ("HEAD", _) => ok(b""),
                ("PUT", false) => reply("201 Created", "", b""),
                _ => reply("404 Not Found", "", b""),
            },
        )
        .await;
    let registry = play.connect(&Transport::PlainHttp);
    let layer = Descriptor::of(media::SIGSTORE_BUNDLE, b"bundle");
    let subject = Descriptor::of(media::MANIFEST, image);
    let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    registry.attach_referrer(manifest).await.unwrap()
}

#[tokio::test]
async fn a_tag_that_is_taken_for_the_digest_keeps_no_list() {
    let refused = without_tags("400 Bad Request").await;
    assert!(matches!(refused, Attached::Unlisted(_)), "{refused:?}");
    let ignored = without_tags("200 OK").await;
    assert!(matches!(ignored, Attached::Unlisted(_)), "{ignored:?}");
    let stored = without_tags("201 Created").await;
    assert!(matches!(stored, Attached::Listed(_)), "{stored:?}");
}

#[tokio::test]
async fn a_plain_registry_on_loopback_needs_no_option() {
    let https = Transport::Https { extra_ca: None };
    let (play, _) = gives(vec![ok(MANIFEST)]).await;
    let registry = play.connect(&https);
    let bytes = registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
    assert_eq!(bytes, MANIFEST);
    // The protocol is determined once.
    registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
    assert_eq!(play.count("GET", "/v2/"), 2);

    // A server that answers HTTP with 400 speaks HTTPS: the error is its certificate's.
    let play =
        Play::serve(|_, _| reply("400 Bad Request", "", b"an HTTP request to an HTTPS server"))
            .await;
    let error = play
        .connect(&https)
        .manifest(&Digest::of(MANIFEST))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("https://"), "{error}");
    assert!(matches!(error, Error::Transport { .. }), "{error}");
}
