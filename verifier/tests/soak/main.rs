//! Mutants of everything that is accepted. None makes the code panic, and none is accepted with another meaning.
//!
//! A short run is a test. `just soak` runs a million; the variables `MUTANTS`, `SEED` and `FIRST` (the number of the
//! first mutant) choose others. Certificates are new in each run, so that a bundle of a finding is saved with its root.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod bundles;
#[path = "../case/mod.rs"]
mod case;
#[path = "../certified/mod.rs"]
mod certified;
mod documents;
mod images;
mod run;
mod signed;
mod subject;
mod tokens;
#[allow(dead_code, reason = "other tests use all of it")]
#[path = "../../../crates/keyless/tests/world/mod.rs"]
mod world;

use std::env;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use run::{Plan, Show};
use subject::Subject;

fn subjects() -> Vec<Subject> {
    let mut subjects = bundles::subjects();
    subjects.extend(signed::subjects());
    subjects.extend(tokens::subjects());
    subjects.extend(images::subjects());
    subjects.extend(documents::subjects());
    subjects
}

#[test]
fn no_mutant_of_a_short_run_is_accepted_with_another_meaning() {
    let plan = Plan {
        mutants: 2000,
        seed: 1,
        first: 0,
        show: Show::Nothing,
    };
    let report = run::run(&subjects(), &plan);
    assert!(report.findings.is_empty(), "{report}");
    // A subject of which no mutant is accepted, or none refused, would not be read at all.
    for (name, counts) in &report.counts {
        assert!(counts.refused > 0 && counts.same > 0, "{name}: {report}");
    }
}

#[test]
#[ignore = "takes minutes; `just soak` runs it"]
fn soak() {
    let plan = Plan {
        mutants: variable("MUTANTS").unwrap_or(1_000_000),
        seed: variable("SEED").unwrap_or_else(any_seed),
        first: variable("FIRST").unwrap_or(0),
        show: Show::Progress,
    };
    let report = run::run(&subjects(), &plan);
    run::say(&report.to_string());
    assert!(report.findings.is_empty(), "there are findings");
}

/// The value of a variable that is set and not empty.
fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok().filter(|text| !text.is_empty())?;
    let value = text.parse().ok();
    Some(value.unwrap_or_else(|| panic!("{name} is not a number: {text}")))
}

fn any_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::from(since.subsec_nanos()) ^ since.as_secs()
}
