//! Modules of a program of Go, as the builder names them.

use attest::sbom::{module_purl, own_module_purl};
use serde_json::json;

use crate::program::program;
use crate::world::{Case, hashes};

/// A program with a module that was replaced by another.
fn replaced() -> Vec<u8> {
    let mark = "m".repeat(16);
    let modules = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\n\
                   dep\texample.org/c\tv1.0.0\n=>\texample.org/d\tv2.0.0\th1:x=\n";
    let mut info = b"\xff Go buildinf:\x08\x02".to_vec();
    info.resize(32, 0);
    for text in ["go1.26.0".to_owned(), format!("{mark}{modules}{mark}")] {
        let length = u8::try_from(text.len()).unwrap();
        match length {
            0..0x80 => info.push(length),
            _ => info.extend([length, 1]),
        }
        info.extend(text.bytes());
    }
    program(".go.buildinfo", &info)
}

/// The faults of a bill of materials that has the vendored module under this name and version.
fn faults(name: &str, version: &str) -> Vec<String> {
    let mut case = Case::honest();
    let binary = replaced();
    case.put("bin/go", &binary);
    case.push(json!({"type": "file", "name": "/bin/go", "hashes": hashes(&binary)}));
    for (name, version, purl) in [
        ("stdlib", "1.26.0", module_purl("stdlib", "1.26.0")),
        (
            "example.org/app",
            "0a0a",
            own_module_purl("example.org/app", "0a0a", "app"),
        ),
        (
            name,
            version,
            own_module_purl(name, version, "app/vendor/example.org/c"),
        ),
    ] {
        case.push(json!({"type": "library", "name": name, "version": version, "purl": purl, "hashes": hashes(b"source")}));
    }
    case.report().0
}

#[test]
fn modules_of_a_program_of_a_package_need_no_component() {
    let binary = replaced();
    let with = |purl: &str| {
        let mut case = Case::honest();
        case.put("bin/go", &binary);
        let file = json!({"type": "file", "name": "/bin/go", "hashes": hashes(&binary)});
        case.push(json!({"type": "library", "name": "tool", "version": "1", "purl": purl, "components": [file]}));
        case
    };
    for purl in ["pkg:deb/debian/tool@1?arch=amd64", "pkg:pypi/tool@1"] {
        assert_eq!(with(purl).report().0, Vec::<String>::new());
    }
    let mut listed = with("pkg:deb/debian/tool@1?arch=amd64");
    let purl = module_purl("example.org/d", "v2.0.0");
    listed.push(
        json!({"type": "library", "name": "example.org/d", "version": "v2.0.0", "purl": purl}),
    );
    assert_eq!(listed.report().0, Vec::<String>::new());
    let faults = with("pkg:generic/tool@1").report().0;
    assert!(
        faults
            .iter()
            .any(|one| one.contains("example.org/d v2.0.0")),
        "{faults:?}"
    );
    // Another program in its place, and one that a rebuild knows to be of no package.
    let mut other = with("pkg:deb/debian/tool@1?arch=amd64");
    assert_ne!(other.with_delivered(&[]), Vec::<String>::new());
    other.put("bin/go", &[&binary[..], b"other"].concat());
    let faults = other.with_delivered(&["/bin/go"]);
    assert!(
        faults[0].starts_with("file bin/go: expected sha256:"),
        "{faults:?}"
    );
}

#[test]
fn a_vendored_module_is_listed_as_what_it_was_replaced_by() {
    assert_eq!(faults("example.org/d", "v2.0.0"), Vec::<String>::new());
    for (name, version) in [("example.org/c", "v2.0.0"), ("example.org/c", "v1.0.0")] {
        let faults = faults(name, version);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(
            faults
                .iter()
                .any(|one| one.contains("example.org/d v2.0.0")),
            "{faults:?}"
        );
    }
}
