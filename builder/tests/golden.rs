//! The result of a small fixed build, byte for byte. Refactoring must not change these files; `just golden` rewrites
//! them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use builder::compile::program::{CrateOrigin, Invocation, Linked};
use builder::image::assemble::{ImageSpec, assemble};
use builder::image::contents::{Digests, Files};
use builder::image::describe::{self, Description};
use builder::inputs::git::Source;
use builder::lock::Lock;
use builder::spec::RootSpec;
use content::Digest;
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Execution, Layout};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn lock() -> Lock {
    content::toml::parse(std::fs::read_to_string(golden("Image.lock")).unwrap()).unwrap()
}

fn file(path: &str, bytes: &[u8], executable: Executable) -> Entry {
    Entry {
        path: path.parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(bytes.to_vec()),
            executable,
        },
    }
}

fn entries() -> Vec<Entry> {
    let link = Kind::Symlink {
        target: "workload".to_owned(),
    };
    vec![
        file("workload", b"the program", Executable::Yes),
        file("etc/countersign/terms.json", b"{}", Executable::No),
        Entry {
            path: "start".parse().unwrap(),
            kind: link,
        },
    ]
}

fn execution() -> Execution {
    Execution {
        user: "65532:65532".to_owned(),
        env: vec!["B=2".to_owned(), "A=1".to_owned()],
        entrypoint: vec!["/workload".to_owned()],
        cmd: vec!["--flag".to_owned()],
        working_dir: "/".to_owned(),
        labels: [("tee.launch_policy.log_redirect", "always")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Execution::default()
    }
}

#[test]
fn image() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).unwrap();
    let spec = ImageSpec {
        base: None,
        entries: entries().into_iter().map(Into::into).collect(),
        architecture: "amd64".to_owned(),
        execution: execution(),
    };
    let identities = assemble(spec, &layout).unwrap();
    let image = layout.image().unwrap();
    let text = format!(
        "image_digest {}\nimage_id {}\nlayer {}\ndiff_id {}\nmanifest {}\nconfig {}\n",
        identities.image_digest,
        identities.image_id,
        image.manifest().layers[0].digest,
        image.config().rootfs.diff_ids[0],
        String::from_utf8_lossy(image.manifest_bytes()),
        String::from_utf8_lossy(image.config_bytes()),
    );
    testkit::golden(&golden("image.txt"), text.as_bytes());
}

#[test]
fn image_lock() {
    testkit::golden(&golden("Image.lock"), lock().to_text().unwrap().as_bytes());
}

/// The packages that are linked into the program.
fn linked_packages() -> BTreeMap<String, BTreeSet<String>> {
    let names = lock().packages.into_iter().map(|package| package.name);
    [("/workload".to_owned(), names.collect())].into()
}

fn described<T>(describe: impl FnOnce(&Description<'_>) -> T) -> T {
    let linked = |name: &str, version: &str, folder: Option<&str>| Linked {
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        origin: folder.map_or(CrateOrigin::Registry, |folder| {
            CrateOrigin::Source(folder.into())
        }),
        dependencies: match name {
            "program" => vec![0],
            _ => Vec::new(),
        },
    };
    let source = Source {
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        time: 1_764_356_940,
        tree: Digest::of(b"tree"),
        staged: "/nowhere".into(),
        directory: "workload".into(),
        cargo: None,
        go: None,
        folders: [].into(),
        submodules: Vec::new(),
    };
    describe(&Description {
        builder_id: "https://builder.example",
        source_uri: "git+https://source.example/program",
        source: &source,
        image: None,
        lock: &lock(),
        lock_digest: Digest::of(b"lock"),
        root: &RootSpec {
            suites: vec!["bookworm".to_owned()],
            ..RootSpec::default()
        },
        invocation: &Invocation {
            command: vec!["cargo".to_owned(), "build".to_owned()],
            environment: BTreeMap::from([("RUSTFLAGS".to_owned(), "-C opt-level=2".to_owned())]),
        },
        packages: &linked_packages(),
        linked: &[
            linked("itoa", "1.0.15", None),
            linked("program", "0.1.0", Some("workload")),
        ],
        base: None,
        modules: &BTreeMap::new(),
    })
}

#[test]
fn provenance() {
    let bytes = described(describe::provenance).to_bytes().unwrap();
    testkit::golden(&golden("provenance.json"), &bytes);
}

fn files() -> Files {
    let program = Digests {
        path: "/workload".to_owned(),
        sha256: Digest::of(b"the program"),
        sha1: "9d75cc3f9e956e155e6bc7e4c5662c1a46b20a0e".to_owned(),
    };
    Files {
        digests: vec![program],
        ..Files::default()
    }
}

#[test]
fn sbom() {
    let sbom = described(|description| describe::sbom(description, &files())).unwrap();
    testkit::golden(&golden("sbom.cdx.json"), &sbom.to_bytes().unwrap());
}

#[test]
fn spdx() {
    let image = Digest::of(b"manifest");
    let spdx = described(|description| {
        let sbom = describe::sbom(description, &files()).unwrap();
        describe::spdx(description, &sbom, image, &files())
    });
    let spdx = spdx.unwrap();
    assert!(::sbom::parse(&spdx).is_ok());
    testkit::golden(&golden("sbom.spdx.json"), &spdx);
}
