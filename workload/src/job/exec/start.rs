//! Starts the program.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use nix::unistd::Uid;
use tee::Secret;

use super::error::ExecError;
use super::guard::{self, Place};
use super::hand_over::{fetch_all, hand_over};
use super::program::{Program, RESERVED, Wanted};
use super::shim;
use super::supervise::Running;

/// Fetches all secrets, hands them to the program, and starts it. Once this returns, this process has no secret any more.
///
/// # Errors
/// The error of `fetch`; or this process cannot hide the token socket, a secret cannot be handed over, or the program cannot be
/// started.
pub fn start<E: From<ExecError>>(
    program: &Program,
    place: &Place,
    fetch: &mut dyn FnMut(&Wanted) -> Result<Secret, E>,
) -> Result<Running, E> {
    guard::check_user(Uid::effective())?;
    guard::protect_memory()?;
    guard::close(&place.closed)?;
    let secrets = fetch_all(program, fetch)?;
    Ok(start_with(program, &secrets, place)?)
}

fn start_with(program: &Program, secrets: &[Secret], place: &Place) -> Result<Running, ExecError> {
    let mut command = command(program);
    let handed = hand_over(program, secrets, place, &mut command)?;
    let running = Running::start(command, handed.folder);
    // The program has its own copies of these.
    drop(handed.descriptors);
    running.map_err(|source| ExecError::Start {
        program: program.command[0].clone(),
        source,
    })
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(shim::SELF);
    command
        .arg(shim::MARK)
        .args(&program.command)
        .uid(program.user.uid)
        .gid(program.user.gid)
        .stdin(Stdio::null());
    // The signatures on the image are here, and whatever else an operator may set; the program trusts these names.
    let reserved = std::env::vars_os().map(|(name, _)| name);
    let reserved = reserved.filter(|name| name.as_encoded_bytes().starts_with(RESERVED.as_bytes()));
    reserved.for_each(|name| {
        command.env_remove(name);
    });
    command
}
