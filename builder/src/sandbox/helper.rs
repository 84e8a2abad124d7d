//! The helper: this program once more, with one thread, so that it may change what it is.
//!
//! Its first process leaves the host's namespaces; only a child of it can be the first process of
//! the new process namespace. That child makes the file system, gives up all privileges and starts
//! the program. When it ends, for whatever reason, the kernel ends all that is left.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use isolate::lifetime;
use isolate::namespaces::Namespaces;
use isolate::users::{self, Id};
use rustix::fs::Mode;
use rustix::process::{setsid, umask};

use super::first::{self, Ended};
use super::plan::{At, Refusal, Report, Step, Task};
use super::{mounts, restrict};

/// The user that a build sees itself as, whoever runs it.
const USER: u32 = 1000;
/// The host name that a build sees.
const HOSTNAME: &[u8] = b"countersign";
/// Bytes of a plan.
const PLAN: u64 = 1 << 20;
/// This program's own file, also when it was replaced meanwhile.
const SELF: &str = "/proc/self/exe";

/// A part that this program plays for itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Leaves the host's namespaces, and says only whether that is allowed.
    Probe,
    /// Leaves the host's namespaces.
    Outer,
    /// Is the first process of the new ones.
    Inner,
}

impl Role {
    /// The role that a command line asks for: its first argument, and there is no other.
    pub fn of_arguments(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> Option<Self> {
        let first = arguments.next()?;
        [Self::Probe, Self::Outer, Self::Inner]
            .into_iter()
            .find(|role| first == role.argument())
    }

    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::Probe => "sandbox-probe",
            Self::Outer => "sandbox-outer",
            Self::Inner => "sandbox-inner",
        }
    }
}

/// Plays `role`: reads a plan from standard input and reports on standard output.
pub fn play(role: Role) -> ExitCode {
    let outcome = match role {
        Role::Probe => leave_host(),
        Role::Outer => outer(),
        Role::Inner => inner(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refusal { step, errno }) => {
            // Nobody is left to tell when this fails.
            let _ = report(&Report::Refused { step, errno });
            ExitCode::FAILURE
        }
    }
}

fn outer() -> Result<(), Refusal> {
    isolate::descriptors::close_inherited().at(Step::Files)?;
    let plan = read_plan().at(Step::Plan)?;
    leave_host()?;
    setsid().at(Step::Lifetime)?;
    live_with_parent().at(Step::Lifetime)?;
    isolate::privileges::keep().at(Step::Identity)?;
    hand_over(&plan).at(Step::FirstProcess)
}

fn leave_host() -> Result<(), Refusal> {
    let outside = Id::effective();
    isolate::namespaces::enter(namespaces()).at(Step::Namespaces)?;
    let inside = Id {
        uid: USER,
        gid: USER,
    };
    users::open_proc()
        .and_then(|proc| users::map(proc.as_fd(), inside, outside))
        .at(Step::Identity)
}

fn namespaces() -> Namespaces {
    Namespaces::CLONE_NEWUSER
        | Namespaces::CLONE_NEWNS
        | Namespaces::CLONE_NEWPID
        | Namespaces::CLONE_NEWNET
        | Namespaces::CLONE_NEWUTS
        | Namespaces::CLONE_NEWIPC
        | Namespaces::CLONE_NEWCGROUP
}

/// The parent keeps its end of our standard input open as long as it lives.
fn live_with_parent() -> io::Result<()> {
    lifetime::end_with_parent()?;
    match lifetime::is_abandoned(io::stdin().as_fd())? {
        true => Err(rustix::io::Errno::PIPE.into()),
        false => Ok(()),
    }
}

fn hand_over(plan: &[u8]) -> io::Result<()> {
    let mut inner = Command::new(SELF)
        .arg(Role::Inner.argument())
        .env_clear()
        .stdin(Stdio::piped())
        .spawn()?;
    // Kept to the end: that it closes tells the child that we are gone.
    let mut stdin = inner.stdin.take();
    if let Some(stdin) = &mut stdin {
        stdin.write_all(plan)?;
    }
    inner.wait().map(drop)
}

fn inner() -> Result<(), Refusal> {
    let bytes = read_plan().at(Step::Plan)?;
    live_with_parent().at(Step::Lifetime)?;
    let Task { plan, limits } = serde_json::from_slice(&bytes).at(Step::Plan)?;
    umask(Mode::from_raw_mode(0o022));
    mounts::enter(&plan, limits)?;
    rustix::system::sethostname(HOSTNAME).at(Step::Hostname)?;
    rustix::system::setdomainname(b"").at(Step::Hostname)?;
    restrict::restrict(&plan, limits)?;
    let ended = first::run(&plan, limits).at(Step::Program)?;
    // This fails when the reader is gone, and then there is nothing to tell.
    let _ = conclude(ended, plan.product.as_deref());
    Ok(())
}

fn conclude(ended: Ended, product: Option<&Path>) -> io::Result<()> {
    let (status, output) = match ended {
        Ended::Exceeded(resource) => return report(&Report::Exceeded { resource }),
        Ended::Itself(status, output) => (status, output),
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => match first::left_behind()? {
            Some(process) => report(&Report::LeftBehind { process }),
            None => hand_out(&output, product),
        },
        (Some(code), _) => report(&Report::Exited { code }),
        (None, signal) => report(&Report::Killed {
            signal: signal.unwrap_or_default(),
        }),
    }
}

fn hand_out(output: &[u8], product: Option<&Path>) -> io::Result<()> {
    let (size, mut file) = match product.map(open).transpose() {
        Ok(opened) => opened.map_or((0, None), |(size, file)| (size, Some(file))),
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or_default();
            return report(&Report::Missing { errno });
        }
    };
    report(&Report::Done {
        output: output.len() as u64,
        product: size,
    })?;
    let mut out = io::stdout().lock();
    out.write_all(output)?;
    if let Some(file) = &mut file {
        io::copy(file, &mut out)?;
    }
    out.flush()
}

/// A regular file, and its size.
fn open(path: &Path) -> io::Result<(u64, File)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((metadata.len(), file)),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// One line; standard input stays open behind it.
fn read_plan() -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(io::Read::take(io::stdin().lock(), PLAN));
    reader.read_until(b'\n', &mut line)?;
    match line.ends_with(b"\n") {
        true => Ok(line),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn report(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
