//! Images of several layers, with whiteouts (OCI image specification, layer.md) and with paths that
//! a later layer replaces: what is listed, compared and held against the SBOM, and what is refused.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod case;

use std::collections::BTreeMap;
use std::io::Cursor;

use attest::{Provenance, Sbom};
use case::{
    Case, REPOSITORY, SBOM, bundle, honest_provenance, legacy_signature, statement, to_value,
};
use content::Digest;
use oci::{Descriptor, Image, Manifest, media};
use serde_json::json;
use verifier::compare::{Comparison, compare};
use verifier::contents::{Contents, ContentsError};
use verifier::damage::Part;
use verifier::evidence::Rebuild;
use verifier::verdict::Verdict;

/// The archive of one layer, which need not be one that we could write.
#[derive(Clone, Default)]
struct Layer(Vec<u8>);

impl Layer {
    fn entry(mut self, flag: u8, path: &str, target: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(tar::EntryType::new(flag));
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(b'0', path, "", content)
    }

    fn directory(self, path: &str) -> Self {
        self.entry(b'5', path, "", b"")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path, target, b"")
    }

    fn hard(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path, target, b"")
    }

    /// Removes a path of the layers below.
    fn whiteout(self, path: &str) -> Self {
        self.file(path, b"")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.extend([0; 1024]);
        bytes
    }
}

fn new() -> Layer {
    Layer::default()
}

/// An image of these layers, whose config names those of `named`.
fn read_as(layers: &[Layer], named: &[Layer]) -> Result<Contents, ContentsError> {
    let diff_ids: Vec<_> = named
        .iter()
        .map(|layer| Digest::of(&layer.bytes()))
        .collect();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/workload"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = config.to_string().into_bytes();
    let blobs: Vec<_> = layers.iter().map(Layer::bytes).collect();
    let described = blobs
        .iter()
        .map(|blob| Descriptor::of(media::LAYER_TAR, blob));
    let manifest = Manifest::new(Descriptor::of(media::CONFIG, &config), described.collect());
    let image = Image::parse(manifest.to_bytes().unwrap(), config).unwrap();
    Contents::read(image, &|wanted| {
        let mut blobs = blobs.iter();
        let blob = blobs.find(|blob| Digest::of(blob) == wanted.digest);
        Ok(Box::new(Cursor::new(blob.unwrap().clone())))
    })
}

fn image(layers: &[Layer]) -> Contents {
    read_as(layers, layers).unwrap()
}

