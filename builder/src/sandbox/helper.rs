//! The helper: this program once more, in the two stages of [`isolate::stages`]. The inner stage stays the first
//! process of the sandbox and watches the program.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use isolate::namespaces::Namespaces;
use isolate::process::Process;
use isolate::stages;
use isolate::step::{At as _, Refusal, Step};
use isolate::supervise::{self, Ended};
use isolate::users::{self, Id};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::umask;

use super::links::{self, Traced};
use super::plan::{Plan, Report, Task};
use super::{absent, mounts, restrict};

/// The user and group ID of the build in the sandbox, for all users of the builder.
const USER: u32 = 1000;
/// The host name in the sandbox.
const HOSTNAME: &[u8] = b"countersign";

/// The roles in which this program executes itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Creates namespaces, and only reports whether that is allowed.
    Probe,
    /// The outer stage.
    Outer,
    /// The inner stage.
    Inner,
}

impl Role {
    /// The role that a command line names by its only argument.
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

/// Does the work of `role`: reads a plan from standard input and reports on standard output.
pub fn play(role: Role) -> ExitCode {
    let outcome = match role {
        Role::Probe => leave_machine(),
        Role::Outer => outer(),
        Role::Inner => inner(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            // If the builder has ended, this cannot be reported.
            let _ = report(&Report::Refused(refusal));
            ExitCode::FAILURE
        }
    }
}

fn outer() -> Result<(), Refusal> {
    let inner = stages::outer(&[Role::Inner.argument()], || {
        leave_machine()?;
        // The user that a build sees has no capabilities in the inner stage otherwise.
        isolate::privileges::keep().at(Step::Identity)
    })?;
    inner.wait().map(drop).at(Step::FirstProcess)
}

fn leave_machine() -> Result<(), Refusal> {
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

fn inner() -> Result<(), Refusal> {
    let Task { plan, limits } = stages::inner()?;
    umask(Mode::from_raw_mode(0o022));
    mounts::enter(&plan, limits)?;
    rustix::system::sethostname(HOSTNAME).at(Step::Hostname)?;
    rustix::system::setdomainname(b"").at(Step::Hostname)?;
    restrict::restrict(&plan, limits)?;
    let writable = plan.writable.first().map(|path| &**path);
    let ended = supervise::run(&plan.process, plan.output, writable, limits);
    // An error means that the builder has ended, so that it cannot be reported.
    let _ = conclude(started(ended, &plan.process)?, &plan);
    Ok(())
}

/// If the program was not found, says what does not exist.
fn started(ended: io::Result<Ended>, process: &Process) -> Result<Ended, Refusal> {
    let explained = match &ended {
        Err(error) if error.kind() == io::ErrorKind::NotFound => absent::explain(process),
        _ => None,
    };
    ended.at(Step::Program).map_err(|refusal| Refusal {
        cause: explained.unwrap_or(refusal.cause),
        ..refusal
    })
}

fn conclude(ended: Ended, plan: &Plan) -> io::Result<()> {
    let (status, output) = match ended {
        Ended::Exceeded(resource) => return report(&Report::Exceeded { resource }),
        Ended::Itself(status, output) => (status, output),
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => match supervise::left_behind()? {
            Some(process) => report(&Report::LeftBehind { process }),
            None => match links::trace(plan) {
                Ok(traced) => hand_out(&output, &traced, &plan.products),
                Err(reason) => report(&Report::Untraced { reason }),
            },
        },
        (Some(code), _) => report(&Report::Exited { code }),
        (None, signal) => report(&Report::Killed {
            signal: signal.unwrap_or_default(),
        }),
    }
}

fn hand_out(output: &[u8], traced: &Traced, products: &[PathBuf]) -> io::Result<()> {
    let traced = serde_json::to_vec(traced)?;
    let (mut sizes, mut files) = (Vec::new(), Vec::new());
    for product in products {
        match open(product) {
            Ok((size, file)) => {
                sizes.push(size);
                files.push(file);
            }
            Err(error) => {
                return report(&Report::Missing {
                    product: product.clone(),
                    errno: error.raw_os_error().unwrap_or_default(),
                });
            }
        }
    }
    report(&Report::Done {
        output: output.len() as u64,
        traced: traced.len() as u64,
        products: sizes,
    })?;
    let mut out = io::stdout().lock();
    out.write_all(output)?;
    out.write_all(&traced)?;
    for mut file in files {
        io::copy(&mut file, &mut out)?;
    }
    out.flush()
}

/// A regular file, and its size. To open a pipe would wait for a process that writes to it, and all have ended.
fn open(path: &Path) -> io::Result<(u64, File)> {
    match std::fs::metadata(path)? {
        found if found.is_file() => {}
        found if found.is_dir() => return Err(Errno::ISDIR.into()),
        _ => return Err(Errno::INVAL.into()),
    }
    let file = File::open(path)?;
    Ok((file.metadata()?.len(), file))
}

fn report(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
