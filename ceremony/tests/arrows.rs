//! Who may depend on whom: programs -> remote -> oci -> content, and nothing upwards.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates of this project that each crate may use. A crate that is missing here fails the test.
const ARROWS: &[(&str, &[&str])] = &[
    ("advisories", &["content", "sbom"]),
    ("console", &["content"]),
    ("content", &[]),
    ("elf", &[]),
    ("expression", &[]),
    ("isolate", &[]),
    ("rego", &[]),
    ("scratch", &[]),
    ("testkit", &[]),
    ("oci", &["content"]),
    ("signature", &["content"]),
    ("keyless", &["content", "signature"]),
    ("sbom", &["content", "elf"]),
    ("attest", &["content", "sbom"]),
    ("trust", &["content", "keyless", "signature"]),
    ("confidential", &["content"]),
    ("google", &["confidential", "content"]),
    ("grant", &["content", "google", "oci"]),
    (
        "verdicts",
        &["attest", "console", "content", "grant", "signature"],
    ),
    ("remote", &["content", "oci"]),
    (
        "signer",
        &[
            "attest",
            "content",
            "google",
            "keyless",
            "oci",
            "remote",
            "signature",
        ],
    ),
    (
        "gcp",
        &["console", "content", "google", "grant", "remote", "signer"],
    ),
    (
        "builder",
        &[
            "attest",
            "confidential",
            "console",
            "content",
            "elf",
            "google",
            "isolate",
            "keyless",
            "oci",
            "remote",
            "sbom",
            "scratch",
            "signature",
            "signer",
        ],
    ),
    (
        "verifier",
        &[
            "advisories",
            "attest",
            "confidential",
            "console",
            "content",
            "expression",
            "gcp",
            "google",
            "grant",
            "keyless",
            "oci",
            "rego",
            "remote",
            "sbom",
            "scratch",
            "signature",
            "signer",
            "trust",
            "verdicts",
        ],
    ),
    (
        "client",
        &[
            "console", "content", "gcp", "google", "grant", "oci", "verdicts",
        ],
    ),
    (
        "emulator",
        &[
            "confidential",
            "console",
            "content",
            "expression",
            "google",
            "isolate",
            "oci",
            "remote",
            "scratch",
            "signature",
        ],
    ),
    (
        "ceremony",
        &["attest", "console", "content", "google", "scratch"],
    ),
    ("tee", &["confidential", "content", "google"]),
    ("workload", &["confidential", "content", "google", "tee"]),
    // Each parser, those of the programs included.
    (
        "fuzz",
        &[
            "advisories",
            "attest",
            "builder",
            "confidential",
            "content",
            "expression",
            "google",
            "grant",
            "keyless",
            "oci",
            "sbom",
            "signature",
            "signer",
            "verifier",
        ],
    ),
];

/// The programs. They exchange files and requests only, also in their tests.
const PROGRAMS: [&str; 6] = [
    "builder", "verifier", "client", "emulator", "ceremony", "workload",
];

/// Crates that must not depend on a network library.
const OFFLINE: [&str; 14] = [
    "advisories",
    "content",
    "elf",
    "oci",
    "signature",
    "keyless",
    "trust",
    "sbom",
    "attest",
    "confidential",
    "google",
    "grant",
    "expression",
    "rego",
];
const NETWORK: [&str; 12] = [
    "curl",
    "h2",
    "hyper",
    "mio",
    "native-tls",
    "oci-client",
    "openssl",
    "reqwest",
    "rustls",
    "socket2",
    "tokio",
    "ureq",
];

/// Crates that send HTTP requests by themselves.
const CLIENTS: [&str; 6] = ["attohttpc", "curl", "isahc", "minreq", "reqwest", "ureq"];

type Names = BTreeSet<String>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// The packages of both workspaces.
fn packages() -> Vec<Value> {
    let workspace = |manifest| {
        let metadata = cargo(&[
            "metadata",
            "--format-version=1",
            "--no-deps",
            "--offline",
            "--manifest-path",
            manifest,
        ]);
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        metadata["packages"].as_array().unwrap().clone()
    };
    ["Cargo.toml", "workload/Cargo.toml"]
        .into_iter()
        .flat_map(workspace)
        .collect()
}

