//! An image on a registry without the referrers API, with its signatures and attestations.
#![allow(dead_code, reason = "not every test asks for everything")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use attest::{Predicate, Provenance, Sbom};
use content::{Digest, limits};
use oci::{Descriptor, ImageRef, Manifest, Tag, Target, media};
use remote::{Registry, Transport};
use serde_json::{Value, json};
use signature::bundle::Bundle;
use signature::{Annotations, KeyType, PrivateKey};
use signer::{Access, KeyRef, Published, Signer, attest_image, sign_image};
use tempfile::TempDir;

#[path = "../../../remote/tests/server/mod.rs"]
mod server;

use server::Server;

pub struct World {
    pub folder: TempDir,
    _server: Server,
    pub registry: Registry,
    pub image: ImageRef,
}

/// The path of a program; `None`, reported as a skip, if it is not installed.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let go = std::env::home_dir().unwrap_or_default().join("go/bin");
    let mut folders = std::env::split_paths(&path).chain([go]);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()));
    if found.is_none() {
        testkit::skip("publish", format_args!("{name} is not installed"));
    }
    found
}

impl World {
    /// Starts a registry with one image; `None`, reported as a skip, if docker-registry is not installed.
    pub async fn new(test: &str) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let server = Server::start(test, "")?;
        let repository = server.repository("some/image");
        let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
        let digest = push(&registry).await;
        Some(Self {
            folder,
            _server: server,
            registry,
            image: ImageRef { repository, digest },
        })
    }

    pub async fn signer(&self, name: &str) -> Signer {
        self.signer_of(name, KeyType::P256).await
    }

    /// A signer with a key of this type, in the files NAME and NAME.pub.
    pub async fn signer_of(&self, name: &str, key_type: KeyType) -> Signer {
        let key = PrivateKey::generate_of(key_type).unwrap();
        let path = self.folder.path().join(name);
        fs::write(&path, key.to_pem().unwrap()).unwrap();
        fs::write(path.with_extension("pub"), key.public().to_pem()).unwrap();
        Signer::open(&KeyRef::File(path), Access::default())
            .await
            .unwrap()
    }

    pub async fn publish(&self, signer: &Signer) {
        let (registry, image) = (&self.registry, &self.image);
        let signed = sign_image(registry, image, signer, &Annotations::default()).await;
        assert_eq!(signed.unwrap(), Published::Listed);
        for (kind, predicate) in predicates() {
            let attested = attest_image(registry, image, signer, &kind, predicate).await;
            assert_eq!(attested.unwrap(), Published::Listed);
        }
    }

    /// The layers under a legacy tag, with their content.
    pub async fn layers(&self, suffix: &str) -> Vec<(Descriptor, Vec<u8>)> {
        let tag = Tag::of_digest(&self.image.digest, suffix).unwrap();
        let bytes = self.registry.manifest_by_tag(&tag).await.unwrap().unwrap();
        let mut layers = Vec::new();
        for layer in Manifest::parse(&bytes).unwrap().layers {
            let content = self.registry.blob(&layer, limits::STATEMENT).await.unwrap();
            layers.push((layer, content));
        }
        layers
    }

    async fn referrers(&self) -> Vec<(Digest, Manifest)> {
        let found = self.registry.referrers(&self.image.digest).await.unwrap();
        found.manifests
    }

    pub async fn bundles(&self) -> Vec<(Manifest, Bundle)> {
        let mut bundles = Vec::new();
        for (_, manifest) in self.referrers().await {
            let bytes = self
                .registry
                .blob(&manifest.layers[0], limits::BUNDLE)
                .await
                .unwrap();
            bundles.push((manifest, Bundle::parse(&bytes).unwrap()));
        }
        bundles
    }

    /// Everything that a reader can find, to compare before and after a change.
    pub async fn published(&self) -> Vec<String> {
        let mut found = Vec::new();
        for suffix in [".sig", ".att", ""] {
            let tag = Tag::of_digest(&self.image.digest, suffix).unwrap();
            let bytes = self.registry.manifest_by_tag(&tag).await.unwrap().unwrap();
            found.push(String::from_utf8(bytes).unwrap());
        }
        found
    }

    pub fn cosign(&self, cosign: &Path, key: &str, words: &[&str]) -> bool {
        let output = Command::new(cosign)
            .args(words)
            .args(["--insecure-ignore-tlog", "--allow-http-registry", "--key"])
            .arg(self.folder.path().join(key))
            .arg(self.image.to_string())
            .env("HOME", self.folder.path())
            .output()
            .unwrap();
        println!(
            "{words:?} {key}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.status.success()
    }
}

async fn push(registry: &Registry) -> Digest {
    let layer = b"not read here";
    let rootfs = json!({"diff_ids": [Digest::of(layer)], "type": "layers"});
    let config = json!({"architecture": "amd64", "config": {}, "os": "linux", "rootfs": rootfs});
    let config = config.to_string().into_bytes();
    let config = registry.push_blob(media::CONFIG, &config).await.unwrap();
    let layer = registry.push_blob(media::LAYER_GZIP, layer).await.unwrap();
    let bytes = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    let target = Target::Digest(Digest::of(&bytes));
    registry
        .push_manifest(&target, &bytes, media::MANIFEST)
        .await
        .unwrap()
}

pub fn predicates() -> [(Predicate, Value); 2] {
    let provenance = json!({
        "buildDefinition": {"buildType": "https://builder.example/v1", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://builder.example"}},
    });
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1});
    [(Provenance::PREDICATE, provenance), (Sbom::PREDICATE, sbom)]
}
