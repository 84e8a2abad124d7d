//! Push, pull, referrers and legacy tags against Debian's `docker-registry`.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod credentials;
mod referrers;
#[path = "../server/mod.rs"]
mod server;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use content::{Digest, limits};
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{
    Config, Descriptor, Execution, Index, Layout, Manifest, Repository, RootFs, Tag, Target, media,
};
use oci_client::Reference;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use remote::{Attached, Authorities, Error, Referrers, Registry, Transport};
use server::Server;

fn connect(server: &Server, path: &str) -> Registry {
    Registry::connect(&server.repository(path), &Transport::PlainHttp).unwrap()
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A layout whose one layer holds a file of `size` bytes that no reader could guess.
fn layout(dir: &Path, size: usize) -> Layout {
    let layout = Layout::create(dir).unwrap();
    let bytes = (0..size).map(|n| (n * n % 251) as u8).collect();
    let kind = Kind::File {
        content: Content::Bytes(bytes),
        executable: Executable::Yes,
    };
    let path = "workload".parse().unwrap();
    let (layer, written) = layout.write_layer([Entry { path, kind }]).unwrap();
    let config = Config {
        architecture: "amd64".into(),
        os: "linux".into(),
        config: Execution::default(),
        rootfs: RootFs::of_layers(vec![written.diff_id]),
        ..Config::default()
    };
    let config = layout
        .write_blob(media::CONFIG, &config.to_bytes().unwrap())
        .unwrap();
    let manifest = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    layout
        .set_image(&layout.write_blob(media::MANIFEST, &manifest).unwrap())
        .unwrap();
    layout
}

#[tokio::test]
async fn a_pushed_layout_comes_back() {
    let Some(server) = Server::start("a_pushed_layout_comes_back", "") else {
        return;
    };
    let registry = connect(&server, "builder/workload");
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(dir.path(), 3_000_000);
    let expected = layout.image().unwrap();
    let target = Target::Tag(tag("v1"));
    let digest = registry.push_layout(&layout, &target).await.unwrap();
    assert_eq!(digest, expected.image_digest());
    assert_eq!(
        registry
            .push_layout(&layout, &Target::Digest(digest))
            .await
            .unwrap(),
        digest
    );

    let found = registry.resolve(&tag("v1")).await.unwrap().unwrap();
    assert_eq!(
        found,
        Descriptor::of(media::MANIFEST, expected.manifest_bytes())
    );
    assert_eq!(registry.image(&digest).await.unwrap(), expected);
    let layer = &expected.manifest().layers[0];
    let pulled = dir.path().join("pulled");
    registry.blob_to(layer, &pulled).await.unwrap();
    assert_eq!(
        fs::read(&pulled).unwrap(),
        layout.read_blob(layer, limits::LAYER).unwrap()
    );
    let other = Target::Digest(Digest::of(b"other"));
    let empty = connect(&server, "a/c");
    let error = empty.push_layout(&layout, &other).await.unwrap_err();
    let refused = format!(
        "@{}: the manifest has the digest {}",
        Digest::of(b"other"),
        digest
    );
    assert!(error.to_string().ends_with(&refused), "{error}");
    let sent = empty.blob(layer, limits::LAYER).await.unwrap_err();
    assert!(matches!(sent, Error::NotFound { .. }), "{sent}");
}

#[tokio::test]
async fn absence_is_not_an_error_and_errors_are_not_absence() {
    let Some(server) = Server::start("absence_is_not_an_error_and_errors_are_not_absence", "")
    else {
        return;
    };
    let registry = connect(&server, "nothing/here");
    let digest = Digest::of(b"nothing");
    assert_eq!(registry.resolve(&tag("v1")).await.unwrap(), None);
    assert_eq!(registry.manifest_by_tag(&tag("v1")).await.unwrap(), None);
    assert_eq!(
        registry.referrers(&digest).await.unwrap(),
        Referrers::default()
    );
    let error = registry.manifest(&digest).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let blob = Descriptor::of(media::CONFIG, b"nothing");
    let error = registry.blob(&blob, 100).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    drop(server);
    let error = registry.resolve(&tag("v1")).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    let error = registry.referrers(&digest).await.unwrap_err();
    assert!(matches!(error, Error::Transport { .. }), "{error}");
}

#[tokio::test]
async fn a_changed_byte_is_found() {
    let Some(server) = Server::start("a_changed_byte_is_found", "") else {
        return;
    };
    let registry = connect(&server, "a/b");
    let blob = registry.push_blob(media::CONFIG, b"content").await.unwrap();
    assert_eq!(registry.blob(&blob, 7).await.unwrap(), b"content");
    let over = registry.blob(&blob, 6).await.unwrap_err();
    assert!(matches!(over, Error::Limit { limit: 6, .. }), "{over}");

    fs::write(server.blob(&blob.digest), b"c0ntent").unwrap();
    let error = registry.blob(&blob, 7).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blob");
    let error = registry.blob_to(&blob, &path).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    let lie = Descriptor { size: 6, ..blob };
    let error = registry.blob(&lie, 100).await.unwrap_err();
    assert!(
        matches!(error, Error::SizeMismatch { expected: 6, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_differs_from_its_descriptor_is_not_pushed() {
    let Some(server) = Server::start("a_file_that_is_another_one_is_not_pushed", "") else {
        return;
    };
    let registry = connect(&server, "a/b");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blob");
    for (content, described) in [
        (&b"content"[..], &b"c0ntent"[..]),
        (b"content", b"content, and more"),
        (b"content, and more", b"content"),
    ] {
        fs::write(&path, content).unwrap();
        let blob = Descriptor::of(media::CONFIG, described);
        let error = registry.push_blob_file(&path, &blob).await.unwrap_err();
        let refused = format!("uploading {}: checking content: expected ", path.display());
        assert!(error.to_string().starts_with(&refused), "{error}");
        let error = registry.blob(&blob, 100).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
    fs::write(&path, vec![7; 1_000_000]).unwrap();
    let blob = Descriptor::of(media::CONFIG, &vec![7; 1_000_000]);
    registry.push_blob_file(&path, &blob).await.unwrap();
    assert_eq!(
        registry.blob(&blob, blob.size).await.unwrap(),
        vec![7; 1_000_000]
    );
}

/// `oci-client` reads an image that this crate pushed, and the other way round.
#[tokio::test]
async fn another_client_agrees() {
    let Some(server) = Server::start("another_client_agrees", "") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(dir.path(), 100_000);
    let image = layout.image().unwrap();
    let ours = connect(&server, "ours/image");
    let target = Target::Tag(tag("v1"));
    let digest = ours.push_layout(&layout, &target).await.unwrap();

    let client = oci_client::Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let anonymous = RegistryAuth::Anonymous;
    let reference = |path: &str| -> Reference {
        let repository = server.repository(path);
        format!("{repository}:v1").parse().unwrap()
    };
    let types = vec![media::LAYER_GZIP];
    let pulled = client
        .pull(&reference("ours/image"), &anonymous, types)
        .await;
    let pulled = pulled.unwrap();
    assert_eq!(pulled.digest, Some(digest.to_string()));
    assert_eq!(pulled.config.data, image.config_bytes());

    let there = reference("theirs/image");
    let manifest = pulled.manifest.clone();
    let pushed = client.push(&there, &pulled.layers, pulled.config, &anonymous, manifest);
    pushed.await.unwrap();
    let theirs = connect(&server, "theirs/image");
    let found = theirs.resolve(&tag("v1")).await.unwrap().unwrap();
    let found = theirs.image(&found.digest).await.unwrap();
    assert_eq!(found.manifest().layers, image.manifest().layers);
    assert_eq!(found.config_bytes(), image.config_bytes());
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_named() {
    let test = "a_private_authority_is_trusted_when_named";
    let dir = tempfile::tempdir().unwrap();
    if !certify(dir.path()) {
        testkit::skip(test, "openssl is not installed");
        return;
    }
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let tls = format!("  tls: {{certificate: {certificate}, key: {key}}}\n");
    let Some(server) = Server::start(test, &tls) else {
        return;
    };
    let repository = server.repository("a/b");
    let extra_ca = Authorities::read(&dir.path().join("ca.pem")).await;
    let extra_ca = Some(extra_ca.unwrap());
    let trusting = Registry::connect(&repository, &Transport::Https { extra_ca }).unwrap();
    let layout_dir = tempfile::tempdir().unwrap();
    let target = Target::Tag(tag("v1"));
    let layout = layout(layout_dir.path(), 1000);
    trusting.push_layout(&layout, &target).await.unwrap();
    assert!(trusting.resolve(&tag("v1")).await.unwrap().is_some());
    let strict = Registry::connect(&repository, &Transport::Https { extra_ca: None }).unwrap();
    let error = strict.resolve(&tag("v1")).await.unwrap_err();
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
}

fn certify(dir: &Path) -> bool {
    let script = "set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test -keyout ca.key -out ca.pem
openssl req -newkey rsa:2048 -nodes -subj /CN=registry -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out server.pem";
    let output = Command::new("sh")
        .args(["-c", script])
        .current_dir(dir)
        .output();
    output.is_ok_and(|output| output.status.success())
}
