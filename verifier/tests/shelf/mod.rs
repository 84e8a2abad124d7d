//! A registry that serves what a test puts into it, good or bad.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use oci::{Descriptor, ImageRef, Index, Manifest, media};
use remote::{Registry, Transport};
use signature::PrivateKey;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use verifier::collect::collect;
use verifier::error::Error;
use verifier::place::Place;
use verifier::published::{Form, Published};

use crate::case;

/// Answers by path; anything else is not found. It remembers what it was asked for.
#[derive(Default)]
pub struct Shelf {
    pub answers: HashMap<String, Vec<u8>>,
    /// What requests without a token are answered with.
    challenge: Option<Vec<u8>>,
    asked: Mutex<Vec<String>>,
}

impl Shelf {
    pub fn put(&mut self, path: &str, kind: &str, body: &[u8]) {
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        self.answers.insert(format!("/v2/a/b/{path}"), answer);
    }

    /// Answers only requests with the token that [`Self::give_token`] gives, and names `realm` for it.
    pub fn demand_token(&mut self, realm: &str) {
        let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0";
        let challenge =
            format!("{head}\r\nWWW-Authenticate: Bearer realm=\"{realm}\",service=\"s\"\r\n\r\n");
        self.challenge = Some(challenge.into_bytes());
    }

    pub fn give_token(&mut self) {
        let path = "/token?scope=repository%3Aa%2Fb%3Apull&service=s".to_owned();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"t\"}".to_vec();
        self.answers.insert(path, answer);
    }

    pub fn blob(&mut self, media_type: &str, body: &[u8]) -> Descriptor {
        let descriptor = Descriptor::of(media_type, body);
        let path = format!("blobs/{}", descriptor.digest);
        self.put(&path, "application/octet-stream", body);
        descriptor
    }

    /// Attaches `layers` to the image under the tag for attestations.
    pub fn attest(&mut self, image: &ImageRef, layers: Vec<Descriptor>) {
        self.tag(image, "att", media::DSSE_ENVELOPE, layers);
    }

    /// Attaches a signature to the image under the tag for signatures.
    pub fn sign(&mut self, image: &ImageRef, key: &PrivateKey) -> Descriptor {
        let piece = case::legacy_signature(key, &image.repository.to_string(), &image.digest);
        let Form::SimpleSigning { signature } = piece.form else {
            unreachable!("the legacy layout is simple signing");
        };
        let mut layer = self.blob(media::SIMPLE_SIGNING, &piece.bytes);
        let name = "dev.cosignproject.cosign/signature".to_owned();
        layer.annotations.insert(name, signature);
        self.tag(image, "sig", media::SIMPLE_SIGNING, vec![layer.clone()]);
        layer
    }

    fn tag(&mut self, image: &ImageRef, suffix: &str, kind: &str, layers: Vec<Descriptor>) {
        let manifest = Manifest {
            artifact_type: Some(kind.to_owned()),
            ..Manifest::new(Descriptor::empty(), layers)
        };
        let path = format!("manifests/sha256-{}.{suffix}", image.digest.hex());
        self.put(&path, media::MANIFEST, &manifest.to_bytes().unwrap());
    }

    /// Attaches files of a package index to the image; returns their descriptors.
    pub fn refer(&mut self, image: &ImageRef, files: &[&[u8]]) -> Vec<Descriptor> {
        let layers = files.iter().map(|bytes| self.blob(media::OCTETS, bytes));
        let layers: Vec<_> = layers.collect();
        let subject = Descriptor::new(media::MANIFEST, image.digest, 7);
        let manifest = Manifest {
            artifact_type: Some(media::PACKAGE_INDEX.to_owned()),
            subject: Some(subject),
            ..Manifest::new(Descriptor::empty(), layers.clone())
        };
        let bytes = manifest.to_bytes().unwrap();
        let referrer = Descriptor::of(media::MANIFEST, &bytes);
        let path = format!("manifests/{}", referrer.digest);
        self.put(&path, media::MANIFEST, &bytes);
        let list = Index::new(vec![referrer]).to_bytes().unwrap();
        let path = format!("referrers/{}", image.digest);
        self.put(&path, media::INDEX, &list);
        layers
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
            let path = request.split(' ').nth(1).unwrap();
            self.asked.lock().unwrap().push(path.to_owned());
            let has_token = request
                .to_lowercase()
                .contains("authorization: bearer t\r\n");
            if let Some(challenge) = self.challenge.as_ref().filter(|_| !has_token) {
                stream.write_all(challenge).await.unwrap();
                continue;
            }
            let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
            let answer = self.answers.get(path).unwrap_or(&missing);
            stream.write_all(answer).await.unwrap();
        }
    }

    pub fn asked_for(&self, part: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|path| path.contains(part)).count()
    }
}

/// An image in a registry that is not yet served.
pub async fn image() -> (TcpListener, Shelf, ImageRef) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stored = case::stored(&case::FILES);
    let mut shelf = Shelf::default();
    let manifest = Descriptor::of(media::MANIFEST, &stored.manifest);
    let path = format!("manifests/{}", manifest.digest);
    shelf.put(&path, media::MANIFEST, &stored.manifest);
    shelf.blob(media::CONFIG, &stored.config);
    shelf.blob(media::LAYER_GZIP, &stored.layer);
    let image = format!("127.0.0.1:{port}/a/b@{}", manifest.digest);
    (listener, shelf, image.parse().unwrap())
}

pub fn serve(listener: TcpListener, shelf: Shelf) -> Arc<Shelf> {
    let shelf = Arc::new(shelf);
    let served = shelf.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(served.clone().speak(stream));
        }
    });
    shelf
}

pub async fn collected(
    listener: TcpListener,
    shelf: Shelf,
    image: &ImageRef,
) -> (Result<Published, Error>, Arc<Shelf>) {
    let shelf = serve(listener, shelf);
    let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
    (collect(Place::Registry(&registry), image).await, shelf)
}

/// The policy of all cases, for this image, and without attestations.
pub fn policy(image: &ImageRef) -> String {
    case::policy_text(&case::keys())
        .replace(case::REPOSITORY, &image.repository.to_string())
        .replace(r#"["provenance", "sbom"]"#, "[]")
}
