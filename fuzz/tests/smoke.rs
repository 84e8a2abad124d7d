//! Runs each target with its seeds, and with a fixed number of mutants of them, the same in every run.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::fs::DirEntry;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};

/// The number of mutants of one seed.
const MUTANTS: usize = 400;
/// Texts to which parsers give a special meaning.
const WORDS: [&str; 24] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "\\u0000",
    "-1",
    "1e400",
    "18446744073709551616",
    "\n\n",
    "=",
    "@",
    "sha256:",
    "../",
    "/",
    "\0",
    "\u{feff}",
    "\u{17f}",
    "(",
    "%00",
    "'",
];

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

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// One to three changes of `seed`, with parts of `other`.
fn mutant(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copied = bytes[at..end].to_vec();
                bytes.splice(at..at, copied);
            }
            3 => {
                let word = WORDS[random.below(WORDS.len())];
                bytes.splice(at..end, word.bytes());
            }
            4 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            5 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)],
            _ => {
                let from = random.below(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied());
            }
        }
    }
    bytes
}

/// Whether the parser accepts the bytes.
#[track_caller]
fn run(target: &Target, bytes: &[u8]) -> bool {
    let ended = catch_unwind(|| (target.run)(bytes));
    let printed = bytes.escape_ascii();
    ended.unwrap_or_else(|_| panic!("{} panics on b\"{printed}\"", target.name))
}

fn smoke(target: &Target) {
    let seeds = seeds(target);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for (name, seed) in &seeds {
        let expected = !name.starts_with("refused");
        assert_eq!(run(target, seed), expected, "{}/{name}", target.name);
        for _ in 0..MUTANTS {
            let (_, other) = &seeds[random.below(seeds.len())];
            run(target, &mutant(seed, other, &mut random));
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
