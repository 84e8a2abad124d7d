//! A registry that lies: every answer is scripted.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use content::Digest;
use oci::{Descriptor, Index, Manifest, Tag, media};
use remote::{Error, Registry, Transport};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Where a registry is asked for a challenge.
const API: &str = "/v2/";
const INDEX: &str = "Content-Type: application/vnd.oci.image.index.v1+json\r\n";

/// Answers by path and query; anything else is not found.
#[derive(Default)]
struct Script(HashMap<String, Vec<u8>>);

impl Script {
    fn on(mut self, path: &str, status: &str, headers: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        let path = match path {
            API => API.to_owned(),
            path => format!("/v2/a/b/{path}"),
        };
        self.0.insert(path, answer);
        self
    }

    fn manifest(self, bytes: &[u8]) -> Self {
        self.on(
            &format!("manifests/{}", Digest::of(bytes)),
            "200 OK",
            "",
            bytes,
        )
    }

    async fn serve(self) -> Registry {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, script.clone()));
            }
        });
        let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
        Registry::connect(&repository, &Transport::PlainHttp).unwrap()
    }
}

async fn answer(stream: TcpStream, script: Arc<Script>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) && line != "\r\n" {
            request.push_str(&line);
            line.clear();
        }
        let Some(path) = request.split(' ').nth(1) else {
            return;
        };
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
        let bytes = script.0.get(path).unwrap_or(&missing);
        if stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}

fn subject() -> Descriptor {
    Descriptor::of(media::MANIFEST, b"image")
}

fn referrer(content: &[u8], subject: Descriptor) -> Vec<u8> {
    let layer = Descriptor::of(media::SIGSTORE_BUNDLE, content);
    let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    manifest.to_bytes().unwrap()
}

fn index(manifests: &[&[u8]]) -> Vec<u8> {
    let describe = |bytes: &&[u8]| Descriptor::of(media::MANIFEST, bytes);
    Index::new(manifests.iter().map(describe).collect())
        .to_bytes()
        .unwrap()
}

fn list() -> String {
    format!("referrers/{}", subject().digest)
}

async fn referrers(script: Script) -> Result<Vec<Digest>, Error> {
    let found = script.serve().await.referrers(&subject().digest).await?;
    Ok(found.into_iter().map(|(digest, _)| digest).collect())
}

#[tokio::test]
async fn referrers_are_read_to_the_last_page() {
    let (one, two) = (referrer(b"1", subject()), referrer(b"2", subject()));
    let next = format!("{INDEX}Link: </v2/a/b/{}?page=2>; rel=\"next\"\r\n", list());
    let script = Script::default()
        .on(&list(), "200 OK", &next, &index(&[&one]))
        .on(
            &format!("{}?page=2", list()),
            "200 OK",
            INDEX,
            &index(&[&two, &one]),
        )
        .manifest(&one)
        .manifest(&two);
    let mut expected = vec![Digest::of(&one), Digest::of(&two)];
    expected.sort();
    assert_eq!(referrers(script).await.unwrap(), expected);
}

#[tokio::test]
async fn a_list_that_breaks_off_is_no_list() {
    let next = format!("{INDEX}Link: </v2/a/b/{}?page=2>; rel=\"next\"\r\n", list());
    let script = Script::default().on(&list(), "200 OK", &next, &index(&[]));
    let broken = referrers(script).await;
    assert!(matches!(broken, Err(Error::NotFound { .. })), "{broken:?}");
}

#[tokio::test]
async fn a_registry_that_is_busy_is_not_one_without_tokens() {
    for status in ["429 Too Many", "503 Busy"] {
        let script = Script::default().on(API, status, "", b"");
        let error = referrers(script).await.unwrap_err();
        assert!(
            matches!(error, Error::Authenticate { .. }),
            "{status}: {error}"
        );
    }
}

