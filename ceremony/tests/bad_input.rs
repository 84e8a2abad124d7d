//! What keeps the ceremony from starting is told in one sentence, with what helps, as exit status 2.
#![allow(clippy::unwrap_used, reason = "a test panics")]

#[path = "../../builder/tests/told/mod.rs"]
mod told;

use std::os::unix::fs::symlink;
use std::process::Command;

use told::{told, told_with_few_files};

#[test]
fn an_unknown_attack() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.args(["--attack", "bribery"]);
    assert!(told("ceremony", ceremony).contains("\"bribery\""));
}

#[test]
fn no_folder_for_the_stage() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("TMPDIR", "/dev/null");
    assert!(told("ceremony", ceremony).contains("/dev/null"));
}

#[test]
fn no_folder_for_inputs() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env_remove("HOME").env_remove("XDG_CACHE_HOME");
    assert!(told("ceremony", ceremony).contains("neither XDG_CACHE_HOME nor HOME"));
}

#[test]
fn a_tool_that_is_missing() {
    let tools = ["cargo", "git", "setpriv"];
    let path = std::env::var_os("PATH").unwrap();
    for missing in tools {
        let folder = scratch::Scratch::new().unwrap();
        for tool in tools.into_iter().filter(|tool| *tool != missing) {
            let mut folders = std::env::split_paths(&path).map(|folder| folder.join(tool));
            let found = folders.find(|file| file.is_file()).unwrap();
            symlink(found, folder.path().join(tool)).unwrap();
        }
        let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
        ceremony.env("PATH", folder.path()).env_remove("CARGO");
        let said = told("ceremony", ceremony);
        assert!(said.contains(&format!("starting {missing}: ")), "{said}");
    }
}

/// git would look there instead of where it is told to.
#[test]
fn a_repository_that_the_environment_names() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("GIT_DIR", "/nowhere").env("CARGO", "false");
    assert!(told("ceremony", ceremony).contains("running false build "));
}

#[test]
fn few_open_files() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("CARGO", "false");
    told_with_few_files("ceremony", &ceremony);
}
