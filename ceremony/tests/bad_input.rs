//! If the ceremony cannot start, it prints one error with a hint, and has exit status 2.
#![allow(clippy::unwrap_used, reason = "a test panics")]

#[path = "../../builder/tests/failure/mod.rs"]
mod failure;

use std::os::unix::fs::symlink;
use std::process::Command;

use failure::{fails, fails_with_few_files};

#[test]
fn an_unknown_attack() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.args(["--attack", "bribery"]);
    assert!(fails("ceremony", ceremony).contains("\"bribery\""));
}

#[test]
fn no_folder_for_the_stage() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("TMPDIR", "/dev/null");
    assert!(fails("ceremony", ceremony).contains("/dev/null"));
}

#[test]
fn no_folder_for_inputs() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env_remove("HOME").env_remove("XDG_CACHE_HOME");
    assert!(fails("ceremony", ceremony).contains("neither XDG_CACHE_HOME nor HOME"));
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
        let said = fails("ceremony", ceremony);
        assert!(said.contains(&format!("starting {missing}: ")), "{said}");
    }
}

/// git would use that repository instead of the one that it is given.
#[test]
fn a_repository_that_the_environment_names() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("GIT_DIR", "/nowhere").env("CARGO", "false");
    assert!(fails("ceremony", ceremony).contains("running false build "));
}

#[test]
fn few_open_files() {
    let mut ceremony = Command::new(env!("CARGO_BIN_EXE_ceremony"));
    ceremony.env("CARGO", "false");
    fails_with_few_files("ceremony", &ceremony);
}
