//! Bills of materials of other programs, in all their forms, against the image.

#[path = "../../../crates/sbom/tests/program/mod.rs"]
pub(super) mod program;

use super::*;
use case::{bundle, honest_provenance, legacy_signature, to_value};
use program::{compressed, program};
use serde_json::Value;

pub(super) const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SPDX: &str = "https://spdx.dev/Document";

/// An image of these files with a signed bill of materials, under a policy that requires no rebuild.
pub(super) fn billed(files: &[(&str, &[u8])], kind: &str, bill: Value) -> Case {
    let mut case = Case::bare();
    let contents = stored(files).contents();
    let digest = contents.image().image_digest();
    case.image.digest = digest;
    case.published.image = case.image.clone();
    case.published.contents = Some(contents);
    case.rebuild = Rebuild::Absent;
    let required = "[rebuild]\nrequire = true";
    case.policy = case.policy.replace(required, "[rebuild]\nrequire = false");
    let key = &case.keys.builder;
    let signed =
        |kind: &str, predicate| bundle(key, kind, statement(REPOSITORY, &digest, kind, predicate));
    let provenance = to_value(&honest_provenance());
    case.published.pieces = vec![
        legacy_signature(key, REPOSITORY, &digest),
        signed(attest::Provenance::PREDICATE.uri, provenance),
        signed(kind, bill),
    ];
    case
}

#[track_caller]
pub(super) fn passes(case: &Case) {
    let verdict = case.verdict();
    let failures = case::failures(&verdict);
    assert!(matches!(verdict, Verdict::Pass(_)), "{failures:#?}");
}

fn hashes(bytes: &[u8]) -> Value {
    json!([{"alg": "SHA-256", "content": Digest::of(bytes).hex()}])
}

fn cyclonedx(components: Value) -> Value {
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components})
}

fn spdx(path: &str, bytes: &[u8]) -> Value {
    let element = |from: &str, kind: &str, to: &str| json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to});
    json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "image",
        "documentNamespace": "https://example.com/image",
        "creationInfo": {"created": "2026-01-02T03:04:05Z", "creators": ["Tool: t"]},
        "packages": [
            {"SPDXID": "SPDXRef-image", "name": "image", "downloadLocation": "NOASSERTION"},
            {"SPDXID": "SPDXRef-program", "name": "program", "downloadLocation": "NOASSERTION"},
        ],
        "files": [{"SPDXID": "SPDXRef-file", "fileName": path,
            "checksums": [{"algorithm": "SHA256", "checksumValue": Digest::of(bytes).hex()}]}],
        "relationships": [
            element("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
            element("SPDXRef-program", "CONTAINS", "SPDXRef-file"),
        ],
    })
}

#[test]
fn the_bill_of_another_program_counts_in_each_form() {
    let files: [(&str, &[u8]); 1] = [("workload", b"1")];
    let file = json!({"type": "file", "name": "/workload", "hashes": hashes(b"1")});
    let nested = cyclonedx(json!([
        {"type": "application", "name": "program", "version": "1", "components": [file]},
        {"type": "library", "name": "libc6", "version": "2.36", "purl": "pkg:deb/debian/libc6@2.36?arch=amd64&distro=debian-12"},
        {"type": "operating-system", "name": "debian", "version": "12"},
    ]));
    passes(&billed(&files, CYCLONEDX, nested));
    let case = billed(&files, SPDX, spdx("./workload", b"1"));
    passes(&case);
    let verdict = case.verdict();
    let mut details = verdict.findings().iter().map(detail);
    let named = "https://spdx.dev/Document by builder matches image and policy";
    assert!(
        details.any(|detail| detail.starts_with(named)),
        "{verdict:#?}"
    );
    let digest = Digest::of(b"1").hex();
    let text = format!(
        "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\n\
        DocumentNamespace: https://example.com/a\nCreator: Tool: t\nCreated: 2026-01-02T03:04:05Z\n\
        PackageName: p\nSPDXID: SPDXRef-p\nPackageDownloadLocation: NONE\n\
        FileName: ./workload\nSPDXID: SPDXRef-a\nFileChecksum: SHA256: {digest}\n"
    );
    passes(&billed(&files, SPDX, text.into()));
}

