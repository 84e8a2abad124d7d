//! A bill of materials against the bytes of an image: an honest one, and one for each fault that can be planted in it, in
//! the image or in `Cargo.lock`. Each fault is found and named.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../command/mod.rs"]
mod command;
mod modules;
#[path = "../../../crates/sbom/tests/program/mod.rs"]
mod program;
mod urls;
mod world;

use std::fs;
use std::path::Path;

use attest::sbom::DebianPackage;
use content::Digest;
use program::program;
use serde_json::{Value, json};
use tempfile::TempDir;
use verifier::contents::{Contents, ContentsError};
use verifier::inventory::{Inventory, View};
use world::{CRATES, Case, Content, file, hashes, with_crates};

#[test]
fn an_honest_bill_of_materials_has_no_fault() {
    let unshown = vec!["pkg:deb/debian/libc6-dev@2.36?arch=amd64".to_owned()];
    assert_eq!(Case::honest().report(), (Vec::new(), unshown));
    // Without lists of crates, only a rebuild shows them.
    let mut stripped = Case::honest();
    stripped.link(&program(".text", b"code"));
    let (faults, unshown) = stripped.report();
    assert_eq!((faults, unshown.len()), (Vec::new(), 3));
}

/// An image with a program inside another component, whose crates are not listed.
fn with_program_inside(kind: &str, purl: &str, binary: &[u8]) -> Case {
    let mut case = Case::honest();
    case.put("base", binary);
    let file = json!({"type": "file", "name": "/base", "hashes": hashes(binary)});
    let (_, version) = purl.split_once('@').unwrap();
    let version = version.split('?').next().unwrap();
    case.push(json!({
        "type": kind, "name": "outside", "version": version, "purl": purl, "components": [file],
    }));
    case
}

const BASE: &str = "pkg:oci/outside@sha256:00?repository_url=registry.example/outside";

#[test]
fn crates_of_a_program_of_the_base_need_no_component() {
    let binary = with_crates(&[("app", "2.0.0"), ("serde", "1.0.0")]);
    let case = with_program_inside("container", BASE, &binary);
    assert_eq!(case.report().0, Vec::<String>::new());
    // A rebuild knows which files are of the base.
    let own = case.with_delivered(&["/base"]);
    assert_eq!(own, Vec::<String>::new());
    assert_eq!(case.with_delivered(&["/etc/config"]).len(), 4);
    // A Debian package brings its files as they are, as well.
    let package = with_program_inside("library", "pkg:deb/debian/outside@2", &binary);
    assert_eq!(package.report().0, Vec::<String>::new());
    assert_eq!(package.with_delivered(&["/etc/config"]).len(), 4);
    let other = with_program_inside("library", "pkg:generic/outside@2", &binary);
    assert_eq!(other.report().0.len(), 4);
    // They may be listed.
    let mut listed = with_program_inside("container", BASE, &binary);
    let purl = "pkg:cargo/serde@1.0.0";
    listed.push(json!({"type": "library", "name": "serde", "version": "1.0.0", "purl": purl}));
    let faults = listed.report().0;
    assert_eq!(faults, ["crate serde 1.0.0 is not in Cargo.lock"]);
}

#[test]
fn a_program_of_the_base_that_cannot_be_read_is_a_fault() {
    let binary = program(".dep-v0", b"garbage");
    let faults = with_program_inside("container", BASE, &binary).report().0;
    assert!(faults[0].starts_with("program base: "), "{faults:?}");
}

/// A change to the honest case.
type Plant = fn(&mut Case);

