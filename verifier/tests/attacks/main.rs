//! Attacks on verifiers of signatures, thirty of which are known from other projects. `testdata/attacks/attacks.toml` lists
//! them with the cases of each and the reason that each case is refused for; this test has a function for each case.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../advised/mod.rs"]
mod advised;
mod advisories;
mod bundles;
#[path = "../case/mod.rs"]
mod case;
mod certificates;
#[path = "../certified/mod.rs"]
mod certified;
#[path = "../command/mod.rs"]
mod command;
mod evidence;
mod images;
mod keys;
mod policies;
#[path = "../../../crates/sbom/tests/program/mod.rs"]
mod program;
mod registry;
mod roots;
#[path = "../shelf/mod.rs"]
mod shelf;
mod statements;
mod timestamps;
#[path = "../tuf/mod.rs"]
mod tuf;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../../crates/keyless/tests/world/mod.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;

use serde::Deserialize;

/// What was said of an input that was accepted.
const ACCEPTED: &str = "accepted";

/// What is said where a program is missing that makes the input.
const SKIPPED: &str = "skipped";

/// A name, and what is said of the input.
type Case = (&'static str, fn() -> String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    attack: Vec<Attack>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    number: u32,
    attack: String,
    seen: Option<String>,
    cases: BTreeMap<String, String>,
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/attacks/attacks.toml");
    content::toml::parse(std::fs::read(path).unwrap()).unwrap()
}

fn cases() -> BTreeMap<&'static str, fn() -> String> {
    let all = [
        advisories::CASES,
        bundles::CASES,
        certificates::CASES,
        evidence::CASES,
        images::CASES,
        keys::CASES,
        policies::CASES,
        registry::CASES,
        roots::CASES,
        statements::CASES,
        timestamps::CASES,
    ];
    let listed = all.iter().map(|cases| cases.len()).sum::<usize>();
    let cases: BTreeMap<_, _> = all.into_iter().flatten().copied().collect();
    assert_eq!(cases.len(), listed, "two cases have one name");
    cases
}

/// What is said of a result that must be an error.
fn said<T, E: Display>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => ACCEPTED.to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Whether a reason is what is said. A reason of one word is a code, and is the whole first line: other codes begin with it.
fn is_for(said: &str, reason: &str) -> bool {
    match reason.contains(' ') {
        true => said.contains(reason),
        false => said.lines().next() == Some(reason),
    }
}

#[test]
fn each_attack_is_refused_for_its_reason() {
    let cases = cases();
    let mut wrong = Vec::new();
    for attack in table().attack {
        for (name, reason) in attack.cases {
            let said = cases.get(name.as_str()).map(|case| case());
            let said = said.unwrap_or_else(|| "there is no such case".to_owned());
            if said == SKIPPED {
                continue;
            }
            // An attack without effect is one that the input stands in spite of.
            let is_refused = !said.starts_with(ACCEPTED);
            if is_refused != name.ends_with("_fail") || !is_for(&said, &reason) {
                let number = attack.number;
                wrong.push(format!(
                    "{number} {name}: expected {reason:?}, found {said:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_each_attack_and_each_case_once() {
    let table = table();
    let numbers: Vec<_> = table.attack.iter().map(|attack| attack.number).collect();
    assert_eq!(numbers, (1..=31).collect::<Vec<_>>());
    let mut listed = BTreeSet::new();
    for attack in &table.attack {
        let named = attack.seen.as_deref().is_none_or(|seen| !seen.is_empty());
        assert!(named && !attack.attack.is_empty(), "{}", attack.number);
        assert!(!attack.cases.is_empty(), "{}", attack.number);
        for (name, reason) in &attack.cases {
            assert!(!reason.is_empty(), "{name}");
            assert!(listed.insert(name.as_str()), "{name} is listed twice");
        }
    }
    let made: BTreeSet<_> = cases().into_keys().collect();
    assert_eq!(listed, made);
}
