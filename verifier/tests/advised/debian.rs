//! Packages of Debian, whose advisories are about source packages.

use attest::sbom::DebianPackage;
use serde_json::json;

use crate::advised::{Advised, advisory};
use crate::case;

/// The package that the C library comes in, by the name of its source and its release.
fn libc<'a>(source: Option<&'a str>, distribution: Option<&'a str>) -> DebianPackage<'a> {
    DebianPackage {
        name: "libc6-dev",
        version: "2.36-9",
        architecture: "amd64",
        distribution,
        source,
    }
}

/// What is said of an image with a package of Debian; the C library has an advisory for release 12.
fn debian(lines: &str, package: &DebianPackage<'_>) -> String {
    compared(lines, package, ["glibc", "2.36-10"])
}

/// What is said of an image with a package of Debian that is linked; a source has an advisory for release 12, and this version
/// is fixed.
fn compared(lines: &str, package: &DebianPackage<'_>, [source, fixed]: [&str; 2]) -> String {
    let mut advised = Advised::new(lines);
    let mut sbom = case::honest_sbom();
    sbom.add_package(package, content::Digest::of(b"p"));
    sbom.add_link("/workload", &attest::sbom::package_purl(package));
    let policy = advised.case.policy.clone();
    advised.case = case::Case::with_sbom(&sbom);
    advised.case.policy = policy;
    let mut value = advisory();
    value["affected"][0]["ranges"][0]["events"][1]["fixed"] = "0.14.0".into();
    advised.write("osv/crates/RUSTSEC-1969-0001.json", &value);
    value["id"] = "DSA-1-1".into();
    value["affected"] = json!([{
        "package": {"ecosystem": "Debian:12", "name": source},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
    }]);
    advised.write("osv/debian/DSA-1-1.json", &value);
    advised.without_rebuild().said()
}

#[test]
fn a_package_of_debian_needs_a_release() {
    let package = libc(Some("glibc"), None);
    let said = debian("", &package);
    let none = "package pkg:deb/debian/libc6-dev@2.36-9?arch=amd64&upstream=glibc: expected a release of Debian, as `distro` in the package \
                URL or as advisories.debian, found none";
    assert!(said.contains(none), "{said}");
    let said = debian("debian = \"bookworm\"", &package);
    assert!(
        said.contains("expected version 2.36-10, found 2.36-9"),
        "{said}"
    );
    let said = debian("debian = \"13\"", &package);
    let none =
        "FAIL advisories: advisories: expected advisories of Debian:13 in the database, found none";
    assert_eq!(said, none);
}

#[test]
fn a_package_of_debian_is_compared_by_its_source() {
    let said = debian("", &libc(Some("glibc"), Some("debian-12")));
    let purl = "pkg:deb/debian/libc6-dev@2.36-9?arch=amd64&distro=debian-12&upstream=glibc";
    let refused = format!("(high) about {purl}: expected version 2.36-10, found 2.36-9");
    assert!(said.contains(&refused), "{said}");
    let said = debian("", &libc(Some("glibc@2.36-10"), Some("debian-12")));
    let pass = "3 packages were compared with advisories; 1 of crates.io, the newest of 1969-12-01T00:00:00+00:00; 1 of Debian:12, the newest of \
                1969-12-01T00:00:00+00:00";
    assert_eq!(said, format!("pass advisories: advisories: {pass}"));
}

#[test]
fn a_package_that_is_linked_into_a_program_is_compared() {
    let package = DebianPackage {
        name: "zlib1g-dev",
        version: "1:1.2.13.dfsg-1",
        architecture: "amd64",
        distribution: Some("debian-12"),
        source: Some("zlib"),
    };
    let said = compared("", &package, ["zlib", "1:1.2.13.dfsg-2"]);
    let refused = "expected version 1:1.2.13.dfsg-2, found 1:1.2.13.dfsg-1";
    assert!(said.contains("DSA-1-1") && said.contains(refused), "{said}");
}

#[test]
fn a_list_without_sources_is_refused() {
    for (lines, distribution) in [
        ("", None),
        ("debian = \"12\"", None),
        ("", Some("debian-12")),
    ] {
        let said = debian(lines, &libc(None, distribution));
        let none = "FAIL advisories: advisories: expected the source packages of packages of Debian, as `upstream` in package URLs, which \
                    `builder build` writes after `builder lock` was run again, found 1 package URLs without, such as \
                    pkg:deb/debian/libc6-dev@2.36-9?arch=amd64";
        assert!(said.starts_with(none), "{said}");
        assert!(!said.contains("pass advisories"), "{said}");
    }
}
