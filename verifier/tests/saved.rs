//! Images that were saved in a layout, with the signatures and statements beside them.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod case;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use case::{Case, FILES, REPOSITORY, failures, sealed, statement, stored};
use content::Digest;
use oci::{Descriptor, ImageRef, Index, Layout, Manifest, media};
use serde_json::json;
use signature::bundle::Bundle;
use verifier::collect::{Location, Named, Place, Saved, collect};
use verifier::error::Error;
use verifier::published::{Carrier, Published};
use verifier::report::detail;
use verifier::verdict::Verdict;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const NAME: &str = "org.opencontainers.image.ref.name";
const KIND: &str = "kind";

/// A layout that is being written.
struct Store {
    dir: tempfile::TempDir,
    layout: Layout,
    listed: Vec<Descriptor>,
    image: Descriptor,
}

fn annotated(mut descriptor: Descriptor, key: &str, value: &str) -> Descriptor {
    let annotations = [(key.to_owned(), value.to_owned())];
    descriptor.annotations = BTreeMap::from(annotations);
    descriptor
}

impl Store {
    /// A layout with the image of the passing case.
    fn new() -> Self {
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

    fn write(&self, manifest: &Manifest) -> Descriptor {
        let bytes = manifest.to_bytes().unwrap();
        self.layout.write_blob(media::MANIFEST, &bytes).unwrap()
    }

    /// A manifest of legacy layers, as cosign writes them: its config is an image's.
    fn legacy(&self, layers: Vec<Descriptor>) -> Descriptor {
        let config = self.layout.write_blob(media::CONFIG, b"{}").unwrap();
        self.write(&Manifest::new(config, layers))
    }

    fn refer(&self, artifact_type: &str, layer: Descriptor) -> Descriptor {
        let manifest = Manifest::referrer(artifact_type, layer, self.image.clone());
        self.write(&manifest)
    }

    /// The legacy signature and statements of the builder.
    fn legacy_evidence(&self, case: &Case) -> [Descriptor; 2] {
        let key = &case.keys.builder;
        let digest = &self.image.digest;
        let payload = signature::simple_signing::payload(REPOSITORY, digest, key.public());
        let payload = payload.unwrap();
        let signature = STANDARD.encode(key.sign(&payload).unwrap());
        let layer = self.layout.write_blob(media::SIMPLE_SIGNING, &payload);
        let signed = annotated(layer.unwrap(), SIGNATURE, &signature);
        let statements = case::honest_predicates().map(|(kind, value)| {
            let payload = statement(REPOSITORY, digest, kind, value);
            let bytes = sealed(key, payload).to_bytes().unwrap();
            let layer = self.layout.write_blob(media::DSSE_ENVELOPE, &bytes);
            annotated(layer.unwrap(), SIGNATURE, "")
        });
        [self.legacy(vec![signed]), self.legacy(statements.to_vec())]
    }

    /// A bundle of the builder as a referrer, with a wrong artifact type.
    fn bundles(&self, case: &Case) {
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

    fn finish(&self) -> &Path {
        let index = Index::new(self.listed.clone()).to_bytes().unwrap();
        std::fs::write(self.dir.path().join("index.json"), index).unwrap();
        self.dir.path()
    }

    fn open(&self, rest: &str) -> Result<Saved, Error> {
        open(&format!("oci:{}{rest}", self.finish().display()))
    }

    fn published(&self) -> Published {
        published(&self.open("").unwrap()).unwrap()
    }
}

fn open(text: &str) -> Result<Saved, Error> {
    Saved::open(&location(text))
}

fn location(text: &str) -> Location {
    match text.parse().unwrap() {
        Named::Saved(location) => location,
        Named::Registry(reference) => panic!("{reference}"),
    }
}

fn published(saved: &Saved) -> Result<Published, Error> {
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

fn carriers(published: &Published) -> Vec<Carrier> {
    let pieces = published.pieces.iter();
    let mut carriers: Vec<_> = pieces.map(|piece| piece.carrier.clone()).collect();
    carriers.dedup();
    carriers
}

#[track_caller]
fn passes(mut case: Case, published: Published) {
    case.published = published;
    let verdict = case.verdict();
    assert!(
        matches!(verdict, Verdict::Pass(_)),
        "{:#?}",
        failures(&verdict)
    );
}

#[test]
fn what_cosign_2_saves_is_read() {
    let case = Case::bare();
    let mut store = Store::new();
    let [signatures, statements] = store.legacy_evidence(&case);
    let digests = [signatures.digest, statements.digest];
    for (entry, kind) in [(signatures, "sigs"), (statements, "atts")] {
        let kind = format!("dev.cosignproject.cosign/{kind}");
        store.listed.push(annotated(entry, KIND, &kind));
    }
    let published = store.published();
    assert_eq!(carriers(&published), digests.map(Carrier::Listed));
    let mut case = case;
    case.published = published;
    let verdict = case.verdict();
    let words: Vec<_> = verdict.findings().iter().map(detail).collect();
    let words = words.join("\n");
    assert!(matches!(verdict, Verdict::Pass(_)), "{words}");
    assert!(words.contains("a saved image has no repository"), "{words}");
    // Where a registry has them is not known.
    assert!(!words.contains("will not count"), "{words}");
}

#[test]
fn what_cosign_3_saves_is_read() {
    let case = Case::bare();
    let store = Store::new();
    store.bundles(&case);
    let published = store.published();
    let is_referrer = |carrier: &Carrier| matches!(carrier, Carrier::Referrer(_));
    let carriers = carriers(&published);
    assert!(carriers.len() == 3 && carriers.iter().all(is_referrer));
    passes(case, published);
}

/// skopeo, oras and regctl list what they copy by its tag, or without any name.
#[test]
fn what_other_clients_copy_is_read() {
    let case = Case::bare();
    let mut store = Store::new();
    let [signatures, statements] = store.legacy_evidence(&case);
    store.listed[0] = annotated(store.image.clone(), NAME, "v1");
    let hex = store.image.digest.hex();
    let tags = [".sig", ".att"].map(|suffix| format!("sha256-{hex}{suffix}"));
    let listed = [signatures, statements].into_iter().zip(&tags);
    let listed = listed.map(|(entry, tag)| annotated(entry, NAME, tag));
    store.listed.extend(listed);
    let layer = store.layout.write_blob("text/spdx", b"x").unwrap();
    let referrer = store.refer("text/spdx", layer);
    store.listed.push(referrer);
    let published = store.published();
    assert_eq!(carriers(&published), tags.map(Carrier::Tag));
    passes(case, published);
}

#[test]
fn evidence_of_another_image_is_not_read() {
    let case = Case::bare();
    let mut store = Store::new();
    let other = Descriptor::of(media::MANIFEST, b"other");
    let [signatures, _] = store.legacy_evidence(&case);
    let tag = format!("sha256-{}.sig", other.digest.hex());
    store.listed.push(annotated(signatures, NAME, &tag));
    let layer = store.layout.write_blob(media::SIGSTORE_BUNDLE, b"{}");
    store.write(&Manifest::referrer(
        media::SIGSTORE_BUNDLE,
        layer.unwrap(),
        other,
    ));
    let published = store.published();
    assert!(published.pieces.is_empty(), "{:?}", published.pieces);
    assert!(published.damage.is_empty(), "{:?}", published.damage);
}

/// The digest in `index.json` is only a claim: cosign does not compare the image with it.
#[test]
fn the_image_is_compared_with_its_digest() {
    for part in ["manifest", "config", "layer"] {
        let case = Case::bare();
        let store = Store::new();
        store.bundles(&case);
        let stored = stored(&FILES);
        let (bytes, name) = match part {
            "manifest" => (stored.manifest, "manifest: "),
            "config" => (stored.config, "config: "),
            _ => (stored.layer, "layer 0: "),
        };
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        let path = store.layout.blob_path(&Digest::of(&bytes));
        std::fs::write(path, &changed).unwrap();
        let mut case = case;
        case.published = store.published();
        let verdict = case.verdict();
        let named = |finding: &&verifier::finding::Finding| detail(finding).starts_with(name);
        assert!(failures(&verdict).iter().any(named), "{part}: {verdict:#?}");
    }
}

#[test]
fn changed_evidence_is_damage() {
    let case = Case::bare();
    let mut store = Store::new();
    let [signatures, _] = store.legacy_evidence(&case);
    let kind = "dev.cosignproject.cosign/sigs";
    store.listed.push(annotated(signatures.clone(), KIND, kind));
    store.bundles(&case);
    let whole = store.published();
    let referrers: Vec<_> = carriers(&whole)
        .into_iter()
        .filter_map(|carrier| match carrier {
            Carrier::Referrer(digest) => Some(digest),
            _ => None,
        })
        .collect();
    for digest in referrers.into_iter().chain([signatures.digest]) {
        let path = store.layout.blob_path(&digest);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&bytes[..], b" "].concat()).unwrap();
        let damage = store.published().damage;
        assert_eq!(damage.len(), 1, "{damage:?}");
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(store.published().damage.is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let store = Store::new();
    let saved = store.open("").unwrap();
    let config = Digest::of(&stored(&FILES).config);
    std::fs::remove_file(store.layout.blob_path(&config)).unwrap();
    let error = published(&saved).unwrap_err();
    assert!(matches!(error, Error::Layout { .. }), "{error}");
    std::fs::remove_dir_all(store.dir.path().join("blobs")).unwrap();
    let error = published(&saved).unwrap_err();
    assert!(matches!(error, Error::Layout { .. }), "{error}");
}

#[test]
fn one_of_several_images_is_chosen() {
    let mut store = Store::new();
    let one = annotated(store.image.clone(), NAME, "one");
    let other = stored(&[("workload", b"another program")]);
    let two = store.layout.write_blob(media::MANIFEST, &other.manifest);
    let two = annotated(two.unwrap(), "io.containerd.image.name", "r.example/a:two");
    store.listed = vec![one.clone(), two.clone()];
    let chosen = |rest: &str| store.open(rest).map(|saved| saved.image());
    assert_eq!(chosen(":one").unwrap(), one.digest);
    assert_eq!(chosen(":r.example/a:two").unwrap(), two.digest);
    assert_eq!(chosen(&format!("@{}", two.digest)).unwrap(), two.digest);
    for (rest, reason) in [
        ("", "it has several images: sha256:"),
        (":three", "no image is named \"three\""),
    ] {
        let error = chosen(rest).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let absent = Digest::of(b"absent");
    let saved = store.open(&format!("@{absent}")).unwrap();
    let error = published(&saved).unwrap_err().to_string();
    assert!(error.starts_with("fetching manifest: "), "{error}");
}

/// An entry is the image if its manifest is, however it is annotated.
#[test]
fn an_annotation_does_not_hide_an_image() {
    let mut store = Store::new();
    let other = stored(&[("workload", b"another program")]);
    let other = store.layout.write_blob(media::MANIFEST, &other.manifest);
    let kind = "dev.cosignproject.cosign/sigs";
    store.listed.push(annotated(other.unwrap(), KIND, kind));
    let error = store.open("").err().unwrap().to_string();
    assert!(error.contains("it has several images"), "{error}");
}

#[test]
fn a_flood_of_referrers_is_damage() {
    let store = Store::new();
    for number in 0..=content::limits::REFERRERS {
        let layer = Descriptor::of("text/plain", number.to_string().as_bytes());
        store.refer("text/plain", layer);
    }
    let damage = store.published().damage;
    assert_eq!(damage.len(), 1, "{damage:?}");
}

#[test]
fn a_referrer_that_cannot_be_read_is_a_note() {
    let store = Store::new();
    let text = json!({"schemaVersion": 2, "subject": {"digest": store.image.digest}});
    let text = text.to_string().into_bytes();
    let referrer = store.layout.write_blob(media::MANIFEST, &text).unwrap();
    let published = store.published();
    let [note] = &published.passed_over[..] else {
        panic!("{:?}", published.passed_over);
    };
    assert!(note.contains(&referrer.digest.to_string()), "{note}");
    assert!(published.damage.is_empty());
}

#[test]
fn an_archive_is_read_as_its_layout() {
    let case = Case::bare();
    let store = Store::new();
    store.bundles(&case);
    let dir = store.finish();
    let place = tempfile::tempdir().unwrap();
    for name in ["plain.tar", "gzip.tar.gz"] {
        let path = place.path().join(name);
        let mut tar = std::process::Command::new("tar");
        tar.arg("-C").arg(dir).arg("-caf").arg(&path).arg(".");
        assert!(tar.status().unwrap().success());
        let saved = open(&format!("oci-archive:{}", path.display())).unwrap();
        passes(Case::bare(), published(&saved).unwrap());
    }
    let path = place.path().join("plain.tar");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = open(&format!("oci-archive:{}", path.display()));
    let error = error.err().unwrap().to_string();
    assert!(error.contains("reading archive"), "{error}");
}
