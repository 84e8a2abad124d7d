//! What keeps the ceremony from starting is told in one sentence, with what helps, as exit status 2.
#![allow(clippy::unwrap_used, reason = "a test panics")]

#[path = "../../builder/tests/told/mod.rs"]
mod told;

use std::process::Command;

use told::told;

#[test]
fn an_attack_that_nobody_knows() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.args(["--attack", "bribery"]);
    assert!(told("ceremony", ceremony).contains("\"bribery\""));
}

#[test]
fn no_room_for_the_stage() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("TMPDIR", "/dev/null");
    assert!(told("ceremony", ceremony).contains("/dev/null"));
}
