use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use oci::RootFs;
use serde_json::json;

use super::*;
use crate::inputs::store::Store;

type Blobs = BTreeMap<String, Vec<u8>>;

/// Serves blobs and manifests by digest, on loopback. Returns its address.
fn registry(blobs: Blobs) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let blobs = Arc::new(blobs);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, blobs) = (stream.unwrap(), Arc::clone(&blobs));
            std::thread::spawn(move || answer(stream, &blobs));
        }
    });
    address
}

/// Answers one request. HTTPS, which is tried first, is no request line.
fn answer(stream: TcpStream, blobs: &Blobs) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut first = Vec::new();
    stream.read_until(b'\n', &mut first).ok()?;
    let first = String::from_utf8(first).ok()?;
    let path = first.strip_prefix("GET ")?.split(' ').next()?;
    let mut header = String::new();
    while stream.read_line(&mut header).ok()? > 2 {
        header.clear();
    }
    let name = path.rsplit('/').next()?;
    let (status, body) = match (blobs.get(name), path) {
        (Some(body), _) => ("200 OK", &body[..]),
        (None, "/v2/") => ("200 OK", &b"{}"[..]),
        (None, _) => ("404 Not Found", &b"{}"[..]),
    };
    let kind = "application/octet-stream";
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let stream = stream.get_mut();
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}

fn put(blobs: &mut Blobs, bytes: Vec<u8>) -> Digest {
    let digest = Digest::of(&bytes);
    blobs.insert(digest.to_string(), bytes);
    digest
}

/// An image of two layers, as Docker writes it, and an index of it. Returns the digests of both.
fn image(blobs: &mut Blobs) -> (Digest, Digest) {
    let layers = [b"one".to_vec(), b"two".to_vec()];
    let config = Config {
        architecture: "amd64".to_owned(),
        os: "linux".to_owned(),
        rootfs: RootFs::of_layers(layers.iter().map(|layer| Digest::of(layer)).collect()),
        ..Config::default()
    };
    let config = config.to_bytes().unwrap();
    let described = |media_type: &str, bytes: &[u8]| json!({"mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len()});
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": described("application/vnd.docker.container.image.v1+json", &config),
        "layers": layers.each_ref().map(|layer| described(LAYERS[3].0, layer)),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut listed = described(
        "application/vnd.docker.distribution.manifest.v2+json",
        &manifest,
    );
    listed["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [listed],
    });
    layers.into_iter().chain([config]).for_each(|bytes| {
        put(blobs, bytes);
    });
    (
        put(blobs, manifest),
        put(blobs, index.to_string().into_bytes()),
    )
}

fn reference(address: &str, digest: Digest) -> ImageRef {
    format!("{address}/some/base@{digest}").parse().unwrap()
}

#[test]
fn a_base_is_locked_and_then_needs_no_registry() {
    let mut blobs = Blobs::new();
    let (manifest, index) = image(&mut blobs);
    let address = registry(blobs);
    for (top, has_index) in [(manifest, false), (index, true)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let supply = Supply::of(&store);
        let named = reference(&address, top);
        let locked = resolve(&named, "amd64", &supply).unwrap();
        assert_eq!(locked.index.is_some(), has_index);
        assert_eq!(locked.manifest.sha256, manifest);
        assert_eq!(locked.layers.len(), 2);
        // The same name, but a store that has it all: no request is needed.
        let found = gather(&named, &locked, "amd64", &supply).unwrap();
        assert_eq!((found.manifest, found.diff_ids.len()), (manifest, 2));
        assert_eq!(found.layers[0].0.media_type, media::LAYER_GZIP);
        assert_eq!(std::fs::read(&found.layers[1].1).unwrap(), b"two");
        let refused = gather(&named, &locked, "arm64", &supply)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("linux/"), "{refused}");
    }
}

#[test]
fn a_lock_of_another_base_is_refused() {
    let mut blobs = Blobs::new();
    let (manifest, index) = image(&mut blobs);
    let address = registry(blobs);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let supply = Supply::of(&store);
    let named = reference(&address, index);
    let locked = resolve(&named, "amd64", &supply).unwrap();
    let refused = |named: &ImageRef, locked: &LockedBase| {
        let error = gather(named, locked, "amd64", &supply).unwrap_err();
        assert_eq!(error.hint(), Some(crate::lock::AGAIN));
        error.to_string()
    };
    let without = LockedBase {
        index: None,
        ..locked.clone()
    };
    let expected = format!("checking Image.lock: base image: expected {manifest}, found {index}");
    assert_eq!(refused(&named, &without), expected);
    let mut fewer = locked.clone();
    fewer.layers.pop();
    let blobs = "checking Image.lock: base image: the manifest names other blobs";
    assert_eq!(refused(&named, &fewer), blobs);
    let mut longer = locked;
    longer.manifest.size += 1;
    let size = "checking Image.lock: base image: a document has another digest or size";
    assert_eq!(refused(&named, &longer), size);
}

#[test]
fn a_base_that_does_not_exist_is_named() {
    let address = registry(Blobs::new());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let named = reference(&address, Digest::of(b"nothing"));
    let error = resolve(&named, "amd64", &Supply::of(&store))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("fetching base image: "), "{error}");
}
