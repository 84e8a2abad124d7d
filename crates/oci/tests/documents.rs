//! Manifests, configurations and layouts.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use content::{Digest, limits};
use oci::layer::{Content, Entry, Executable, Kind};
use oci::media;
use oci::{Config, Descriptor, Error, Execution, Image, Index, Layout, Manifest, RootFs};

fn config(diff_ids: Vec<Digest>) -> Config {
    Config {
        created: Some("1970-01-01T00:00:00Z".into()),
        architecture: "amd64".into(),
        os: "linux".into(),
        config: Execution {
            entrypoint: vec!["/workload".into()],
            env: vec!["A=b".into()],
            labels: [("b".into(), "2".into()), ("a".into(), "1".into())].into(),
            ..Execution::default()
        },
        rootfs: RootFs::of_layers(diff_ids),
        ..Config::default()
    }
}

fn entries() -> Vec<Entry> {
    vec![Entry {
        path: "/workload".parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(b"program".to_vec()),
            executable: Executable::Yes,
        },
    }]
}

fn fill(layout: &Layout) -> Digest {
    let (layer, written) = layout.write_layer(entries()).unwrap();
    let config = config(vec![written.diff_id]).to_bytes().unwrap();
    let config = layout.write_blob(media::CONFIG, &config).unwrap();
    let manifest = Manifest::new(config, vec![layer]).to_bytes().unwrap();
    let manifest = layout.write_blob(media::MANIFEST, &manifest).unwrap();
    layout.set_image(&manifest).unwrap();
    manifest.digest
}

#[test]
fn a_layout_gives_back_its_image() {
    let dir = tempfile::tempdir().unwrap();
    let digest = fill(&Layout::create(dir.path()).unwrap());
    let image = Layout::open(dir.path()).unwrap().image().unwrap();
    assert_eq!(image.image_digest(), digest);
    assert_eq!(image.image_id(), Digest::of(image.config_bytes()));
    assert_eq!(image.config().config.entrypoint, ["/workload"]);
    let expected = r#"{"architecture":"amd64","config":{"Entrypoint":["/workload"],"Env":["A=b"],"Labels":{"a":"1","b":"2"}},"created":"1970-01-01T00:00:00Z","os":"linux","rootfs":{"diff_ids":["#;
    assert!(
        std::str::from_utf8(image.config_bytes())
            .unwrap()
            .starts_with(expected)
    );
    let header = std::fs::read(dir.path().join("oci-layout")).unwrap();
    assert_eq!(header, br#"{"imageLayoutVersion":"1.0.0"}"#);
    let rubbish = std::fs::read_dir(dir.path().join("blobs/sha256"))
        .unwrap()
        .count();
    assert_eq!(rubbish, 3);
}

#[test]
fn the_same_image_is_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let digest = fill(&Layout::create(a.path()).unwrap());
    assert_eq!(digest, fill(&Layout::create(b.path()).unwrap()));
    let index = |dir: &tempfile::TempDir| std::fs::read(dir.path().join("index.json")).unwrap();
    assert_eq!(index(&a), index(&b));
}

#[test]
fn a_changed_blob_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path()).unwrap();
    fill(&layout);
    let config = layout.image().unwrap().manifest().config.clone();
    let path = layout.blob_path(&config.digest);
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replace("A=b", "A=c");
    std::fs::write(&path, &changed).unwrap();
    let (expected, found) = (config.digest, Digest::of(changed.as_bytes()));
    assert_eq!(
        layout.image().unwrap_err().to_string(),
        format!("reading blob {expected}: checking content: expected {expected}, found {found}")
    );
    assert_eq!(
        layout.read_blob(&config, 10).unwrap_err().to_string(),
        format!("reading blob {expected}: reading content: larger than the limit of 10 bytes")
    );
}

#[test]
fn a_failed_layer_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path()).unwrap();
    let twice = [entries(), entries()].concat();
    assert_eq!(
        layout.write_layer(twice).unwrap_err().to_string(),
        "reading layer: entry \"workload\": path appears twice"
    );
    let blobs = std::fs::read_dir(dir.path().join("blobs/sha256"))
        .unwrap()
        .count();
    assert_eq!(blobs, 0);
    match layout.image() {
        Err(Error::File(at)) => {
            assert_eq!(at.path, dir.path().join("index.json"));
            assert_eq!(at.source.kind(), std::io::ErrorKind::NotFound);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_layout_of_another_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("oci-layout"),
        br#"{"imageLayoutVersion":"2.0.0"}"#,
    )
    .unwrap();
    let error = Layout::open(dir.path()).unwrap_err();
    let path = dir.path().display();
    assert_eq!(
        error.to_string(),
        format!("reading layout {path}: version \"2.0.0\" is not \"1.0.0\"")
    );
}

