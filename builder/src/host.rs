//! The three programs of the host that a build calls before the network is cut. None of them is
//! trusted for content: what they give is compared with digests.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A program of the host that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It cannot be started.
    #[error("starting {program}: {source}")]
    Start {
        /// Which one.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// It ended with another exit status than 0.
    #[error("running {program} {arguments}: {said}")]
    Failed {
        /// Which one.
        program: &'static str,
        /// What it was asked.
        arguments: String,
        /// What it said.
        said: String,
    },
}

/// Asks git about the repository that holds `folder`.
///
/// # Errors
/// git is missing or refuses.
pub fn git<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Result<Vec<u8>, HostError> {
    run("git", git_command(folder).args(arguments))
}

/// A git that runs nothing that a repository could ask for by its own configuration.
pub fn git_command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command.args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

/// Has cargo fetch all crates of the lock beside `manifest`, from wherever it is configured to.
///
/// # Errors
/// cargo is missing or cannot fetch.
pub fn cargo_fetch(manifest: &Path) -> Result<(), HostError> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // A toolchain that the caller's cargo has chosen must not be looked up in the staged source.
    command
        .args(["fetch", "--locked", "--manifest-path"])
        .arg(manifest);
    run("cargo", &mut command).map(drop)
}

/// The text that was signed in `signed`, if one of the keys in `keyring` has signed it.
///
/// # Errors
/// gpgv is missing, or there is no such signature.
pub fn gpgv(keyring: &Path, signed: &Path) -> Result<Vec<u8>, HostError> {
    run(
        "gpgv",
        Command::new("gpgv")
            .arg("--keyring")
            .arg(keyring)
            .args(["--output", "-"])
            .arg(signed),
    )
}

fn run(program: &'static str, command: &mut Command) -> Result<Vec<u8>, HostError> {
    let command = command.stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|source| HostError::Start { program, source })?;
    check(program, command, output)
}

/// Gives standard output if the program succeeded.
///
/// # Errors
/// It did not.
pub fn check(
    program: &'static str,
    command: &Command,
    output: Output,
) -> Result<Vec<u8>, HostError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let arguments = command.get_args().map(|a| a.to_string_lossy().into_owned());
    let said = String::from_utf8_lossy(&output.stderr);
    Err(HostError::Failed {
        program,
        arguments: arguments.collect::<Vec<_>>().join(" "),
        said: said.trim().chars().take(2000).collect(),
    })
}
