//! Each attack is refused by the check that must refuse it. One ceremony plays all of them, which takes some minutes; the first
//! run needs the network, for the packages of the build root.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::{Command, Output};
use std::sync::LazyLock;

/// The ceremony with every attack.
static ALL: LazyLock<Output> = LazyLock::new(|| ceremony(&["--attack", "all"]));

fn ceremony(arguments: &[&str]) -> Output {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.args(arguments).output().unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The ceremony's tables. If one is missing, what the ceremony said is in the panic.
fn tables() -> String {
    let said = String::from_utf8_lossy(&ALL.stderr);
    let status = ALL.status;
    assert!(matches!(status.code(), Some(0 | 1)), "{status}: {said}");
    printed(&ALL)
}

/// Asserts that the row of an attack says that it was refused.
fn is_refused(name: &str) {
    let tables = tables();
    let mut rows = tables.lines().map(str::trim);
    let row = rows.find(|row| row.split(' ').next() == Some(name));
    let said = String::from_utf8_lossy(&ALL.stderr);
    let refused = row.is_some_and(|row| row.ends_with("  refused"));
    assert!(refused, "{row:?}: {said}");
}

macro_rules! attacks {
    ($($test:ident $name:literal)*) => {
        const NAMES: &[&str] = &[$($name),*];
        $(#[test] fn $test() { is_refused($name); })*
    };
}

attacks! {
    changed_byte "changed-byte"
    changed_source "changed-source"
    tampered_crate "tampered-crate"
    unknown_key "unknown-key"
    missing_countersignature "missing-countersignature"
    forged_countersignature "forged-countersignature"
    quorum_of_one "quorum-of-one"
    tutorial_provider "tutorial-provider"
    missing_countersignature_bound "missing-countersignature-bound"
    missing_party "missing-party"
    signature_of_another_digest "signature-of-another-digest"
    moved_tag "moved-tag"
    debug_image "debug-image"
    overridden_command "overridden-command"
    replayed_token "replayed-token"
    foreign_key "foreign-key"
    revoked_digest "revoked-digest"
}

#[test]
fn each_attack_has_a_test() {
    let help = printed(&ceremony(&["--help"]));
    let (_, listed) = help.split_once("refuse each:\n").unwrap();
    let name = |line: &str| Some(line.strip_prefix("  ")?.to_owned());
    let names: Vec<_> = listed.lines().filter_map(name).collect();
    let names: Vec<_> = names.iter().filter(|name| !name.starts_with(' ')).collect();
    assert_eq!(names, NAMES.iter().collect::<Vec<_>>());
}

#[test]
fn the_tables_are_those_of_the_transcript() {
    let mut found = String::new();
    let mut are_seconds = false;
    for line in tables().lines() {
        are_seconds = line.starts_with("  seconds") || are_seconds && !line.is_empty();
        found += &match are_seconds {
            true => format!(
                "{}SECONDS\n",
                line.trim_end_matches(|c: char| c.is_ascii_digit())
            ),
            false => format!("{}\n", without_names(line)),
        };
    }
    assert_eq!(found, include_str!("transcripts/ceremony-attack-all.txt"));
}

/// The line without addresses and digests, which differ between ceremonies.
fn without_names(line: &str) -> String {
    let line = replaced(line, "127.0.0.1:", |c| c.is_ascii_digit(), "REGISTRY");
    replaced(&line, "sha256:", |c| c.is_ascii_hexdigit(), "DIGEST")
}

/// The line with `beginning`, and the characters after it that belong to it, replaced once.
fn replaced(line: &str, beginning: &str, belongs: fn(char) -> bool, with: &str) -> String {
    match line.split_once(beginning) {
        Some((before, after)) => format!("{before}{with}{}", after.trim_start_matches(belongs)),
        None => line.to_owned(),
    }
}