#[tokio::test]
async fn a_referrer_of_something_else_is_none_of_ours() {
    let other = referrer(b"1", Descriptor::of(media::MANIFEST, b"another image"));
    let script = Script::default()
        .on(&list(), "200 OK", INDEX, &index(&[&other]))
        .manifest(&other);
    assert_eq!(referrers(script).await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_registry_without_the_list_is_asked_for_the_tag() {
    let one = referrer(b"1", subject());
    let tag = Tag::of_digest(&subject().digest, "").unwrap();
    for status in [
        "404 Not Found",
        "400 Bad Request",
        "405 Method Not Allowed",
        "406 Not Acceptable",
    ] {
        let script = Script::default()
            .on(&list(), status, "", b"<html>")
            .on(
                &format!("manifests/{tag}"),
                "200 OK",
                INDEX,
                &index(&[&one]),
            )
            .manifest(&one);
        assert_eq!(
            referrers(script).await.unwrap(),
            [Digest::of(&one)],
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_error_is_never_no_referrers() {
    for status in [
        "401 Unauthorized",
        "403 Forbidden",
        "429 Too Many",
        "500 Oh",
        "503 Busy",
    ] {
        let script = Script::default().on(&list(), status, "", b"");
        let error = referrers(script).await.unwrap_err();
        assert!(matches!(error, Error::Status { .. }), "{status}: {error}");
    }
    let tag = Tag::of_digest(&subject().digest, "").unwrap();
    let script = Script::default().on(&format!("manifests/{tag}"), "500 Oh", "", b"");
    assert!(matches!(referrers(script).await, Err(Error::Status { .. })));
    let one = referrer(b"1", subject());
    let script = Script::default().on(&list(), "200 OK", INDEX, &index(&[&one]));
    assert!(matches!(
        referrers(script).await,
        Err(Error::NotFound { .. })
    ));
}

/// A list that holds all the evidence must not seem empty because a proxy answers in its place.
#[tokio::test]
async fn a_list_that_cannot_be_read_is_no_list_and_no_absence() {
    for (headers, body) in [
        ("Content-Type: text/html\r\n", &b"<html>"[..]),
        ("", b"<html>"),
        ("Content-Type: application/json\r\n", b"null"),
        (INDEX, b"{}{}"),
        (INDEX, br#"{"errors":[]}"#),
    ] {
        let script = Script::default().on(&list(), "200 OK", headers, body);
        let error = referrers(script).await.unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }), "{error}");
    }
    let script = Script::default().on(&list(), "200 OK", "", &index(&[]));
    assert_eq!(referrers(script).await.unwrap(), []);
}

#[tokio::test]
async fn a_flood_of_referrers_is_cut_off() {
    let mut script = Script::default();
    let mut manifests = Vec::new();
    for count in 0..6_u8 {
        let mut manifest = Manifest::parse(&referrer(&[count], subject())).unwrap();
        let filler = "x".repeat(3 << 20);
        manifest.annotations.insert("filler".to_owned(), filler);
        manifests.push(manifest.to_bytes().unwrap());
    }
    for manifest in &manifests {
        script = script.manifest(manifest);
    }
    let listed: Vec<_> = manifests.iter().map(Vec::as_slice).collect();
    let script = script.on(&list(), "200 OK", INDEX, &index(&listed));
    let limit = content::limits::REFERRERS_TOTAL;
    let error = referrers(script).await.unwrap_err();
    assert!(
        matches!(error, Error::Limit { limit: l, .. } if l == limit),
        "{error}"
    );
}

#[tokio::test]
async fn no_referrer_is_pushed_where_there_is_no_room() {
    let others: Vec<_> = (0..content::limits::REFERRERS)
        .map(|n| referrer(format!("{n}").as_bytes(), subject()))
        .collect();
    let listed: Vec<_> = others.iter().map(Vec::as_slice).collect();
    let script = Script::default().on(&list(), "200 OK", INDEX, &index(&listed));
    let one_more = Manifest::new(Descriptor::of(media::CONFIG, b"one more"), Vec::new());
    let one_more = Manifest {
        subject: Some(subject()),
        ..one_more
    };
    // Pushing is not in the script: it would be another error.
    let pushed = script.serve().await.attach_referrer(one_more).await;
    assert!(matches!(pushed, Err(Error::Entries { .. })), "{pushed:?}");
}

#[tokio::test]
async fn pages_end_and_stay_with_the_registry() {
    let endless = format!("{INDEX}Link: </v2/a/b/{}>; rel=\"next\"\r\n", list());
    let script = Script::default().on(&list(), "200 OK", &endless, &index(&[]));
    assert!(matches!(
        referrers(script).await,
        Err(Error::Entries { .. })
    ));
    let away = format!("{INDEX}Link: <http://127.0.0.1:1/>; rel=\"next\"\r\n");
    let script = Script::default().on(&list(), "200 OK", &away, &index(&[]));
    assert!(matches!(referrers(script).await, Err(Error::Header { .. })));
    let one = referrer(b"1", subject());
    let many = vec![&one[..]; content::limits::REFERRERS + 1];
    let script = Script::default().on(&list(), "200 OK", INDEX, &index(&many));
    assert!(matches!(
        referrers(script).await,
        Err(Error::Entries { .. })
    ));
}

#[tokio::test]
async fn content_is_what_was_asked_for() {
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
        assert!(matches!(by_digest, Error::Foreign { .. }), "{by_digest}");
        let by_tag = registry.manifest_by_tag(&tag).await.unwrap_err();
        assert!(matches!(by_tag, Error::Foreign { .. }), "{by_tag}");
    }
    let blob = Descriptor::of(media::CONFIG, b"pushed");
    let script = Script::default().on(&format!("blobs/{digest}"), "200 OK", html, b"Sign in");
    let error = script.serve().await.blob(&blob, 100).await.unwrap_err();
    assert!(
        matches!(&error, Error::Foreign { found, .. } if found == "\"text/html\""),
        "{error}"
    );
}

/// Never silent for long, and never done; but for `/v2/`, where clients first ask for a challenge.
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
            false => 4_000_000,
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        while length > 0 && stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_trickles_is_given_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(trickle(stream));
        }
    });
    let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    let (started, an_hour) = (Instant::now(), Duration::from_secs(3600));
    let asked = tokio::time::timeout(an_hour, registry.manifest(&Digest::of(b"pushed"))).await;
    let error = asked.unwrap().unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    assert!(started.elapsed() >= Duration::from_secs(60));
}

/// Without a length in front, a body is cut off where it grows too long.
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
async fn what_a_registry_says_is_repeated_fit_to_print() {
    let body = br#"{"errors":[{"code":"DENIED","message":"go\u001b[2J \u202eaway"}]}"#;
    let script = Script::default().on("manifests/v1", "403 Forbidden", "", body);
    let tag = "v1".parse().unwrap();
    let error = script.serve().await.resolve(&tag).await.unwrap_err();
    let text = error.to_string();
    let told = r"status 403: DENIED go\u{1b}[2J \u{202e}away";
    assert!(text.ends_with(told), "{text}");
}
