//! Layouts that tests write.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use console::hint::Hinted;
use content::Digest;
use oci::{Descriptor, ImageRef, Index, Layout, Manifest, media};
use serde_json::json;
use signature::bundle::Bundle;
use verifier::collect::collect;
use verifier::error::Error;
use verifier::place::{Location, Named, Place, Saved};
use verifier::published::{Carrier, Published};
use verifier::report::detail;
use verifier::verdict::Verdict;

use crate::case::{self, Case, FILES, REPOSITORY, failures, sealed, statement, stored};

pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
pub const NAME: &str = "org.opencontainers.image.ref.name";
pub const KIND: &str = "kind";

/// A layout that is being written.
pub struct Store {
    pub dir: tempfile::TempDir,
    pub layout: Layout,
    pub listed: Vec<Descriptor>,
    pub image: Descriptor,
}

pub fn annotated(mut descriptor: Descriptor, key: &str, value: &str) -> Descriptor {
    let annotations = [(key.to_owned(), value.to_owned())];
    descriptor.annotations = BTreeMap::from(annotations);
    descriptor
}

impl Store {
    /// A layout with the image of the passing case.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        let stored = stored(&FILES);
        layout.write_blob(media::CONFIG, &stored.config).unwrap();
        layout.write_blob(media::LAYER_GZIP, &stored.layer).unwrap();
        let image = layout.write_blob(media::MANIFEST, &stored.manifest);
        let image = image.unwrap();
        Self {
            listed: vec![annotated(
                image.clone(),
                KIND,
                "dev.cosignproject.cosign/image",
            )],
            dir,
            layout,
            image,
        }
    }

    pub fn write(&self, manifest: &Manifest) -> Descriptor {
        let bytes = manifest.to_bytes().unwrap();
        self.layout.write_blob(media::MANIFEST, &bytes).unwrap()
    }

    /// A manifest of legacy layers, as cosign writes them: its config is an image's.
    pub fn legacy(&self, layers: Vec<Descriptor>) -> Descriptor {
        let config = self.layout.write_blob(media::CONFIG, b"{}").unwrap();
        self.write(&Manifest::new(config, layers))
    }

    pub fn refer(&self, artifact_type: &str, layer: Descriptor) -> Descriptor {
        let manifest = Manifest::referrer(artifact_type, layer, self.image.clone());
        self.write(&manifest)
    }

    /// The legacy signature and statements of the builder.
    pub fn legacy_evidence(&self, case: &Case) -> [Descriptor; 2] {
        let key = &case.keys.builder;
        let digest = &self.image.digest;
        let signed = self.signature(case, digest);
        let statements = case::honest_predicates().map(|(kind, value)| {
            let payload = statement(REPOSITORY, digest, kind, value);
            let bytes = sealed(key, payload).to_bytes().unwrap();
            let layer = self.layout.write_blob(media::DSSE_ENVELOPE, &bytes);
            annotated(layer.unwrap(), SIGNATURE, "")
        });
        [self.legacy(vec![signed]), self.legacy(statements.to_vec())]
    }

    /// The builder's signature over a digest, as a layer.
    pub fn signature(&self, case: &Case, digest: &Digest) -> Descriptor {
        let key = &case.keys.builder;
        let payload = signature::simple_signing::payload(
            REPOSITORY,
            digest,
            key.public(),
            &signature::Annotations::default(),
        );
        let payload = payload.unwrap();
        let signature = STANDARD.encode(key.sign(&payload).unwrap());
        let layer = self.layout.write_blob(media::SIMPLE_SIGNING, &payload);
        annotated(layer.unwrap(), SIGNATURE, &signature)
    }

    /// A bundle of the builder as a referrer, with a wrong artifact type.
    pub fn bundles(&self, case: &Case) {
        let key = &case.keys.builder;
        let signature = (attest::predicate::COSIGN_SIGN, json!({}));
        for (kind, value) in case::honest_predicates().into_iter().chain([signature]) {
            let payload = statement(REPOSITORY, &self.image.digest, kind, value);
            let bundle = Bundle::new(sealed(key, payload));
            let bytes = bundle.to_bytes(key.public()).unwrap();
            let layer = self.layout.write_blob(media::SIGSTORE_BUNDLE, &bytes);
            self.refer("text/plain", layer.unwrap());
        }
    }

    pub fn finish(&self) -> &Path {
        let index = Index::new(self.listed.clone()).to_bytes().unwrap();
        std::fs::write(self.dir.path().join("index.json"), index).unwrap();
        self.dir.path()
    }

    pub fn open(&self, rest: &str) -> Result<Saved, Hinted> {
        open(&format!("oci:{}{rest}", self.finish().display()))
    }

    pub fn published(&self) -> Published {
        published(&self.open("").unwrap()).unwrap()
    }
}

pub fn open(text: &str) -> Result<Saved, Hinted> {
    Saved::open(&location(text))
}

pub fn location(text: &str) -> Location {
    match text.parse().unwrap() {
        Named::Saved(location) => location,
        Named::Registry(reference) => panic!("{reference}"),
    }
}

pub fn published(saved: &Saved) -> Result<Published, Error> {
    let image = ImageRef {
        repository: REPOSITORY.parse().unwrap(),
        digest: saved.image(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(collect(Place::Saved(saved), &image))
}

pub fn carriers(published: &Published) -> Vec<Carrier> {
    let pieces = published.pieces.iter();
    let mut carriers: Vec<_> = pieces.map(|piece| piece.carrier.clone()).collect();
    carriers.dedup();
    carriers
}

/// Asserts that the verdict is a pass; returns the findings as text.
#[track_caller]
pub fn passes(mut case: Case, published: Published) -> String {
    case.published = published;
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        failures(&verdict)
    );
    let words: Vec<_> = verdict.findings().iter().map(detail).collect();
    words.join("\n")
}
