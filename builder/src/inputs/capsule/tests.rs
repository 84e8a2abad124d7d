//! A capsule with every kind of input, and with a broken byte in each.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use console::progress::Progress;
use content::Digest;
use oci::media;
use tokio::runtime::Runtime;

use super::*;
use crate::error::Error;
use crate::inputs::Supply;
use crate::inputs::cargo::RegistryCheck;
use crate::inputs::git::repositories;
use crate::inputs::store::{Key, Store};
use crate::lock::Lock;
use crate::lock::archives::Archive;
use crate::lock::base::LockedBase;
use crate::lock::crates::Crate;
use crate::lock::index::{IndexFile, Indexes};
use crate::lock::modules::{H1, Module};
use crate::lock::packages::Package;
use crate::lock::repository::Repository;
use crate::spec::Spec;

/// The contents of inputs, by what a capsule calls them.
const INPUTS: [(&str, &[u8]); 9] = [
    ("index file InRelease s", b"release"),
    ("index file Packages.xz s", b"packages"),
    ("index file keyring.gpg s", b"keyring"),
    ("archive https://a.example/x", b"archive"),
    ("blob of base image registry.example/a", b"manifest"),
    ("crate c 1.0.0", b"crate"),
    ("module example.org/m v1.0.0", b"module"),
    (
        "module golang.org/toolchain v0.0.1-go1.26.0.linux-amd64",
        b"toolchain",
    ),
    ("hook", b"evil"),
];

fn spec() -> Spec {
    let manifest = Digest::of(b"manifest");
    let text = format!(
        "[build]\nkind = 'command'\n[root]\nsuite = 's'\npackages = ['p']\n\
         [image]\nbase = 'registry.example/a@{manifest}'\nentrypoint = ['/a']\n[[file]]\npath = '/a'\ncontent = ''\n"
    );
    Spec::parse(&text).unwrap()
}

/// A package with nothing but its description.
fn deb() -> Vec<u8> {
    let mut control = tar::Builder::new(liblzma::write::XzEncoder::new(Vec::new(), 0));
    let text = "Package: p\nVersion: 1\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    control
        .append_data(&mut header, "./control", text.as_bytes())
        .unwrap();
    let control = control.into_inner().unwrap().finish().unwrap();
    let mut deb = b"!<arch>\n".to_vec();
    deb.extend(
        format!(
            "{:<16}{:<32}{:<10}`\n",
            "control.tar.xz",
            "0",
            control.len()
        )
        .bytes(),
    );
    deb.extend(control);
    deb
}

fn module(name: &str, version: &str, bytes: &[u8]) -> Module {
    Module {
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        h1: H1::from_digest(Digest::of(b"")),
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
    }
}

/// A lock with one input of each kind. The list of the repository has this digest.
fn lock(list: Digest) -> Lock {
    let deb = deb();
    let mut index = crate::lock::tests::index("2026-07-11T10:17:11Z");
    index.keyring = IndexFile::of(b"keyring");
    Lock {
        indexes: Indexes(vec![index]),
        base: Some(LockedBase {
            index: None,
            manifest: IndexFile::of(b"manifest"),
            config: IndexFile::of(b"config"),
            layers: vec![IndexFile::of(b"layer")],
        }),
        packages: vec![Package {
            sha256: Digest::of(&deb),
            size: deb.len() as u64,
            ..crate::lock::tests::lock().packages[0].clone()
        }],
        archives: vec![Archive {
            url: "https://a.example/x".to_owned(),
            sha256: Digest::of(b"archive"),
            size: 7,
            tree: Digest::of(b""),
        }],
        crates: Some(vec![Crate {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(b"crate"),
            size: 5,
        }]),
        modules: vec![
            module("example.org/m", "v1.0.0", b"module"),
            module(
                "golang.org/toolchain",
                "v0.0.1-go1.26.0.linux-amd64",
                b"toolchain",
            ),
        ],
        repositories: vec![Repository {
            url: "https://host.example/r".to_owned().try_into().unwrap(),
            commit: "a".repeat(40).try_into().unwrap(),
            sha256: list,
            submodules: BTreeMap::new(),
        }],
        ..crate::lock::tests::lock()
    }
}

/// The list of a repository with one program.
fn list() -> Vec<u8> {
    format!("100755 {} hook\0", Digest::of(b"evil").hex()).into_bytes()
}

