//! What is beside an image and is evidence of nothing by itself.

use oci::{Descriptor, Index, Layout, media};

use crate::case::Case;
use crate::store::{KIND, NAME, Store, annotated, open, passes, published};

const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// An index as BuildKit writes it: the image, and an attestation about it.
fn index(store: &Store) -> (Descriptor, Descriptor) {
    let layer = store
        .layout
        .write_blob("application/vnd.in-toto+json", b"{}");
    let attestation = store.legacy(vec![layer.unwrap()]);
    let mut listed = annotated(attestation.clone(), REFERENCE_TYPE, "attestation-manifest");
    let about = store.image.digest.to_string();
    listed
        .annotations
        .insert(REFERENCE_DIGEST.to_owned(), about);
    let index = Index::new(vec![store.image.clone(), listed]);
    let index = index.to_bytes().unwrap();
    let index = store.layout.write_blob(media::INDEX, &index).unwrap();
    (index, attestation)
}

#[test]
fn an_attestation_in_an_index_is_a_note() {
    let mut store = Store::new();
    store.bundles(&Case::bare());
    let (index, attestation) = index(&store);
    store.listed = vec![index.clone()];
    let note = format!(
        "attestation {} in the image index has no signature",
        attestation.digest
    );
    let saved = store.open(&format!("@{}", store.image.digest)).unwrap();
    let words = passes(Case::bare(), published(&saved).unwrap());
    assert!(words.contains(&note), "{words}");
    // The index is what the layout holds.
    let whole = store.open("").unwrap();
    assert_eq!(whole.image(), index.digest);
    let whole = published(&whole).unwrap();
    assert!(
        whole.passed_over[0].contains(&note),
        "{:?}",
        whole.passed_over
    );
    assert_eq!(whole.damage.len(), 1);
    assert!(whole.contents.is_none());
}

#[test]
fn a_legacy_bill_of_materials_is_a_note_that_names_its_signers() {
    let case = Case::bare();
    let mut store = Store::new();
    store.bundles(&case);
    let document = store.layout.write_blob("text/spdx+json", b"{}").unwrap();
    let bom = store.legacy(vec![document]);
    let signed = store.legacy(vec![store.signature(&case, &bom.digest)]);
    let other = store.legacy(vec![store.signature(&case, &store.image.digest)]);
    for (signatures, signers) in [
        (None, "no principal"),
        (Some(other), "no principal"),
        (Some(signed), "builder"),
    ] {
        store.listed.truncate(1);
        let tag = |digest: &content::Digest, suffix| format!("sha256-{}{suffix}", digest.hex());
        let listed = annotated(bom.clone(), NAME, &tag(&store.image.digest, ".sbom"));
        store.listed.extend([listed.clone(), listed]);
        let listed = signatures.map(|entry| annotated(entry, NAME, &tag(&bom.digest, ".sig")));
        store.listed.extend(listed);
        let published = store.published();
        assert_eq!(published.boms.len(), 1);
        let words = passes(Case::bare(), published);
        let note = format!("bill of materials of type text/spdx+json, signed by {signers}");
        assert!(words.contains(&note), "{words}");
    }
}

#[test]
fn other_layers_and_referrers_are_notes() {
    let case = Case::bare();
    let mut store = Store::new();
    store.bundles(&case);
    let layer = store.layout.write_blob("text/plain", b"x").unwrap();
    let referrer = store.refer(media::SIGSTORE_BUNDLE, layer.clone());
    let tag = format!("sha256-{}.att", store.image.digest.hex());
    let tagged = store.legacy(vec![layer]);
    store.listed.push(annotated(tagged, NAME, &tag));
    let error = store.open("").err().unwrap().to_string();
    assert!(error.contains("several images"), "{error}");
    store.listed.pop();
    let words = passes(case, store.published());
    let note = format!(
        "referrer {} has no signature or statement: its layers are text/plain",
        referrer.digest
    );
    assert!(words.contains(&note), "{words}");
}

/// Layouts of real images that `cosign save` wrote, with attestations by certificate.
#[test]
fn published_layouts_are_read() {
    let Some(vectors) = testkit::vectors("slsa-verifier-attestations") else {
        return;
    };
    let mut count = 0;
    for version in std::fs::read_dir(vectors.join("oci-layouts")).unwrap() {
        let path = version.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        for layout in std::fs::read_dir(path).unwrap() {
            let layout = layout.unwrap().path();
            if !layout.is_dir() {
                continue;
            }
            let saved = open(&format!("oci:{}", layout.display())).unwrap();
            let digest = std::fs::read_to_string(layout.with_extension("digest")).unwrap();
            assert_eq!(saved.image().to_string(), digest.trim());
            let published = published(&saved).unwrap();
            assert!(
                published
                    .pieces
                    .iter()
                    .all(|piece| piece.certified.is_some())
            );
            assert!(!published.pieces.is_empty());
            let listed = Layout::open(&layout).unwrap().index().unwrap().manifests;
            let is_index = |entry: &Descriptor| entry.annotations[KIND].ends_with("imageIndex");
            assert_eq!(
                listed.iter().any(is_index),
                !published.passed_over.is_empty()
            );
            count += 1;
        }
    }
    assert!(count > 0);
}
