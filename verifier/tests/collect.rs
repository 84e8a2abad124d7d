//! Fetching from a registry that serves too much, repeats content, or serves other content.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;
mod shelf;

use std::path::Path;

use content::limits;
use oci::{Descriptor, Index, Manifest, media};
use remote::{Registry, Transport};
use shelf::{collected, image};
use verifier::collect::add_elsewhere;
use verifier::damage::Part;
use verifier::place::Place;
use verifier::rebuild::{Attached, Choice, Order, Tools, rebuild};
use verifier::report::detail;
use verifier::verdict::Verdict;

#[tokio::test]
async fn a_repeated_layer_is_fetched_once() {
    let (listener, mut shelf, image) = image().await;
    let piece = shelf.blob(media::DSSE_ENVELOPE, b"{}");
    shelf.attest(&image, vec![piece.clone(); 100]);
    let (published, shelf) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    assert_eq!((published.pieces.len(), published.damage.len()), (1, 0));
    assert_eq!(shelf.asked_for(&piece.digest.to_string()), 1);
}

/// Legacy signatures and attestations as referrers: before cosign 2.6.4 and 3.1.2, only the media type of the config says
/// what they are, and lists have wrong types.
#[tokio::test]
async fn legacy_layers_are_read_from_referrers() {
    let (listener, mut shelf, image) = image().await;
    let mut listed = Vec::new();
    for layer in [media::SIMPLE_SIGNING, media::DSSE_ENVELOPE] {
        let layer = shelf.blob(layer, layer.as_bytes());
        let kind = "application/vnd.dev.cosign.artifact.sig.v1+json";
        let manifest = Manifest {
            subject: Some(Descriptor::new(media::MANIFEST, image.digest, 7)),
            ..Manifest::new(Descriptor::of(kind, b"{}"), vec![layer])
        };
        let bytes = manifest.to_bytes().unwrap();
        let mut referrer = Descriptor::of(media::INDEX, &bytes);
        referrer.artifact_type = Some(media::EMPTY.to_owned());
        let path = format!("manifests/{}", referrer.digest);
        shelf.put(&path, media::MANIFEST, &bytes);
        listed.push(referrer);
    }
    let list = Index::new(listed).to_bytes().unwrap();
    let path = format!("referrers/{}", image.digest);
    shelf.put(&path, media::INDEX, &list);
    let (published, _) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    assert_eq!((published.pieces.len(), published.damage.len()), (2, 0));
}

#[tokio::test]
async fn a_legacy_bill_of_materials_is_read_with_its_signature() {
    let (listener, mut shelf, image) = image().await;
    let document = shelf.blob("text/spdx", b"x");
    let config = Descriptor::of(media::CONFIG, b"{}");
    let bom = Manifest::new(config.clone(), vec![document]);
    let bom = bom.to_bytes().unwrap();
    let hex = image.digest.hex();
    shelf.put(
        &format!("manifests/sha256-{hex}.sbom"),
        media::MANIFEST,
        &bom,
    );
    let payload = shelf.blob(media::SIMPLE_SIGNING, b"payload");
    let signature = Manifest::new(config, vec![payload]).to_bytes().unwrap();
    let hex = content::Digest::of(&bom).hex();
    shelf.put(
        &format!("manifests/sha256-{hex}.sig"),
        media::MANIFEST,
        &signature,
    );
    let (published, _) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    let [bom] = &published.boms[..] else {
        panic!("{:?}", published.boms);
    };
    assert_eq!(
        (bom.media_type.as_str(), bom.signatures.len()),
        ("text/spdx", 1)
    );
    // It is not one over the image.
    assert!(published.pieces.is_empty());
}

#[tokio::test]
async fn a_flood_is_damage_and_not_kept() {
    let (listener, mut shelf, image) = image().await;
    let size = usize::try_from(limits::STATEMENT).unwrap();
    let flood: Vec<_> = (0..5_u8)
        .map(|byte| shelf.blob(media::DSSE_ENVELOPE, &vec![byte; size]))
        .collect();
    shelf.attest(&image, flood);
    let (published, _) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    let kept: usize = published.pieces.iter().map(|piece| piece.bytes.len()).sum();
    assert!(kept as u64 <= limits::PIECES_TOTAL, "{kept}");
    let [damage] = &published.damage[..] else {
        panic!("{:?}", published.damage);
    };
    assert_eq!(damage.what, Part::Pieces);
}

#[tokio::test]
async fn damage_in_another_repository_is_a_note_that_names_it() {
    let (listener, shelf, image) = image().await;
    let (published, _) = collected(listener, shelf, &image).await;
    let (elsewhere, mut shelf, _) = shelf::image().await;
    let port = elsewhere.local_addr().unwrap().port();
    let piece = shelf.blob(media::DSSE_ENVELOPE, b"{}");
    shelf.attest(&image, vec![piece.clone()]);
    shelf.put(
        &format!("blobs/{}", piece.digest),
        media::DSSE_ENVELOPE,
        b"[]",
    );
    let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    shelf::serve(elsewhere, shelf);
    let published = add_elsewhere(published.unwrap(), &[registry])
        .await
        .unwrap();
    assert_eq!(published.damage, []);
    let [note] = &published.passed_over[..] else {
        panic!("{:?}", published.passed_over);
    };
    assert!(note.starts_with(&format!("{repository}: ")), "{note}");
}

