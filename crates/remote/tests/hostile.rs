//! A hostile registry. Every answer is scripted.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use std::time::Duration;

use content::Digest;
use oci::{Descriptor, Tag, media};
use remote::{Error, Registry, Transport};
use script::{API, Script};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_registry_that_is_busy_is_not_one_without_tokens() {
    for status in ["429 Too Many", "503 Busy"] {
        let script = Script::default().on(API, status, "", b"");
        let registry = script.serve().await;
        let error = registry.manifest(&Digest::of(b"x")).await.unwrap_err();
        let Error::GaveUp { tries: 4, source } = error else {
            panic!("{status}: {error}");
        };
        assert!(
            matches!(*source, Error::Authenticate { .. }),
            "{status}: {source}"
        );
    }
}

#[tokio::test]
async fn content_that_was_not_requested_is_refused() {
    let digest = Digest::of(b"asked");
    let lie = format!("Docker-Content-Digest: {digest}\r\n");
    let script = Script::default().on(&format!("manifests/{digest}"), "200 OK", &lie, b"{}");
    let error = script.serve().await.manifest(&digest).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");

    let large = vec![b' '; content::limits::MANIFEST as usize + 1];
    let script = Script::default().on("manifests/v1", "200 OK", "", &large);
    let tag = "v1".parse().unwrap();
    let error = script.serve().await.resolve(&tag).await.unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error}");

    let blob = Descriptor::of(media::CONFIG, b"asked");
    for given in [&b"aske"[..], b"asked!"] {
        let script = Script::default().on(&format!("blobs/{digest}"), "200 OK", "", given);
        let error = script.serve().await.blob(&blob, 100).await.unwrap_err();
        assert!(
            matches!(error, Error::SizeMismatch { expected: 5, .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_is_neither_a_manifest_nor_a_blob() {
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    let digest = Digest::of(b"pushed");
    let tag: Tag = "v1".parse().unwrap();
    for (headers, body) in [(html, "Sign in"), ("", "<html>Sign in"), ("", "null")] {
        let script = Script::default()
            .on(
                &format!("manifests/{digest}"),
                "200 OK",
                headers,
                body.as_bytes(),
            )
            .on("manifests/v1", "200 OK", headers, body.as_bytes());
        let registry = script.serve().await;
        let by_digest = registry.manifest(&digest).await.unwrap_err();
        assert!(is_foreign(&by_digest), "{by_digest}");
        let by_tag = registry.manifest_by_tag(&tag).await.unwrap_err();
        assert!(is_foreign(&by_tag), "{by_tag}");
    }
    let blob = Descriptor::of(media::CONFIG, b"pushed");
    let script = Script::default().on(&format!("blobs/{digest}"), "200 OK", html, b"Sign in");
    let error = script.serve().await.blob(&blob, 100).await.unwrap_err();
    let page = ": expected a blob, found \"text/html\"";
    assert!(error.to_string().ends_with(page), "{error}");
}

fn is_foreign(error: &Error) -> bool {
    error
        .to_string()
        .contains(": expected a manifest, found \"")
}

/// Sends a byte now and then, without end. Only the request for `/v2/` is answered completely.
async fn trickle(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if stream.read_line(&mut request).await.is_ok_and(|n| n == 0) {
                return;
            }
        }
        let length = match request.starts_with("GET /v2/ ") {
            true => 0,
            false => 1000,
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        while length > 0 && stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }
}

#[tokio::test]
async fn a_trickling_answer_reaches_the_time_limit() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(trickle(stream));
        }
    });
    let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    let registry = registry.with_patience(Duration::from_millis(500));
    let blob = Descriptor::of(media::CONFIG, &[b' '; 1000]);
    let asked = registry.blob(&blob, 1000);
    let error = tokio::time::timeout(Duration::from_secs(60), asked).await;
    let error = error.unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
}

/// A body without `Content-Length` is cut off at the size limit.
#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let blob = Descriptor::of(media::CONFIG, b"asked");
    let mut script = Script::default();
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    answer.extend(b"1000\r\n");
    answer.extend([b'x'; 0x1000]);
    answer.extend(b"\r\n");
    script
        .0
        .insert(format!("/v2/a/b/blobs/{}", blob.digest), answer);
    let registry = script.serve().await;
    let error = registry.blob(&blob, 100).await.unwrap_err();
    assert!(
        matches!(error, Error::SizeMismatch { expected: 5, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_registrys_message_is_escaped() {
    let body = br#"{"errors":[{"code":"DENIED","message":"go\u001b[2J \u202eaway"}]}"#;
    let script = Script::default().on("manifests/v1", "403 Forbidden", "", body);
    let tag = "v1".parse().unwrap();
    let error = script.serve().await.resolve(&tag).await.unwrap_err();
    let text = error.to_string();
    let expected = r"status 403: DENIED go\u{1b}[2J \u{202e}away";
    assert!(text.ends_with(expected), "{text}");
}