/// Faults with their names.
const PLANTED: &[(&str, Plant)] = &[
    (
        "file bin/backdoor of the image belongs to no component",
        |case| case.put("bin/backdoor", b"x"),
    ),
    (
        "file var/a/c of the image belongs to no component",
        |case| case.remove(5),
    ),
    (
        "file etc/removed of the image belongs to no component",
        |case| {
            case.layers[1].remove("etc/.wh.removed");
        },
    ),
    (
        "file var/a/b of the image belongs to no component",
        |case| {
            case.layers[1].remove("var/a/.wh..wh..opq");
        },
    ),
    (
        "file bin/hidden of the image belongs to no component",
        |case| {
            case.layers[1].insert("bin/hidden", Content::HardLink("bin/app"));
        },
    ),
    ("file etc/config: expected sha256:", |case| {
        case.put("etc/config", b"another")
    }),
    ("file bin/same: expected sha256:", |case| {
        case.layers[1].insert("bin/same", Content::HardLink("var/a/c"));
    }),
    ("file var/a/c is not in the image", |case| {
        case.layers[1].remove("var/a/c");
    }),
    ("file etc/removed is not in the image", |case| {
        case.push(json!({"type": "file", "name": "/etc/removed", "hashes": hashes(b"removed")}));
    }),
    ("file /bin/app is not in the image", |case| {
        case.components[0]["name"] = "//bin/app".into()
    }),
    ("file bin/../bin/app is not in the image", |case| {
        case.components[0]["name"] = "bin/../bin/app".into()
    }),
    ("file bin/app is listed twice", |case| {
        case.push(json!({"type": "file", "name": "bin/app", "hashes": hashes(b"other")}));
    }),
    ("file var/a/c is listed without one SHA-256", |case| {
        case.components[5]["hashes"] =
            json!([{"alg": "SHA-1", "content": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"}]);
    }),
    ("file var/a/c is listed without one SHA-256", |case| {
        let both = [hashes(b"new")[0].clone(), hashes(b"other")[0].clone()];
        case.components[5]["hashes"] = json!(both);
    }),
    (
        "crate openssl 0.10.0 of program bin/app is no component",
        |case| {
            case.lock
                .push_str("[[package]]\nname = \"openssl\"\nversion = \"0.10.0\"\n");
            case.link(&with_crates(&[CRATES[0], CRATES[1], ("openssl", "0.10.0")]));
        },
    ),
    (
        "crate ring 0.17.14 of program bin/app is no component",
        |case| case.remove(3),
    ),
    (
        "crate ring 0.17.13 of program bin/app is no component",
        |case| {
            case.link(&with_crates(&[CRATES[0], ("ring", "0.17.13")]));
        },
    ),
    ("crate ring 0.17.14 is in no program of the image", |case| {
        case.link(&with_crates(&CRATES[..1]))
    }),
    (
        "component left-pad 1.0.0 has neither a file in the image nor a crate or module in a program",
        |case| {
            case.push(json!({"type": "library", "name": "left-pad", "version": "1.0.0"}));
        },
    ),
    (
        "component settings has neither a file in the image nor a crate or module in a program",
        |case| {
            case.components[4] = json!({"type": "library", "name": "settings"});
            case.push(json!({"type": "file", "name": "/etc/config", "hashes": hashes(b"config")}));
        },
    ),
    (
        "component ring 0.17.13 has the package URL of ring 0.17.14",
        |case| {
            case.components[3]["version"] = "0.17.13".into();
        },
    ),
    (
        "component rings 0.17.14 has the package URL of ring 0.17.14",
        |case| {
            case.components[3]["name"] = "rings".into();
        },
    ),
    (
        "package URL pkg:cargo/ring@0.17.14 has different digests",
        |case| {
            let both = [hashes(b"ring")[0].clone(), hashes(b"other")[0].clone()];
            case.components[3]["hashes"] = json!(both);
        },
    ),
    (
        "crate ring 0.17.14 has another checksum in Cargo.lock",
        |case| {
            let other = hashes(b"another ring")[0].clone();
            case.components[3]["hashes"] = json!([other.clone(), other]);
        },
    ),
    (
        "program bin/app: reading the crates of a program: ",
        |case| {
            case.link(&program(".dep-v0", b"not compressed"));
        },
    ),
    (
        "program bin/app: reading the crates of a program: the list does not have exactly one root",
        |case| {
            case.link(&with_crates(&CRATES[1..]));
        },
    ),
    ("crate ring 0.17.14 is not in Cargo.lock", |case| {
        case.lock = case.lock.replace("0.17.14", "0.17.13")
    }),
    (
        "crate ring 0.17.14 has another checksum in Cargo.lock",
        |case| {
            case.lock = case.lock.replace("checksum = \"", "checksum = \"00");
        },
    ),
    (
        "crate ring 0.17.14 has another checksum in Cargo.lock",
        |case| {
            case.components[3]["hashes"] = hashes(b"another ring");
        },
    ),
];

#[test]
fn each_planted_fault_is_found_and_named() {
    assert!(PLANTED.len() >= 20);
    for (name, plant) in PLANTED {
        let mut case = Case::honest();
        plant(&mut case);
        let (faults, _) = case.report();
        assert!(
            faults.iter().any(|fault| fault.starts_with(name)),
            "{name}: {faults:?}"
        );
    }
}

#[test]
fn files_of_an_spdx_package_show_it() {
    let folder = TempDir::new().unwrap();
    let (layout, image) = Case {
        layers: vec![[("a", file(b"a"))].into()],
        ..Case::honest()
    }
    .layout(folder.path());
    let contents = Contents::read(image, &|descriptor| {
        Ok(Box::new(layout.open_blob(&descriptor.digest).unwrap()))
    });
    let contents = contents.unwrap();
    let inventory = Inventory::of(&contents, View::Container);
    let digest = Digest::of(b"a").hex();
    let text = format!(
        "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\n\
        DocumentNamespace: https://example.com/a\nCreator: Tool: t\nCreated: 2026-01-02T03:04:05Z\n\
        PackageName: p\nSPDXID: SPDXRef-p\nPackageDownloadLocation: NONE\n\
        FileName: ./a\nSPDXID: SPDXRef-a\nFileChecksum: SHA256: {digest}\n"
    );
    let check = |text: &str| {
        inventory
            .check(&sbom::parse(text.as_bytes()).unwrap(), None)
            .faults
    };
    assert_eq!(check(&text), []);
    let elsewhere = text.replace(
        "PackageName",
        "FileName: ./b\nSPDXID: SPDXRef-b\nFileChecksum: SHA256: 00\nPackageName",
    );
    let elsewhere = elsewhere.replace("SHA256: 00", &format!("SHA256: {digest}"));
    assert_eq!(check(&elsewhere).len(), 1);
    let (before, after) = text.split_once("PackageName").unwrap();
    let (package, file) = after.split_once("FileName").unwrap();
    let apart = format!("{before}FileName{file}PackageName{package}");
    let faults: Vec<_> = check(&apart).iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        ["component p has neither a file in the image nor a crate or module in a program"]
    );
}

#[test]
fn the_spdx_that_the_builder_writes_agrees_with_its_image() {
    let mut case = Case::honest();
    let mut bill = attest::Sbom::new();
    let purl = |index: usize| format!("pkg:cargo/{}@{}", CRATES[index].0, CRATES[index].1);
    for (name, version) in CRATES {
        bill.add_crate(name, version, Digest::of(name.as_bytes()));
    }
    bill.add_dependency(&purl(0), &purl(1));
    let libc = DebianPackage {
        name: "libc6-dev",
        version: "2.36-9",
        architecture: "amd64",
        distribution: Some("debian-12"),
        source: Some("glibc"),
    };
    bill.add_package(&libc, Digest::of(b"libc"));
    let binary = with_crates(&CRATES);
    let files: [(&str, &[u8]); 4] = [
        ("/bin/app", &binary),
        ("/bin/same", &binary),
        ("/etc/config", b"config"),
        ("/var/a/c", b"new"),
    ];
    for (path, bytes) in files {
        bill.add_file(path, Digest::of(bytes));
    }
    let sha1 = files.map(|(path, _)| (path.to_owned(), "0".repeat(40)));
    let spdx = bill.to_spdx(&attest::sbom::Spdx {
        image: Digest::of(b"manifest"),
        sha1: &sha1.into(),
        created: "2026-11-28T19:09:00Z",
        application: Some(&purl(0)),
    });
    let spdx = spdx.unwrap();
    let (faults, unshown) = case.compared(&spdx);
    assert_eq!((faults, unshown.len()), (Vec::new(), 1));
    case.put("bin/backdoor", b"x");
    let backdoor = "file bin/backdoor of the image belongs to no component";
    assert_eq!(case.compared(&spdx).0, [backdoor]);
}

/// A list takes megabytes in memory, and a few kilobytes in the image.
#[test]
fn the_lists_of_all_programs_have_a_limit() {
    let name = "x".repeat(7 << 20);
    let binary = with_crates(&[CRATES[0], (name.as_str(), "1.0.0")]);
    let read = |count: u8| {
        let layer = (0..count).map(|index| {
            let path: &'static str = Box::leak(format!("program{index}").into_boxed_str());
            (path, file(&[&binary[..], &[index]].concat()))
        });
        let folder = TempDir::new().unwrap();
        let case = Case {
            layers: vec![layer.collect()],
            ..Case::honest()
        };
        let (layout, image) = case.layout(folder.path());
        Contents::read(image, &|descriptor| {
            Ok(Box::new(layout.open_blob(&descriptor.digest).unwrap()))
        })
    };
    assert!(read(1).is_ok());
    assert!(matches!(read(40), Err(ContentsError::Damage(_))));
}

/// Runs `verifier check sbom WORDS` in a folder; gives the exit status, standard output and standard error.
fn run(folder: &Path, words: &[&str]) -> (i32, String, String) {
    command::check(folder, &[&["sbom"], words].concat())
}

#[test]
fn the_command_compares_with_a_layout_or_its_archive() {
    let folder = TempDir::new().unwrap();
    let mut case = Case::honest();
    case.layout(&folder.path().join("layout"));
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("honest", case.document().as_bytes());
    write("lock", case.lock.as_bytes());
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_dir_all(".", folder.path().join("layout"))
        .unwrap();
    write("archive", &archive.into_inner().unwrap());
    for image in ["layout", "archive"] {
        let words = ["honest", "--image", image, "--lock", "lock"];
        let (status, out, error) = run(folder.path(), &words);
        let expected = "accepted: cyclonedx-json 1.6, 8 components, 4 of them files; \
            only a rebuild shows whether 1 of them are in the image\n";
        assert_eq!((status, out.as_str()), (0, expected), "{error}");
    }
    case.remove(5);
    write("faulty", case.document().as_bytes());
    let (status, _, error) = run(folder.path(), &["faulty", "--image", "layout"]);
    assert_eq!(status, 1, "{error}");
    assert!(
        error.contains("file var/a/c of the image belongs to no component"),
        "{error}"
    );
    let (status, out, _) = run(folder.path(), &["faulty", "--image", "layout", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, report["faults"].as_array().unwrap().len()), (1, 1));
    write("unlocked", b"package = 1");
    for (words, expected, reason) in [
        (
            ["honest", "--image", "honest", "--lock", "lock"],
            1,
            "refused",
        ),
        (
            ["honest", "--image", "absent", "--lock", "lock"],
            2,
            "reading absent",
        ),
        (
            ["honest", "--image", "layout", "--lock", "absent"],
            2,
            "reading absent",
        ),
        (
            ["honest", "--image", "layout", "--lock", "unlocked"],
            1,
            "reading unlocked",
        ),
    ] {
        let (status, _, error) = run(folder.path(), &words);
        assert_eq!(status, expected, "{words:?}: {error}");
        assert!(error.contains(reason), "{words:?}: {error}");
    }
    let blob = fs::read_dir(folder.path().join("layout/blobs/sha256")).unwrap();
    for entry in blob {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let (status, _, error) = run(folder.path(), &["honest", "--image", "layout"]);
    assert_eq!(status, 1, "{error}");
}