/// A capsule in a file, and the lock that it is of.
struct Place {
    folder: tempfile::TempDir,
    runtime: Runtime,
    spec: Spec,
    lock: Lock,
    digest: Digest,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
            runtime: Runtime::new().unwrap(),
            spec: spec(),
            lock: lock(Digest::of(&list())),
            digest: Digest::of(b"lock"),
        };
        let store = Store::open(&place.at("store")).unwrap();
        let contents = INPUTS.map(|(_, bytes)| bytes.to_vec());
        let others = [deb(), b"config".to_vec(), b"layer".to_vec()];
        let contents: BTreeMap<_, _> = contents
            .into_iter()
            .chain(others)
            .map(|bytes| (Digest::of(&bytes), bytes))
            .collect();
        for part in place.parts() {
            let bytes = &contents[&part.key().digest];
            store.keep(&part.key(), &bytes[..], part.size).unwrap();
        }
        place.write(&store);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn parts(&self) -> Vec<parts::Part<'_>> {
        let (spec, lock) = (&self.spec, &self.lock);
        [parts::indexes(spec, lock), parts::others(spec, lock)].concat()
    }

    fn write(&self, store: &Store) {
        let supply = Supply::of(store);
        let annotated = Annotated {
            spec: &self.spec,
            lock: &self.lock,
            digest: self.digest,
            subject: None,
        };
        let git = [
            (Digest::of(&list()), bundle::Source::Bytes(list())),
            (Digest::of(b"evil"), bundle::Source::Bytes(b"evil".to_vec())),
        ];
        let capsule = assemble(&annotated, &git.into(), &supply).unwrap();
        let digest = capsule.write(&self.at("capsule"), &supply).unwrap();
        let (_, descriptor) = capsule.manifest_bytes().unwrap();
        assert_eq!(digest, descriptor.digest);
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.at("capsule")).unwrap()
    }

    /// Brings everything from a capsule with these bytes into a new store.
    fn load(&self, bytes: &[u8]) -> Result<(tempfile::TempDir, Vec<String>), Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capsule");
        fs::write(&path, bytes).unwrap();
        let store = Store::open(&folder.path().join("store"))
            .unwrap()
            .of_capsules();
        let name = CapsuleName::File(path);
        let capsule = Capsule::open(&name, &store, self.runtime.handle())?;
        let said = folder.path().join("said");
        let progress = Progress::to(fs::File::create(&said).unwrap());
        let supply = Supply {
            capsule: Some(&capsule),
            progress: &progress,
            ..Supply::of(&store)
        };
        load_indexes(&self.spec, &self.lock, &self.digest, &supply)?;
        load(&self.spec, &self.lock, &self.digest, &supply)?;
        repositories::restore_all(&self.lock.repositories, &capsule, &supply)?;
        for part in self.parts() {
            store.read(&part.key(), part.size)?;
        }
        drop(store);
        let said = fs::read_to_string(said).unwrap();
        Ok((folder, said.lines().map(str::to_owned).collect()))
    }

    /// The message of the error, and its hint.
    fn refused(&self, bytes: &[u8]) -> (String, &'static str) {
        let error = self.load(bytes).unwrap_err();
        (error.to_string(), error.hint().unwrap())
    }
}

/// The bytes, of which the last `old` is replaced.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let found = bytes.windows(old.len()).rposition(|part| part == old);
    let at = found.unwrap();
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// The archive without the files whose names satisfy a condition.
fn without(bytes: &[u8], is_left_out: impl Fn(&str) -> bool) -> Vec<u8> {
    let mut archive = tar::Archive::new(bytes);
    let mut left = tar::Builder::new(Vec::new());
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        if !is_left_out(&name) {
            left.append(&entry.header().clone(), entry).unwrap();
        }
    }
    left.into_inner().unwrap()
}

#[test]
fn every_kind_of_input_comes_back() {
    let place = Place::new();
    let (folder, said) = place.load(&place.bytes()).unwrap();
    assert!(
        !said.iter().any(|line| line.starts_with("note: ")),
        "{said:?}"
    );
    let trees = folder.path().join("store/capsule-trees");
    let tree = fs::read_dir(trees).unwrap().flatten();
    let tree = tree.map(|entry| entry.path()).find(|path| path.is_dir());
    let hook = tree.unwrap().join("hook");
    assert_eq!(fs::read(&hook).unwrap(), b"evil");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(hook).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn the_same_lock_gives_the_same_bytes() {
    let (one, two) = (Place::new(), Place::new());
    assert_eq!(one.bytes(), two.bytes());
    let mut names = Vec::new();
    let bytes = one.bytes();
    let mut archive = tar::Archive::new(&bytes[..]);
    for entry in archive.entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().display().to_string());
    }
    assert_eq!(names[..2], ["oci-layout", "index.json"]);
    assert_eq!(names.len(), 4 + 3 + 1 + 1 + 3 + 1 + 3, "{names:?}");
}