#[test]
fn a_bill_of_one_type_is_not_read_as_the_other() {
    let files: [(&str, &[u8]); 1] = [("workload", b"1")];
    let refused = billed(&files, CYCLONEDX, spdx("./workload", b"1"));
    refused.refused_by(&[SBOM], "statement: expected ");
    let refused = billed(&files, SPDX, cyclonedx(json!([])));
    refused.refused_by(&[SBOM], "statement: expected ");
}

#[test]
fn an_incomplete_bill_names_what_it_leaves_out() {
    let names: Vec<String> = (0..20)
        .map(|index| format!("usr/bin/tool{index}"))
        .collect();
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"2"[..]))
        .collect();
    files.push(("workload", b"1"));
    let incomplete = billed(&files, SPDX, spdx("./workload", b"1"));
    let reason = format!(
        "file usr/bin/tool0: expected {}, found none",
        Digest::of(b"2")
    );
    incomplete.refused_by(&[SBOM], &reason);
    incomplete.refused_by(&[SBOM], "further files: expected 0, found 12");
    let other = billed(&files[20..], SPDX, spdx("./workload", b"2"));
    let reason = format!("expected {}, found {}", Digest::of(b"1"), Digest::of(b"2"));
    other.refused_by(&[SBOM], &reason);
}

#[test]
fn the_crates_of_the_program_are_compared_without_a_rebuild() {
    let list = json!({"packages": [
        {"name": "app", "version": "1.0.0", "source": "local", "root": true, "dependencies": [1]},
        {"name": "ring", "version": "0.17.14", "source": "crates.io"},
    ]});
    let binary = program(".dep-v0", &compressed(&list.to_string()));
    let files: [(&str, &[u8]); 1] = [("workload", &binary)];
    let one = |name: &str, version: &str| json!({"type": "library", "name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}")});
    let bill = |crates: &[Value]| {
        let mut all = vec![json!({"type": "file", "name": "/workload", "hashes": hashes(&binary)})];
        all.extend_from_slice(crates);
        billed(&files, CYCLONEDX, cyclonedx(all.into()))
    };
    let (app, ring) = (one("app", "1.0.0"), one("ring", "0.17.14"));
    passes(&bill(&[app.clone(), ring.clone()]));
    let unlisted = "components: expected what is in the image, found crate ring 0.17.14 of program workload is no component";
    bill(std::slice::from_ref(&app)).refused_by(&[SBOM], unlisted);
    let more = [app.clone(), ring.clone(), one("left-pad", "1.0.0")];
    bill(&more).refused_by(
        &[SBOM],
        "crate left-pad 1.0.0 is in no program of the image",
    );
    let renamed = json!({"type": "library", "name": "harmless", "version": "0.17.14", "purl": "pkg:cargo/ring@0.17.14"});
    bill(&[app.clone(), renamed]).refused_by(
        &[SBOM],
        "component harmless 0.17.14 has the package URL of ring 0.17.14",
    );
    let twice = [b"a", b"b"].map(|bytes| {
        let mut one = ring.clone();
        one["hashes"] = hashes(bytes);
        one
    });
    let [first, second] = twice;
    bill(&[app, first, second]).refused_by(
        &[SBOM],
        "package URL pkg:cargo/ring@0.17.14 has different digests",
    );
    let package = json!({"type": "library", "name": "harmless", "version": "1", "purl": "pkg:deb/debian/libc6@1?arch=amd64"});
    bill(&[one("app", "1.0.0"), ring, package]).refused_by(
        &[SBOM],
        "component harmless 1 has the package URL of libc6 1",
    );
}