fn name(item: &Value) -> String {
    item["name"].as_str().unwrap().to_owned()
}

/// Dependencies by path, of the kinds (`dev`, `build`, null) that are wanted.
fn ours(package: &Value, is_wanted: fn(&Value) -> bool) -> Names {
    let dependencies = package["dependencies"].as_array().unwrap();
    let ours = dependencies
        .iter()
        .filter(|d| d["path"].is_string() && is_wanted(&d["kind"]));
    ours.map(name).collect()
}

fn names(names: &[&str]) -> Names {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn arrows_point_down_only() {
    let found: BTreeMap<_, _> = packages()
        .iter()
        .map(|p| (name(p), ours(p, |kind| kind != "dev")))
        .collect();
    let drawn: BTreeMap<_, _> = ARROWS
        .iter()
        .map(|(name, used)| ((*name).to_owned(), names(used)))
        .collect();
    assert_eq!(found, drawn);
}

#[test]
fn tests_use_no_other_program() {
    for package in packages() {
        let programs: Vec<_> = ours(&package, |kind| kind == "dev")
            .into_iter()
            .filter(|used| PROGRAMS.contains(&used.as_str()))
            .collect();
        assert!(programs.is_empty(), "{}: {programs:?}", name(&package));
    }
}

/// The packages that are linked into the package of `manifest`, or build it.
fn linked(manifest: &str) -> Names {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--locked",
        "--edges=normal,build",
        "--prefix=none",
        "--format={p}",
        "--manifest-path",
        manifest,
    ]);
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn no_network_below_remote() {
    for name in OFFLINE {
        let used = linked(&format!("crates/{name}/Cargo.toml"));
        let network: Vec<_> = used.intersection(&names(&NETWORK)).cloned().collect();
        assert!(network.is_empty(), "{name} depends on {network:?}");
    }
}

#[test]
fn a_program_links_one_http_client() {
    for program in PROGRAMS {
        let used = linked(&format!("{program}/Cargo.toml"));
        let clients: Vec<_> = used.intersection(&names(&CLIENTS)).cloned().collect();
        assert_eq!(clients.len(), 1, "{program} links {clients:?}");
    }
}

fn manifest(folder: &Path) -> toml::Table {
    let path = folder.join("Cargo.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn folder(package: &Value) -> PathBuf {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_owned()
}

/// Whether a package is the workload or one of its dependencies.
fn enters_the_image(package: &Value) -> bool {
    let (_, used) = ARROWS.iter().find(|(name, _)| *name == "workload").unwrap();
    let name = name(package);
    name == "workload" || used.contains(&name.as_str())
}

/// Whether anything is taken from the manifest of a workspace.
fn inherits(value: &toml::Value) -> bool {
    match value {
        toml::Value::Table(table) => table
            .iter()
            .any(|(key, value)| (key == "workspace" && value.is_bool()) || inherits(value)),
        toml::Value::Array(items) => items.iter().any(inherits),
        _ => false,
    }
}

#[test]
fn crates_in_the_image_inherit_nothing() {
    let packages = packages();
    let entering: Vec<_> = packages.iter().filter(|p| enters_the_image(p)).collect();
    assert_eq!(entering.len(), 5);
    for package in entering {
        let manifest = toml::Value::Table(manifest(&folder(package)));
        let name = name(package);
        assert!(
            !inherits(&manifest),
            "{name} has the root manifest as an input"
        );
    }
}

/// Crates that enter the image write the lints out, and forbid `unsafe` where the others may allow it by
/// name; everything else inherits them.
#[test]
fn every_crate_keeps_the_lints() {
    let mut written = manifest(&root())["workspace"]["lints"].clone();
    written["rust"]["unsafe_code"] = "forbid".into();
    let inherited = toml::toml! { workspace = true };
    for package in packages() {
        let expected = match enters_the_image(&package) {
            true => written.clone(),
            false => toml::Value::Table(inherited.clone()),
        };
        assert_eq!(
            manifest(&folder(&package))["lints"],
            expected,
            "{}",
            name(&package)
        );
    }
}