#[test]
fn an_image_is_what_its_manifest_describes() {
    let bytes = config(vec![Digest::of(b"l")]).to_bytes().unwrap();
    let layer = Descriptor::of(media::LAYER_GZIP, b"l");
    let described = Descriptor::of(media::CONFIG, &bytes);
    let parse = |config: Descriptor, layers: Vec<Descriptor>| {
        Image::parse(
            Manifest::new(config, layers).to_bytes().unwrap(),
            bytes.clone(),
        )
    };
    assert!(parse(described.clone(), vec![layer.clone()]).is_ok());
    let other = Descriptor::of(media::CONFIG, b"other");
    let odd = Descriptor::of(media::OCTETS, &bytes);
    for (config, layers, expected) in [
        (
            other,
            1,
            "reading configuration: checking content: expected 5 bytes, found at least 32"
                .to_owned(),
        ),
        (
            described.clone(),
            2,
            "reading image: manifest has 2 layers, configuration has 1 diff IDs".to_owned(),
        ),
        (
            described.clone(),
            0,
            "reading manifest: an image must have at least one layer".to_owned(),
        ),
        (
            odd,
            1,
            format!(
                "reading configuration: expected media type {}, found {:?}",
                media::CONFIG,
                media::OCTETS
            ),
        ),
        (
            described,
            limits::LAYERS + 1,
            format!(
                "reading manifest: {} layers are over the limit of {}",
                limits::LAYERS + 1,
                limits::LAYERS
            ),
        ),
    ] {
        let error = parse(config, vec![layer.clone(); layers]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

/// OCI image specification, manifest.md, property `artifactType`.
#[test]
fn a_manifest_without_configuration_names_its_type() {
    let parse = |manifest: Manifest| Manifest::parse(&manifest.to_bytes().unwrap());
    let layer = Descriptor::of(media::OCTETS, b"l");
    let untyped = Manifest::new(Descriptor::empty(), vec![layer.clone()]);
    let error = parse(untyped.clone()).unwrap_err();
    let expected = "reading manifest: artifactType is required if the configuration is empty";
    assert_eq!(error.to_string(), expected);
    let empty = Manifest {
        artifact_type: Some(String::new()),
        ..untyped.clone()
    };
    let error = parse(empty).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let subject = Descriptor::of(media::MANIFEST, b"m");
    assert!(parse(Manifest::referrer("a/b", layer, subject)).is_ok());
}

#[test]
fn times_are_read_as_go_reads_them() {
    let parse = |time: &str| {
        let config = Config {
            created: Some(time.into()),
            ..config(vec![Digest::of(b"l")])
        };
        Config::parse(&config.to_bytes().unwrap())
    };
    for time in [
        "1970-01-01T00:00:00Z",
        "2026-11-28T23:59:59.123456789012Z",
        "2026-11-28T23:59:59.5+23:59",
        "0000-01-01T00:00:00-00:00",
    ] {
        assert!(parse(time).is_ok(), "{time}");
    }
    for time in [
        "2026-11-28 10:00:00Z",
        "2026-11-28t10:00:00Z",
        "2026-11-28T10:00:00z",
        "2016-12-31T23:59:60Z",
        "2026-11-28T10:00:00+0100",
        "2026-11-28T10:00:00+24:00",
        "2026-11-28T10:00:00\u{2212}01:00",
        "2026-11-28T10:00:00.Z",
        "2026-11-28T10:00:00,5Z",
        "2026-11-28T10:00:00",
        "2026-11-28T1:00:00Z",
        "2026-02-29T10:00:00Z",
        "2026-11-28",
        "",
    ] {
        assert!(parse(time).is_err(), "{time}");
    }
}

#[test]
fn a_document_is_one_thing_only() {
    let config = serde_json::to_value(Descriptor::empty()).unwrap();
    let both =
        serde_json::json!({"schemaVersion": 2, "config": config, "layers": [], "manifests": []});
    let both = serde_json::to_vec(&both).unwrap();
    let manifest = |bytes: &[u8]| Manifest::parse(bytes).unwrap_err().to_string();
    assert_eq!(
        manifest(&both),
        "reading manifest: it contains both layers and manifests"
    );
    assert_eq!(
        Index::parse(&both).unwrap_err().to_string(),
        "reading index: it contains both layers and manifests"
    );
    let other = |found: &str| {
        let expected = media::MANIFEST;
        format!("reading manifest: expected media type {expected}, found {found:?}")
    };
    let index = Index::new(vec![]).to_bytes().unwrap();
    assert_eq!(manifest(&index), other(media::INDEX));
    let docker = br#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}"#;
    assert_eq!(
        manifest(docker),
        other("application/vnd.docker.distribution.manifest.v2+json")
    );
    let old = serde_json::json!({"schemaVersion": 1, "config": config, "layers": []});
    let old = serde_json::to_vec(&old).unwrap();
    assert_eq!(
        manifest(&old),
        "reading manifest: schema version 1 is not 2"
    );
}

/// `oci-spec` reads what this crate writes.
#[test]
fn oci_spec_agrees() {
    let bytes = config(vec![Digest::of(b"l")]).to_bytes().unwrap();
    let theirs = oci_spec::image::ImageConfiguration::from_reader(&bytes[..]).unwrap();
    assert_eq!(theirs.rootfs().diff_ids(), &[Digest::of(b"l").to_string()]);
    let labels = theirs.labels_of_config().unwrap();
    assert_eq!(labels["b"], "2");
    let subject = Descriptor::of(media::MANIFEST, b"image");
    let layer = Descriptor::of(media::SIGSTORE_BUNDLE, b"bundle");
    let ours = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    let bytes = ours.to_bytes().unwrap();
    let theirs = oci_spec::image::ImageManifest::from_reader(&bytes[..]).unwrap();
    assert_eq!(
        theirs.artifact_type().as_ref().unwrap().as_ref(),
        media::SIGSTORE_BUNDLE
    );
    assert_eq!(theirs.subject().as_ref().unwrap().size(), 5);
    assert_eq!(Manifest::parse(&bytes).unwrap(), ours);
}