#[tokio::test]
async fn a_page_of_a_proxy_is_an_error() {
    let (listener, mut shelf, image) = image().await;
    let path = format!("referrers/{}", image.digest);
    shelf.put(&path, "text/html", b"<html>Sign in");
    let (published, _) = collected(listener, shelf, &image).await;
    let error = published.unwrap_err();
    let expected = "fetching referrers: ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

/// Attached documents that are missing or cannot be read are a note, not a failure.
#[tokio::test]
async fn missing_and_unrelated_referrers_are_ignored() {
    let (listener, mut shelf, image) = image().await;
    let piece = shelf.blob(media::DSSE_ENVELOPE, b"{}");
    let gone = Descriptor::of(media::DSSE_ENVELOPE, b"gone");
    shelf.attest(&image, vec![piece, gone.clone()]);
    let unrelated = br#"{"schemaVersion":2,"artifactType":"spdx"}"#;
    let listed = [&b"vanished"[..], unrelated].map(|bytes| Descriptor::of(media::MANIFEST, bytes));
    shelf.put(
        &format!("manifests/{}", listed[1].digest),
        media::MANIFEST,
        unrelated,
    );
    let index = Index::new(listed.to_vec()).to_bytes().unwrap();
    shelf.put(&format!("referrers/{}", image.digest), media::INDEX, &index);
    let (published, _) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    assert_eq!((published.pieces.len(), published.damage.len()), (1, 0));
    let ignored = published.passed_over.join("\n");
    for digest in [gone.digest, listed[0].digest, listed[1].digest] {
        assert!(ignored.contains(&digest.to_string()), "{ignored}");
    }
    let mut case = case::Case::passing();
    case.published.passed_over = published.passed_over;
    let verdict = case.verdict();
    assert!(matches!(verdict, Verdict::Pass(_)));
    let notes = verdict.findings().iter();
    let notes = notes.filter(|found| detail(found).starts_with("ignored: "));
    assert_eq!(notes.count(), 3);
}

/// A repository whose lock names these files, and a builder that keeps what it is given.
fn source(files: &[Descriptor]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let names = ["release", "packages", "keyring"];
    let tables = names.iter().zip(files).map(|(name, file)| {
        let (sha256, size) = (file.digest, file.size);
        format!("[index.{name}]\nsha256 = \"{sha256}\"\nsize = {size}\n")
    });
    let lock = format!("version = 2\n{}", tables.collect::<String>());
    std::fs::write(place.path().join("Image.lock"), lock).unwrap();
    let script = "mkdir source && mv Image.lock source && cd source && git init -q && git add . && \
                  git -c user.name=a -c user.email=a@b commit -qm a && cd .. && \
                  printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --evidence ] && \
                  cp -r \"$2\" %s/given; shift; done; echo error: no >&2; exit 1\n' \"$PWD\" >builder && chmod +x builder";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).current_dir(place.path());
    assert!(shell.status().unwrap().success());
    place
}

async fn rebuilt(place: &Path, registry: &Registry, files: Vec<Descriptor>) {
    let tools = Tools {
        builder: place.join("builder"),
        ..Tools::default()
    };
    let order = Order {
        source: place.join("source").display().to_string(),
        source_uri: "git+x".to_owned(),
        commit: Choice::Head,
        directory: ".".to_owned(),
        image: None,
    };
    let place_of = Place::Registry(registry);
    let attached = Attached {
        place: place_of,
        files,
    };
    let layout = place.join("layout");
    let progress = console::progress::Progress::to(std::io::sink());
    rebuild(&tools, &order, &attached, &layout, &progress)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_rebuild_is_given_the_locked_package_index() {
    let (listener, mut shelf, image) = image().await;
    let own = [&b"release"[..], b"packages", b"keyring"];
    let other = b"another image's";
    let mut listed = vec![&other[..]];
    listed.extend(own);
    let files = shelf.refer(&image, &listed);
    let place = source(&files[1..]);
    let (published, shelf) = collected(listener, shelf, &image).await;
    let published = published.unwrap();
    assert_eq!(published.index_files.len(), 4);
    assert!(published.damage.is_empty() && published.pieces.is_empty());
    // Without a rebuild, they are not fetched.
    let asked = |file: &Descriptor| shelf.asked_for(&file.digest.to_string());
    assert!(files.iter().all(|file| asked(file) == 0));
    let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
    rebuilt(place.path(), &registry, published.index_files).await;
    let given = |name: &str| std::fs::read(place.path().join("given").join(name)).unwrap();
    assert_eq!(["InRelease", "Packages.xz", "keyring.gpg"].map(given), own);
    assert_eq!(asked(&files[0]), 0, "the lock does not name it");
}

#[tokio::test]
async fn unpublished_index_files_are_left_to_the_builder() {
    let (listener, mut shelf, image) = image().await;
    let files = shelf.refer(&image, &[&b"release"[..], b"packages", b"keyring"]);
    let place = source(&files);
    // Listed, but missing in the registry, or with other bytes.
    shelf
        .answers
        .remove(&format!("/v2/a/b/blobs/{}", files[0].digest));
    let path = format!("blobs/{}", files[1].digest);
    shelf.put(&path, "application/octet-stream", b"PACKAGES");
    let (published, _) = collected(listener, shelf, &image).await;
    let registry = Registry::connect(&image.repository, &Transport::PlainHttp).unwrap();
    let files = published.unwrap().index_files;
    rebuilt(place.path(), &registry, files).await;
    let given = std::fs::read_dir(place.path().join("given")).unwrap();
    let given: Vec<_> = given.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(given, ["keyring.gpg"]);
}
