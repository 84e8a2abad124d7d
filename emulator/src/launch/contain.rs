//! The helper that becomes the container: this program, executed again in the two stages of [`isolate::stages`].
//!
//! The inner stage becomes the user of the image, in a user namespace that owns none of its mounts, gives up all
//! capabilities that this user does not have in Confidential Space, and executes the workload. If the outer stage ends, the inner stage ends, and with it, since it is
//! process 1, all processes of the workload. The workload has no open file of the launcher: its input is empty, and
//! its outputs are pipes or discarded.
//!
//! The launcher passes the task on standard input, a socket. The outer stage answers through the same socket: with a
//! [`Report`].

mod identity;
mod mapper;
mod mounts;
mod restrict;

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use isolate::process::Process;
use isolate::resources;
use isolate::stages::{self, end_with_starter};
use isolate::step::{At as _, Refusal, Step};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{Shutdown, shutdown};
use rustix::process::{Resource, setsid};
use rustix::stdio;
use serde::{Deserialize, Serialize};

use super::user::{User, UserError};

/// An empty input.
const NULL: &str = "/dev/null";
/// The exit status of a helper that failed; the cause is reported through its socket.
const FAILED: u8 = 125;
/// Open files that the launcher allows a container (google/go-tpm-tools, `launcher`).
const OPEN_FILES: u64 = 131_072;

/// A stage of the helper.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Stage {
    /// Creates namespaces, and waits.
    Outer,
    /// Is process 1.
    Inner,
    /// Maps the users of process 1.
    Map,
}

impl Stage {
    /// The arguments that start the helper, as in `emulator contain outer`.
    pub fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Outer => [COMMAND, "outer"],
            Self::Inner => [COMMAND, "inner"],
            Self::Map => [COMMAND, "map"],
        }
    }
}

/// The hidden command that starts the helper.
pub const COMMAND: &str = "contain";

/// A container.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Spec {
    /// The folder with the image's files.
    pub root: PathBuf,
    /// The folder that launcher and container share.
    pub share: PathBuf,
    /// The workload. Its working directory is below `/`, and is made if the image does not have it.
    pub process: Process,
    /// The user that it runs as, as in the configuration of the image.
    pub user: String,
    /// The host name.
    pub host_name: String,
}

/// What the helper tells the launcher.
#[derive(Debug, Deserialize, Serialize)]
pub enum Report {
    /// The workload has started, as the process with this ID.
    Started(u32),
    /// It could not be started.
    Failed(String),
}

/// Why a stage failed.
#[derive(Debug, thiserror::Error)]
enum ContainError {
    #[error(transparent)]
    Step(#[from] Refusal),
    #[error(transparent)]
    User(#[from] UserError),
    #[error("running {program:?}: {source}")]
    Exec { program: String, source: io::Error },
}

/// Does the work of a stage. Returns the exit status of the workload, or 128 and the number of the signal that ended
/// it. The process must have one thread.
pub fn run(stage: Stage) -> u8 {
    match stage {
        Stage::Outer => outer().unwrap_or_else(|refusal| {
            report(&Report::Failed(refusal.to_string()));
            FAILED
        }),
        Stage::Inner => inner(),
        Stage::Map => mapper::run().map_or(FAILED, |()| 0),
    }
}

/// The exit status of a process that has ended: 128 and the number of the signal, if a signal ended it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(FAILED)
}

fn outer() -> Result<u8, Refusal> {
    let arguments = Stage::Inner.arguments();
    let mut inner = stages::outer(&arguments, identity::enter_namespaces)?;
    let failure = inner.report().at(Step::FirstProcess)?;
    report(&match failure.is_empty() {
        true => Report::Started(inner.id()),
        false => Report::Failed(String::from_utf8_lossy(&failure).into_owned()),
    });
    // The launcher waits for the end of the report.
    shutdown(stdio::stdin(), Shutdown::Write).at(Step::FirstProcess)?;
    Ok(inner.wait().map_or(FAILED, exit_code))
}

/// If the launcher has ended, nothing can be reported.
fn report(report: &Report) {
    let report = serde_json::to_vec(report).unwrap_or_default();
    let _ = rustix::io::write(stdio::stdin(), &report);
}

fn inner() -> u8 {
    let Ok(socket) = fcntl_dupfd_cloexec(stdio::stdin(), 3) else {
        return FAILED;
    };
    let error = match become_workload(&socket) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // If the outer stage has ended, this cannot be reported.
    let _ = rustix::io::write(&socket, error.to_string().as_bytes());
    FAILED
}

fn become_workload(socket: &OwnedFd) -> Result<Infallible, ContainError> {
    let spec: Spec = stages::inner()?;
    // The workload gets a session in its own PID namespace.
    setsid().at(Step::Session)?;
    // Before the file system of the machine is gone, and this program with it.
    let mapper = identity::mapper()?;
    rustix::system::sethostname(spec.host_name.as_bytes()).at(Step::Hostname)?;
    let proc = mounts::make(&spec)?;
    replace_stdin()?;
    let user = User::find(&spec.user, Path::new("/"))?;
    enter_directory(&spec.process.directory)?;
    // After this, no path in the image is resolved except that of its program.
    let proc = proc.attach()?;
    resources::set(Resource::Nofile, OPEN_FILES).at(Step::Limits)?;
    identity::become_user(user, proc.as_fd(), mapper)?;
    drop(proc);
    // Again, because the kernel resets this when the user changes.
    end_with_starter(socket.as_fd())?;
    restrict::filter_system_calls().at(Step::SystemCalls)?;
    let mut command = spec.process.command().at(Step::Program)?;
    let program = spec.process.name().to_owned();
    let source = command.exec();
    Err(ContainError::Exec { program, source })
}

/// Makes the working directory if there is none, as other runtimes do, and enters it.
fn enter_directory(path: &Path) -> Result<(), Refusal> {
    std::fs::create_dir_all(path).at_path(Step::Directory, path)?;
    std::env::set_current_dir(path).at_path(Step::Directory, path)?;
    // The kernel does not begin a path with `/` that is not below the root.
    let entered = rustix::process::getcwd(Vec::new()).at_path(Step::Directory, path)?;
    match entered.to_bytes().starts_with(b"/") {
        true => Ok(()),
        false => Err(Errno::NOENT).at_path(Step::Directory, path),
    }
}

fn replace_stdin() -> Result<(), Refusal> {
    let null = File::open(NULL).at_path(Step::Files, NULL)?;
    stdio::dup2_stdin(&null).at_path(Step::Files, NULL)
}
