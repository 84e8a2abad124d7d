//! `verifier check` as a process.

use std::path::Path;
use std::process::Command;

/// Runs `verifier check WORDS` in a folder; gives the exit status, standard output and standard error.
pub fn check(folder: &Path, words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
    command.arg("check").args(words).current_dir(folder);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}
