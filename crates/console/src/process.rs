//! Child processes.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process_group};

/// The program that sets attributes of a process before it executes another program. A process with several threads
/// cannot safely run its own code between fork and exec.
const SETPRIV: &str = "setpriv";
/// Interval between checks whether a process has ended.
const TICK: Duration = Duration::from_millis(20);

/// Whether a program may use the network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Network {
    /// It may, as the user has configured it.
    Allowed,
    /// It may not.
    Forbidden,
}

/// A program that is not installed.
#[derive(Debug, thiserror::Error)]
#[error("starting {}: program not found", .0.display())]
pub struct Absent(pub OsString);

/// A command that runs `program` in a new process group. The kernel sends it SIGTERM when the thread that started it
/// ends for any reason.
///
/// # Errors
/// `program`, or `setpriv` of util-linux, is not installed.
pub fn bound(program: impl AsRef<OsStr>) -> Result<Command, Absent> {
    let program = program.as_ref();
    for needed in [OsStr::new(SETPRIV), program] {
        find(needed)?;
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "TERM", "--"]).arg(program);
    command.process_group(0);
    Ok(command)
}

/// Checks that a program is installed. Otherwise `setpriv` would report the error, without the name of the program.
///
/// # Errors
/// It is not installed.
pub fn find(program: &OsStr) -> Result<(), Absent> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = match Path::new(program).components().count() {
        1 => std::env::split_paths(&path).any(|folder| folder.join(program).is_file()),
        _ => Path::new(program).is_file(),
    };
    match found {
        true => Ok(()),
        false => Err(Absent(program.to_owned())),
    }
}

/// Sends SIGTERM to the process group that `id` leads, and kills it if `has_ended` does not become true within
/// `patience`.
pub fn end_group(id: u32, patience: Duration, mut has_ended: impl FnMut() -> bool) {
    signal_group(id, Signal::TERM);
    let asked = Instant::now();
    while asked.elapsed() < patience && !has_ended() {
        thread::sleep(TICK);
    }
    signal_group(id, Signal::KILL);
}

/// Sends a signal to the process group that `id` leads. An error is ignored: a group that has ended needs none.
pub fn signal_group(id: u32, signal: Signal) {
    if let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        for missing in ["no-such-program", "/nowhere/builder"] {
            assert_eq!(bound(missing).unwrap_err().0, missing);
        }
    }

    #[test]
    fn a_process_ends_with_the_thread_that_started_it() {
        let start = || {
            let mut shell = bound("sh").unwrap();
            let shell = shell.args(["-c", "echo up; exec sleep 600"]);
            let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
            child
                .stdout
                .take()
                .unwrap()
                .read_exact(&mut [0; 3])
                .unwrap();
            child
        };
        let mut child = thread::spawn(start).join().unwrap();
        let end = child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&end);
        assert_eq!(signal, Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn a_group_that_does_not_end_is_killed() {
        let mut shell = bound("sh").unwrap();
        let mut child = shell
            .args(["-c", "trap '' TERM; sleep 600"])
            .spawn()
            .unwrap();
        end_group(child.id(), Duration::from_millis(50), || false);
        let end = child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&end).unwrap();
        assert!([Signal::TERM.as_raw(), Signal::KILL.as_raw()].contains(&signal));
    }
}