#[test]
fn a_broken_byte_of_each_kind_is_refused_by_name() {
    let place = Place::new();
    let bytes = place.bytes();
    for (name, content) in INPUTS {
        let broken = [&content[..content.len() - 1], b"!"].concat();
        let (message, hint) = place.refused(&replaced(&bytes, content, &broken));
        assert!(message.contains(name), "{name}: {message}");
        assert!(message.starts_with("reading capsule /"), "{message}");
        assert!(hint.contains("damaged"), "{hint}");
    }
    let broken = replaced(&bytes, b"!<arch>\n", b"!<arch>?");
    let (message, _) = place.refused(&broken);
    assert!(message.contains("checking package p 1: "), "{message}");
    let mode = replaced(&bytes, b"100755 ", b"100644 ");
    let (message, _) = place.refused(&mode);
    assert!(
        message.contains("https://host.example/r at aaaa"),
        "{message}"
    );
    for (old, new) in [
        ("imageLayoutVersion", "imageLayoutVersiom"),
        ("\"manifests\"", "\"manifestz\""),
        (media::CAPSULE, "application/vnd.countersign.capsule.v2"),
        (
            "\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.man",
            "\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.mam",
        ),
    ] {
        if bytes.windows(old.len()).any(|part| part == old.as_bytes()) {
            let (message, _) = place.refused(&replaced(&bytes, old.as_bytes(), new.as_bytes()));
            assert!(message.starts_with("reading capsule /"), "{message}");
        }
    }
}

#[test]
fn a_missing_blob_is_refused_by_name() {
    let place = Place::new();
    let bytes = place.bytes();
    for (name, content) in [INPUTS[0], INPUTS[3], INPUTS[4], INPUTS[7]] {
        let hex = Digest::of(content).hex();
        let less = without(&bytes, |path| path.ends_with(&hex));
        let (message, hint) = place.refused(&less);
        let expected = format!("it has no {name}");
        assert!(message.contains(&expected), "{name}: {message}");
        assert!(hint.contains("not complete"), "{hint}");
    }
    let other = Place {
        digest: Digest::of(b"another lock"),
        ..Place::new()
    };
    let hex = Digest::of(b"archive").hex();
    let (_, hint) = other.refused(&without(&bytes, |path| path.ends_with(&hex)));
    assert!(hint.contains("for another Image.lock"), "{hint}");
    for name in ["oci-layout", "index.json"] {
        let (message, _) = place.refused(&without(&bytes, |path| path == name));
        assert!(
            message.ends_with(&format!("it has no file {name}")),
            "{message}"
        );
    }
    for end in [0, 100, 5000, bytes.len() / 2] {
        place.refused(&bytes[..end]);
    }
}

#[test]
fn inputs_that_the_lock_does_not_name_are_noted() {
    let mut place = Place::new();
    let bytes = place.bytes();
    place.lock.archives.clear();
    let (_, said) = place.load(&bytes).unwrap();
    let note = "note: the capsule has 1 inputs that Image.lock does not name; they are not used";
    assert!(said.contains(&note.to_owned()), "{said:?}");
}

#[test]
fn nothing_is_fetched_that_a_capsule_lacks() {
    let place = Place::new();
    let store = Store::open(&place.at("other")).unwrap().of_capsules();
    let name = CapsuleName::File(place.at("capsule"));
    let capsule = Capsule::open(&name, &store, place.runtime.handle()).unwrap();
    let supply = Supply {
        capsule: Some(&capsule),
        ..Supply::of(&store)
    };
    let commits = crate::inputs::cargo::check_commits(&place.lock.repositories, &supply);
    assert_eq!(commits, RegistryCheck::offline(capsule.name()));
    assert_eq!(commits.clone().and(commits.clone()), commits);
    let none = crate::inputs::cargo::check_commits(&[], &supply);
    assert_eq!(none, RegistryCheck::Made);
    let refused = supply.check_network("crate x 1").unwrap_err().to_string();
    let path = place.at("capsule");
    let expected = format!(
        "obtaining crate x 1: it is not in the capsule {}",
        path.display()
    );
    assert_eq!(refused, expected);
    let package = &place.lock.packages[0];
    let key = Key {
        version: "2",
        ..package.key()
    };
    assert_eq!(store.size(&key).unwrap(), None);
    let fetched =
        crate::inputs::debian::fetch(std::slice::from_ref(package), &place.spec.root, &supply);
    let fetched = fetched.unwrap_err().to_string();
    assert!(
        fetched.starts_with("obtaining packages: it is not in"),
        "{fetched}"
    );
}