/// The reason why these layers are not an image.
#[track_caller]
fn damage(layers: &[Layer]) -> String {
    match read_as(layers, layers) {
        Err(error @ ContentsError::Damage(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The flattened listing, one line for each path.
fn listing(contents: &Contents) -> Vec<String> {
    let flat = contents.flatten().into_iter();
    let line = |(path, listed): (&str, &verifier::contents::Listed)| {
        let listed = listed.to_string();
        let (what, _) = listed.split_once(", mode").unwrap();
        format!("{path}: {what}")
    };
    flat.map(line).collect()
}

fn of(path: &str, content: &[u8]) -> String {
    let size = content.len();
    format!("{path}: {size} bytes, {}", Digest::of(content))
}

/// The SBOM must list every file of a layer, even if a container does not see it.
#[test]
fn a_whiteout_hides_nothing_from_the_listing() {
    let lower = new().file("a", b"1").directory("d").file("d/x", b"2");
    let upper = new()
        .whiteout(".wh.a")
        .whiteout("d/.wh..wh..opq")
        .file("d/y", b"3");
    let expected = [
        of(".wh.a", b""),
        of("a", b"1"),
        "d: a directory".to_owned(),
        of("d/.wh..wh..opq", b""),
        of("d/x", b"2"),
        of("d/y", b"3"),
    ];
    assert_eq!(listing(&image(&[lower, upper])), expected);
}

#[test]
fn of_two_layers_with_one_path_the_later_is_listed() {
    let lower = new()
        .file("a", b"old")
        .file("b", b"b")
        .link("c", "b")
        .directory("e");
    let lower = lower.file("e/below", b"e");
    let upper = new()
        .file("a", b"new")
        .directory("b")
        .file("b/c", b"c")
        .directory("c");
    let upper = upper.file("e", b"now a file");
    let expected = [
        of("a", b"new"),
        "b: a directory".to_owned(),
        of("b/c", b"c"),
        "c: a directory".to_owned(),
        of("e", b"now a file"),
        // Unseen in a container, and still in the image.
        of("e/below", b"e"),
    ];
    assert_eq!(listing(&image(&[lower.clone(), upper.clone()])), expected);
    let other_way_round = listing(&image(&[upper, lower]));
    assert_eq!(other_way_round[0], of("a", b"old"));
    assert_eq!(other_way_round[1], of("b", b"b"));
}

#[test]
fn hard_links_across_layers_are_listed_with_their_target() {
    let layers = [
        new().file("a", b"1"),
        new().hard("b", "a"),
        new().file("a", b"2"),
    ];
    let expected = [of("a", b"2"), "b: a hard link to a".to_owned()];
    assert_eq!(listing(&image(&layers)), expected);
}

#[test]
fn each_refusal_of_a_layer_names_layer_path_and_reason() {
    let good = || new().file("good", b"");
    for (bad, reason) in [
        (good().file("good", b""), "path appears twice"),
        (good().directory("good"), "path appears twice"),
        (
            new().whiteout(".wh.a").whiteout(".wh.a"),
            "path appears twice",
        ),
        (
            new().link("a", "b").file("a/b", b""),
            "parent is not a directory",
        ),
        (
            new().file("../a", b""),
            "path is not a plain path below the root",
        ),
        (
            new().link("a", "../../b"),
            "link target \"../../b\" leaves the root",
        ),
        (
            new().hard("a", "../b"),
            "link target \"../b\" leaves the root",
        ),
        (
            new().entry(b'3', "a", "", b""),
            "is not a file, directory or link",
        ),
        (
            new().entry(b'6', ".wh.a", "", b""),
            "is not a file, directory or link",
        ),
    ] {
        let found = damage(&[good(), bad]);
        assert!(found.starts_with("layer 1: "), "{found}");
        assert!(found.contains(reason), "{found}: {reason}");
    }
}

/// A container runtime would write such an entry to another place than its path.
#[test]
fn an_entry_below_a_link_of_a_lower_layer_is_damage() {
    let lower = new().file("bin/sh", b"").link("lib", "bin");
    for (upper, reason) in [
        (new().file("lib/sh", b"x"), "parent is not a directory"),
        (new().file("bin/sh/x", b""), "parent is not a directory"),
        (
            new().hard("sh", "lib"),
            "hard link target \"lib\" is not a file",
        ),
    ] {
        let found = damage(&[lower.clone(), upper]);
        assert!(
            found.starts_with("layer 1: ") && found.contains(reason),
            "{found}"
        );
    }
    image(&[lower, new().directory("lib").file("lib/sh", b"x")]);
}

#[test]
fn layers_in_another_order_than_the_config_has_them_are_damage() {
    let layers = [new().file("a", b"1"), new().whiteout(".wh.a")];
    let mut named = layers.clone();
    named.reverse();
    let Err(ContentsError::Damage(damage)) = read_as(&layers, &named) else {
        panic!("another order is read");
    };
    assert_eq!(damage.what, Part::Uncompressed(0));
    assert_eq!(damage.expected, Digest::of(&named[0].bytes()).into());
    assert_eq!(damage.found, Digest::of(&layers[0].bytes()).into());
}

/// A container sees the same in both; the images are not the same.
#[test]
fn images_with_the_same_files_differ_by_layer() {
    let plain = [new().file("workload", b"1")];
    let [lower] = plain.clone();
    let hidden = [lower, new().file("x", b"hidden"), new().whiteout(".wh.x")];
    let Comparison::Different(found) = compare(&image(&hidden), &image(&plain)) else {
        panic!("layers go unseen");
    };
    let found: BTreeMap<String, _> = found
        .into_iter()
        .map(|difference| (difference.place.to_string(), difference))
        .collect();
    for (place, layer) in [("layer 1", &hidden[1]), ("layer 2", &hidden[2])] {
        assert_eq!(found[place].rebuilt, "no such layer");
        let digest = Digest::of(&layer.bytes()).to_string();
        assert_eq!(found[place].published, digest);
    }
}

#[test]
fn a_whiteout_in_place_of_a_file_is_named_with_its_layer() {
    let base = || new().file("workload", b"1").file("ca.pem", b"2");
    let published = image(&[base(), new().whiteout(".wh.ca.pem")]);
    let rebuilt = image(&[base(), new().file("ca.pem", b"3")]);
    let Comparison::Different(found) = compare(&published, &rebuilt) else {
        panic!("a whiteout goes unseen");
    };
    let places: Vec<_> = found.iter().map(|d| d.place.to_string()).collect();
    assert_eq!(
        places[..2],
        ["layer 1, file .wh.ca.pem", "layer 1, file ca.pem"]
    );
    assert_eq!(found[0].rebuilt, "nothing");
    assert_eq!(found[1].published, "nothing");
}

/// The passing case for an image of these layers, where the policy asks for no rebuild.
fn published(layers: &[Layer], files: &[(&str, &[u8])]) -> Case {
    let mut sbom = Sbom::new();
    for (path, bytes) in files {
        sbom.add_file(path, Digest::of(bytes));
    }
    let mut case = Case::bare();
    let contents = image(layers);
    let digest = contents.image().image_digest();
    case.image.digest = digest;
    case.published.image = case.image.clone();
    case.published.contents = Some(contents);
    case.rebuild = Rebuild::Absent;
    case.policy = case
        .policy
        .replace("[rebuild]\nrequire = true", "[rebuild]\nrequire = false");
    let key = &case.keys.builder;
    let mut pieces = vec![legacy_signature(key, REPOSITORY, &digest)];
    for (kind, value) in [
        (Provenance::PREDICATE.uri, to_value(&honest_provenance())),
        (Sbom::PREDICATE.uri, to_value(&sbom)),
    ] {
        pieces.push(bundle(
            key,
            kind,
            statement(REPOSITORY, &digest, kind, value),
        ));
    }
    case.published.pieces = pieces;
    case
}

#[test]
fn the_sbom_accounts_for_what_whiteouts_hide() {
    let layers = [
        new().file("workload", b"1").file("x", b"hidden"),
        new().whiteout(".wh.x"),
    ];
    let all: [(&str, &[u8]); 3] = [("/workload", b"1"), ("/x", b"hidden"), ("/.wh.x", b"")];
    let verdict = published(&layers, &all).verdict();
    assert!(matches!(verdict, Verdict::Pass(_)), "{verdict:#?}");
    let without_hidden = published(&layers, &[all[0], all[2]]);
    let hidden = Digest::of(b"hidden");
    without_hidden.refused_by(&[SBOM], &format!("file x: expected {hidden}, found none"));
    let without_whiteout = published(&layers, &all[..2]);
    let empty = Digest::of(b"");
    without_whiteout.refused_by(
        &[SBOM],
        &format!("file .wh.x: expected {empty}, found none"),
    );
}

#[test]
fn the_sbom_names_what_the_last_layer_put_there() {
    let layers = [
        new().file("workload", b"old"),
        new().file("workload", b"new"),
    ];
    let verdict = published(&layers, &[("/workload", b"new")]).verdict();
    assert!(matches!(verdict, Verdict::Pass(_)), "{verdict:#?}");
    let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
    published(&layers, &[("/workload", b"old")]).refused_by(
        &[SBOM],
        &format!("file workload: expected {new}, found {old}"),
    );
}

/// A base image of Debian has hard links. They have the content of the file that they name, below or in their own layer.
#[test]
fn a_hard_link_is_listed_as_the_file_that_it_names() {
    let layers = || {
        [
            new().file("workload", b"1"),
            new().hard("start", "workload"),
            // The link keeps the content of the file that is replaced.
            new().file("workload", b"2"),
        ]
    };
    let listed: &[(&str, &[u8])] = &[("/workload", b"2"), ("/start", b"1")];
    let passed = published(&layers(), listed).verdict();
    assert!(
        matches!(passed, Verdict::Pass(_)),
        "{:?}",
        passed.findings()
    );
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    for (files, found) in [
        (
            &[("/workload", &b"2"[..]), ("/start", b"2")][..],
            two.to_string(),
        ),
        (&[("/workload", b"2")], "none".to_owned()),
    ] {
        published(&layers(), files).refused_by(
            &[SBOM],
            &format!("file start: expected {one}, found {found}"),
        );
    }
}
