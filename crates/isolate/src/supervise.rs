//! The first process of a PID namespace starts the program, reads its output, watches its limits, and finds processes
//! that it left behind.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use serde::{Deserialize, Serialize};

use crate::limits::{Limits, Resource};
use crate::process::Process;
use crate::usage;

/// How often the limits are checked.
const INTERVAL: Duration = Duration::from_millis(50);

/// The destination of a program's standard output.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Output {
    /// To the user, as its standard error does.
    User,
    /// To the caller, when the program succeeds.
    Returned,
}

/// How a program ended.
pub enum Ended {
    /// It exited, with this status and output.
    Itself(ExitStatus, Vec<u8>),
    /// It exceeded a limit. It still runs, and is killed when this process ends.
    Exceeded(Resource),
}

/// Runs the program until it ends or exceeds a limit. `writable` is a folder of the file system whose files are limited.
///
/// # Errors
/// The program cannot be started, or `/proc` cannot be read.
pub fn run(
    process: &Process,
    output: Output,
    writable: Option<&Path>,
    limits: Limits,
) -> io::Result<Ended> {
    let mut program = start(process, output)?;
    let handle = pidfd_open(Pid::from_child(&program), PidfdFlags::empty())?;
    let mut output = Pipe::of(program.stdout.take())?;
    let mut looked = Instant::now();
    loop {
        let has_ended = wait(&handle, &output)?;
        output.read(limits.output())?;
        if output.is_over(limits.output()) {
            return Ok(Ended::Exceeded(Resource::Output));
        }
        if has_ended || looked.elapsed() >= INTERVAL {
            if let Some(resource) = usage::exceeded(limits, writable)? {
                return Ok(Ended::Exceeded(resource));
            }
            looked = Instant::now();
        }
        if has_ended {
            return Ok(Ended::Itself(program.wait()?, output.bytes));
        }
    }
}

fn start(process: &Process, output: Output) -> io::Result<Child> {
    let stdout = match output {
        Output::User => io::stderr().as_fd().try_clone_to_owned()?.into(),
        Output::Returned => Stdio::piped(),
    };
    process
        .command()?
        .current_dir(&process.directory)
        .stdin(Stdio::null())
        .stdout(stdout)
        .spawn()
}

/// Waits for output, the end of the program, or the next check of limits. Returns whether the program has ended.
fn wait(handle: &OwnedFd, output: &Pipe) -> io::Result<bool> {
    let mut events = vec![PollFd::new(handle, PollFlags::IN)];
    events.extend(
        output
            .pipe
            .as_ref()
            .map(|pipe| PollFd::new(pipe, PollFlags::IN)),
    );
    let interval = Timespec::try_from(INTERVAL).map_err(io::Error::other)?;
    match poll(&mut events, Some(&interval)) {
        Ok(_) => Ok(!events[0].revents().is_empty()),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The output of the program so far. This does not wait until the pipe is closed, since other processes may hold it open.
struct Pipe {
    pipe: Option<ChildStdout>,
    bytes: Vec<u8>,
}

impl Pipe {
    fn of(pipe: Option<ChildStdout>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        let bytes = Vec::new();
        Ok(Self { pipe, bytes })
    }

    /// Reads the available output, up to one byte more than `limit` in total.
    fn read(&mut self, limit: u64) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(());
        };
        let room = (limit + 1).saturating_sub(self.bytes.len() as u64);
        match pipe.take(room).read_to_end(&mut self.bytes) {
            Ok(_) => self.pipe = None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn is_over(&self, limit: u64) -> bool {
        self.bytes.len() as u64 > limit
    }
}

/// The name of a process that did not end before the process that started it. The kernel makes each such process a child
/// of this process, which must wait for it even after its end. If there is none, all processes that ran have ended, and
/// no process is left that could change their results.
///
/// # Errors
/// The error of waitid(2), or `/proc` cannot be read.
pub fn left_behind() -> io::Result<Option<String>> {
    let seen = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::All, seen) {
        Err(Errno::ECHILD) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(status) => match status.pid() {
            Some(dead) => Ok(Some(name(&dead.to_string()))),
            None => Ok(Some(any_other()?)),
        },
    }
}

/// The name of a process other than this one.
fn any_other() -> io::Result<String> {
    for entry in fs::read_dir("/proc")? {
        let number = entry?.file_name();
        match number.to_str() {
            Some("1") | None => {}
            Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Ok(name(number));
            }
            Some(_) => {}
        }
    }
    Ok(String::new())
}

/// The name of a process (proc(5), `comm`).
fn name(number: &str) -> String {
    let text = fs::read(Path::new("/proc").join(number).join("comm")).unwrap_or_default();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}
