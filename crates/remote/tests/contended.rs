//! Concurrent writers of one tag, in a registry that answers slowly and keeps no list of referrers.
//! No writer's entry is lost.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use content::Digest;
use oci::{Descriptor, Index, Manifest, Tag, media};
use remote::{Registry, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const WRITERS: usize = 12;
/// Rounds that run at the same time, each with its own tag.
const ROUNDS: usize = 8;

/// A registry of manifests by path. It answers that it has every blob, so that none is uploaded.
#[derive(Default)]
struct Shelf(Mutex<HashMap<String, Vec<u8>>>);

impl Shelf {
    async fn serve() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Arc::new(Self::default());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(shelf.clone().speak(stream));
            }
        });
        format!("127.0.0.1:{port}/a/b")
    }

    async fn speak(self: Arc<Self>, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some((line, body)) = read_request(&mut stream).await {
            let answer = self.answer(&line, body);
            // Long enough for other writers to read the manifest before it is overwritten.
            tokio::time::sleep(Duration::from_millis(10)).await;
            if stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, line: &str, body: Vec<u8>) -> Vec<u8> {
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let mut shelf = self.0.lock().unwrap();
        match (method, shelf.get(path)) {
            ("HEAD", _) if path.contains("/blobs/") => reply("200 OK", b""),
            ("PUT", _) => {
                shelf.insert(path.to_owned(), body);
                reply("201 Created", b"")
            }
            (_, Some(manifest)) => reply("200 OK", manifest),
            (_, None) => reply("404 Not Found", b""),
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((first, body))
}

fn reply(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn connect(repository: &str) -> Registry {
    Registry::connect(&repository.parse().unwrap(), &Transport::PlainHttp).unwrap()
}

fn image(round: usize) -> Vec<u8> {
    format!("image {round}").into_bytes()
}

async fn all(mut writers: JoinSet<()>) {
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
}

#[tokio::test]
async fn no_signature_is_lost() {
    let repository = Shelf::serve().await;
    let tag = |round| Tag::of_digest(&Digest::of(&image(round)), ".sig").unwrap();
    let mut writers = JoinSet::new();
    for (round, writer) in (0..ROUNDS).flat_map(|r| (0..WRITERS).map(move |w| (r, w))) {
        let registry = connect(&repository);
        writers.spawn(async move {
            let payload = format!("payload {writer}").into_bytes();
            let layer = Descriptor::of(media::SIMPLE_SIGNING, &payload);
            let appended = registry.append_layer(&tag(round), layer, &payload).await;
            appended.unwrap();
        });
    }
    all(writers).await;
    let registry = connect(&repository);
    for round in 0..ROUNDS {
        let bytes = registry.manifest_by_tag(&tag(round)).await.unwrap();
        let manifest = Manifest::parse(&bytes.unwrap()).unwrap();
        assert_eq!(manifest.layers.len(), WRITERS, "round {round}");
    }
}

#[tokio::test]
async fn no_referrer_is_lost() {
    let repository = Shelf::serve().await;
    let mut writers = JoinSet::new();
    for (round, writer) in (0..ROUNDS).flat_map(|r| (0..WRITERS).map(move |w| (r, w))) {
        let registry = connect(&repository);
        writers.spawn(async move {
            let subject = Descriptor::of(media::MANIFEST, &image(round));
            let layer = Descriptor::of(media::SIGSTORE_BUNDLE, format!("{writer}").as_bytes());
            let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
            registry.attach_referrer(manifest).await.unwrap();
        });
    }
    all(writers).await;
    let registry = connect(&repository);
    for round in 0..ROUNDS {
        let tag = Tag::of_digest(&Digest::of(&image(round)), "").unwrap();
        let bytes = registry.manifest_by_tag(&tag).await.unwrap().unwrap();
        assert_eq!(Index::parse(&bytes).unwrap().manifests.len(), WRITERS);
    }
}
