//! Images that were saved in a layout, with the signatures and statements beside them.

#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "../case/mod.rs"]
mod case;
mod docker;
mod others;
mod store;

use case::{Case, FILES, failures, stored};
use content::Digest;
use oci::{Descriptor, Manifest, media};
use serde_json::json;
use store::{KIND, NAME, Store, annotated, carriers, open, passes, published};
use verifier::published::Carrier;
use verifier::report::detail;

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
    let words = passes(case, published);
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
    let expected = Some("check that it is a complete OCI image layout");
    assert_eq!(error.hint(), expected, "{error}");
    std::fs::remove_dir_all(store.dir.path().join("blobs")).unwrap();
    let error = published(&saved).unwrap_err();
    assert_eq!(error.hint(), expected, "{error}");
}

/// It may be a signature, whichever image is chosen.
#[test]
fn an_entry_that_cannot_be_read_is_an_error() {
    let mut store = Store::new();
    let other = Descriptor::of(media::MANIFEST, b"other");
    let path = store.layout.blob_path(&other.digest);
    store.listed.push(other);
    let chosen = format!("@{}", store.image.digest);
    assert!(store.open(&chosen).is_ok());
    std::fs::create_dir(path).unwrap();
    let error = store.open(&chosen).err().unwrap().to_string();
    assert!(error.contains("reading content"), "{error}");
}

#[test]
fn one_of_several_images_is_chosen() {
    let mut store = Store::new();
    let one = annotated(store.image.clone(), NAME, "one");
    let other = stored(&[("workload", b"another program")]);
    let two = store.layout.write_blob(media::MANIFEST, &other.manifest);
    let name = "docker.io/library/a:two";
    let two = annotated(two.unwrap(), "io.containerd.image.name", name);
    store.listed = vec![one.clone(), two.clone()];
    let chosen = |rest: &str| store.open(rest).map(|saved| saved.image());
    assert_eq!(chosen(":one").unwrap(), one.digest);
    for name in ["docker.io/library/a:two", "library/a:two", "a:two"] {
        assert_eq!(chosen(&format!(":{name}")).unwrap(), two.digest);
    }
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
