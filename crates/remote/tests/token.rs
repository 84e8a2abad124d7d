//! A registry that requires a token and lets tokens expire.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use content::{Digest, limits};
use oci::media;
use remote::{Error, Registry, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const MANIFEST: &[u8] = b"manifest";

/// Issues the tokens t1, t2, … and accepts the one with the number `good`.
struct Guard {
    port: u16,
    given: AtomicUsize,
    good: usize,
    /// Bytes of padding before the token in the token service's answer.
    padding: usize,
    /// The URL for blobs.
    place: String,
}

impl Guard {
    async fn serve(good: usize) -> (Arc<Self>, Registry) {
        Self::serve_with(good, 0, "").await
    }

    async fn serve_with(good: usize, padding: usize, place: &str) -> (Arc<Self>, Registry) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let guard = Arc::new(Self {
            port: listener.local_addr().unwrap().port(),
            given: AtomicUsize::new(0),
            good,
            padding,
            place: place.to_owned(),
        });
        let server = guard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().speak(stream));
            }
        });
        let repository = format!("127.0.0.1:{}/a/b", guard.port).parse().unwrap();
        let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
        (guard, registry)
    }

    async fn speak(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut request = String::new();
            while !request.ends_with("\r\n\r\n") {
                if stream.read_line(&mut request).await.is_ok_and(|n| n == 0) {
                    return;
                }
            }
            stream.write_all(&self.answer(&request)).await.unwrap();
        }
    }

    fn answer(&self, request: &str) -> Vec<u8> {
        let path = request.split(' ').nth(1).unwrap();
        if path.starts_with("/token?") {
            assert!(path.contains("scope=repository%3Aa%2Fb%3Apull"), "{path}");
            let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
            let padding = " ".repeat(self.padding);
            let body = format!(r#"{padding}{{"token":"t{number}"}}"#);
            return reply("200 OK", "", body.as_bytes());
        }
        let right = format!("bearer t{}\r\n", self.good);
        if path != "/v2/" && request.to_lowercase().contains(&right) {
            return match request.split(' ').next() {
                Some("HEAD") => reply("404 Not Found", "", b""),
                Some("POST") => reply(
                    "202 Accepted",
                    &format!("Location: {}\r\n", self.place),
                    b"",
                ),
                _ => reply("200 OK", "", MANIFEST),
            };
        }
        let realm = format!("http://127.0.0.1:{}/token", self.port);
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"s\"\r\n");
        reply("401 Unauthorized", &challenge, b"")
    }
}

fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn one_token_serves_many_requests() {
    let (guard, registry) = Guard::serve(1).await;
    for _ in 0..3 {
        let bytes = registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
        assert_eq!(bytes, MANIFEST);
    }
    assert_eq!(guard.given.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let (guard, registry) = Guard::serve(2).await;
    let bytes = registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
    assert_eq!(bytes, MANIFEST);
    assert_eq!(guard.given.load(Ordering::SeqCst), 2);

    let (guard, registry) = Guard::serve(9).await;
    let error = registry.manifest(&Digest::of(MANIFEST)).await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 401, .. }),
        "{error}"
    );
    assert_eq!(guard.given.load(Ordering::SeqCst), 2);
    assert!(!error.to_string().contains("t2"), "{error}");
}

#[tokio::test]
async fn a_flood_from_the_token_service_is_cut_off() {
    let padding = usize::try_from(limits::TOKEN).unwrap();
    let (_, registry) = Guard::serve_with(1, padding - 14, "").await;
    let bytes = registry.manifest(&Digest::of(MANIFEST)).await.unwrap();
    assert_eq!(bytes, MANIFEST);

    let (_, registry) = Guard::serve_with(1, padding, "").await;
    for error in [
        registry.manifest(&Digest::of(MANIFEST)).await.unwrap_err(),
        registry.push_blob(media::CONFIG, b"{}").await.unwrap_err(),
    ] {
        let Error::Authenticate { source, .. } = error else {
            panic!("{error}");
        };
        assert!(
            matches!(
                *source,
                Error::Limit {
                    limit: limits::TOKEN,
                    ..
                }
            ),
            "{source}"
        );
    }
}

/// A registry may name the URL of another server for an upload; that server does not get the token.
#[tokio::test]
async fn a_token_is_sent_to_its_registry_only() {
    let storage = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let place = format!("http://{}/a?b=c", storage.local_addr().unwrap());
    let (_, registry) = Guard::serve_with(1, 0, &place).await;
    let stored = tokio::spawn(async move {
        let (stream, _) = storage.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            stream.read_line(&mut request).await.unwrap();
        }
        let mut body = [0; 4];
        stream.read_exact(&mut body).await.unwrap();
        let done = reply("201 Created", "Location: /v2/a/b/blobs/x\r\n", b"");
        stream.write_all(&done).await.unwrap();
        (request.to_lowercase(), body)
    });
    registry.push_blob(media::CONFIG, b"blob").await.unwrap();
    let (request, body) = stored.await.unwrap();
    let digest = Digest::of(b"blob").hex();
    let request = request.replace("%3a", ":");
    let line = format!("put /a?b=c&digest=sha256:{digest} ");
    assert!(request.starts_with(&line), "{request}");
    assert!(request.contains("\r\ncontent-length: 4\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
    assert_eq!(&body, b"blob");
}
