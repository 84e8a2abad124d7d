//! Runs each target with its seeds, and with a fixed number of mutants of them, the same in every run.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};
use testkit::mutate::{Random, Seed};

/// The number of mutants of one seed.
const MUTANTS: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The seeds of a target by name. The names of those that its parser must refuse start with `refused`.
fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("corpus").join(target.name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let read = |entry: std::io::Result<DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read(entry.path()).unwrap())
    };
    let mut seeds: Vec<_> = entries.map(read).collect();
    seeds.sort();
    seeds
}

/// Whether the parser accepts the bytes.
#[track_caller]
fn run(target: &Target, bytes: &[u8]) -> bool {
    let ended = catch_unwind(|| (target.run)(bytes));
    let printed = bytes.escape_ascii();
    ended.unwrap_or_else(|_| panic!("{} panics on b\"{printed}\"", target.name))
}

fn smoke(target: &Target) {
    let seeds = seeds(target).into_iter();
    let seeds: Vec<_> = seeds
        .map(|(name, bytes)| (name, Seed::new(bytes)))
        .collect();
    let mut random = Random::new(1);
    for (name, seed) in &seeds {
        let expected = !name.starts_with("refused");
        assert_eq!(
            run(target, seed.bytes()),
            expected,
            "{}/{name}",
            target.name
        );
        for _ in 0..MUTANTS {
            let (_, other) = random.choose(&seeds);
            run(target, &seed.mutant(other, &mut random));
        }
    }
}

#[test]
fn targets_accept_their_seeds_and_do_not_panic() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || TARGETS.iter().skip(first).step_by(threads).for_each(smoke));
        }
    });
}

#[test]
fn every_target_has_seeds_and_a_program() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .map(|name| name.trim_end_matches(".rs").to_owned())
            .collect()
    };
    let targets: BTreeSet<_> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("libfuzzer/fuzz_targets"), targets);
    let manifest = std::fs::read_to_string(root().join("libfuzzer/Cargo.toml")).unwrap();
    for name in targets {
        let program = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&program), "{name}");
        let path = root().join(format!("libfuzzer/fuzz_targets/{name}.rs"));
        let called = format!("fuzz::run(\"{name}\", bytes)");
        assert!(
            std::fs::read_to_string(path).unwrap().contains(&called),
            "{name}"
        );
    }
}
