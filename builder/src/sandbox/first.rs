//! What the first process of a sandbox does when all is prepared: it starts the program, reads its output,
//! watches what it uses, and finds out what it has left behind.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::limits::{Limits, Resource};
use super::plan::{Output, Plan};
use super::usage;

/// How often the limits are looked at.
const INTERVAL: Duration = Duration::from_millis(50);

/// How a program ended.
pub(super) enum Ended {
    /// With this status and output.
    Itself(ExitStatus, Vec<u8>),
    /// It used more than it may.
    Exceeded(Resource),
}

/// Runs the program until it ends, or exceeds a limit. Then it still runs: it ends with this process.
pub(super) fn run(plan: &Plan, limits: Limits) -> io::Result<Ended> {
    let mut program = start(plan)?;
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
            if let Some(resource) = usage::exceeded(limits, &plan.writable)? {
                return Ok(Ended::Exceeded(resource));
            }
            looked = Instant::now();
        }
        if has_ended {
            return Ok(Ended::Itself(program.wait()?, output.bytes));
        }
    }
}

fn start(plan: &Plan) -> io::Result<Child> {
    let (program, arguments) = plan
        .command
        .split_first()
        .ok_or(io::ErrorKind::InvalidInput)?;
    let stdout = match plan.output {
        Output::People => io::stderr().as_fd().try_clone_to_owned()?.into(),
        Output::Returned => Stdio::piped(),
    };
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&plan.environment)
        .current_dir(&plan.directory)
        .stdin(Stdio::null())
        .stdout(stdout)
        .spawn()
}

/// Waits until there is something to do; tells whether the program has ended.
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

/// The program's output as far as it was read. Other processes may hold the pipe open, so that its end is
/// not waited for.
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

    /// Reads what is there, up to one byte more than `limit` in all.
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

/// The name of a process that did not end before the one that started it. The kernel makes each such process
/// a child of this one, where it stays, dead or alive, until this one asks for it. So if there is none, nothing
/// but the program and what it waited for has ever run, and nothing is left to change what they made.
pub(super) fn left_behind() -> io::Result<Option<String>> {
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

/// What a process calls itself.
fn name(number: &str) -> String {
    let text = fs::read(Path::new("/proc").join(number).join("comm")).unwrap_or_default();
    String::from_utf8_lossy(&text).trim_end().to_owned()
}
