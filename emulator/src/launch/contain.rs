//! The helper that becomes the container: this program once more, in two stages.
//!
//! The outer stage makes the namespaces and waits; it dies with the launcher. The inner stage is
//! process 1 in them: it makes the mounts, becomes the image's user in a user namespace that owns
//! none of them, gives up every capability and turns into the workload. If the outer stage dies, it
//! dies, and with it, being process 1, all that the workload has started. Of the launcher's open files
//! the workload has none: its input is empty, its outputs are pipes, or nowhere.
//!
//! Both are told what to do, and tell what went wrong, through their standard input, a socket. It is
//! closed without a word when the workload has started.

mod identity;
mod mounts;
mod restrict;

use std::convert::Infallible;
use std::io::{self, BufRead as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use isolate::lifetime;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Resource, setsid};
use rustix::stdio;
use serde::{Deserialize, Serialize};

use super::user::{User, UserError};

/// Where there is nothing to read.
const NULL: &str = "/dev/null";
/// This program. The link leads to it whatever is mounted where.
pub const SELF: &str = "/proc/self/exe";
/// The exit status of a helper that failed; why is said on its socket.
const FAILED: u8 = 125;
/// Open files that the launcher allows a container (google/go-tpm-tools, `launcher`).
const OPEN_FILES: u64 = 131_072;
/// Bytes of a description: arguments and variables are limited by the kernel anyway.
const SPEC: u64 = 8 << 20;

/// Which part of the helper's work is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Stage {
    /// Make namespaces, wait.
    Outer,
    /// Be process 1.
    Inner,
}

impl Stage {
    /// The stage's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Inner => "inner",
        }
    }
}

/// The hidden command that starts the helper: `emulator contain outer`.
pub const COMMAND: &str = "contain";

/// The container that is wanted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Spec {
    /// The folder that holds the image's files.
    pub root: PathBuf,
    /// The folder that launcher and container share.
    pub share: PathBuf,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Its variables.
    pub env: Vec<(String, String)>,
    /// As whom it runs, as the image says it.
    pub user: String,
    /// Where it starts; empty means `/`.
    pub working_dir: String,
    /// The name of its machine.
    pub host_name: String,
}

/// A step of the helper's work that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContainError {
    #[error("{step}: {source}")]
    Kernel { step: &'static str, source: Errno },
    #[error("{step} {}: {source}", path.display())]
    File {
        step: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(transparent)]
    User(#[from] UserError),
    #[error("reading description: {0}")]
    Spec(#[source] io::Error),
    #[error("reading description: {0}")]
    Json(#[from] content::json::JsonError),
    #[error("starting inner stage: {0}")]
    Inner(#[source] io::Error),
    #[error("closing inherited files: {0}")]
    Inherited(#[source] io::Error),
    #[error("filtering system calls: {0}")]
    Filter(#[source] io::Error),
    #[error("reading description: the launcher is gone")]
    Orphan,
    #[error("running {program:?}: {source}")]
    Exec { program: String, source: io::Error },
    /// The system speaks of a full disk here (unshare(2), ENOSPC).
    #[error("making namespaces: this user may have no more of them")]
    Namespaces,
}

pub(crate) fn failed(step: &'static str) -> impl FnOnce(Errno) -> ContainError {
    move |source| ContainError::Kernel { step, source }
}

/// Does a stage's work; the exit status is the workload's, 128 and a signal's number if one ended
/// it. Must be called before the process has a second thread.
pub fn run(stage: Stage) -> u8 {
    // Before the socket has a second descriptor, which would be closed as well.
    let closed = match stage {
        Stage::Outer => isolate::descriptors::close_inherited(),
        Stage::Inner => Ok(()),
    };
    let Ok(report) = fcntl_dupfd_cloexec(stdio::stdin(), 3) else {
        return FAILED;
    };
    let closed = closed.map_err(ContainError::Inherited);
    let begun = closed.and_then(|()| match stage {
        Stage::Outer => outer(),
        Stage::Inner => inner().map(|never| match never {}),
    });
    match begun {
        Ok(mut inner) => {
            // From here on only the inner stage holds the socket.
            drop(report);
            inner.wait().map_or(FAILED, exit_code)
        }
        Err(error) => {
            // If the launcher is gone as well, there is nobody left to tell.
            let _ = rustix::io::write(report, error.to_string().as_bytes());
            FAILED
        }
    }
}

/// The status to pass on for a process that has ended.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(FAILED)
}

fn outer() -> Result<Child, ContainError> {
    die_with_parent()?;
    identity::enter_namespaces()?;
    // Opened now: the inner stage changes the root of both.
    let null = open_null()?;
    let inner = Command::new(SELF)
        .args([COMMAND, Stage::Inner.name()])
        .stdin(Stdio::inherit())
        .spawn()
        .map_err(ContainError::Inner)?;
    replace_stdin(&null)?;
    Ok(inner)
}

fn inner() -> Result<Infallible, ContainError> {
    die_with_parent()?;
    let spec = read_spec()?;
    check_launcher(stdio::stdin())?;
    // Any program in the session of the operator's terminal may type into it.
    setsid().map_err(failed("leaving terminal"))?;
    identity::set_host_name(&spec.host_name)?;
    let proc = mounts::make(&spec)?;
    let socket = fcntl_dupfd_cloexec(stdio::stdin(), 3).map_err(failed("keeping socket"))?;
    replace_stdin(&open_null()?)?;
    let user = User::find(&spec.user, Path::new("/"))?;
    enter_working_dir(&spec)?;
    // No path of the image's is looked up after this but its program's.
    let proc = proc.attach()?;
    isolate::limits::set(Resource::Nofile, OPEN_FILES).map_err(failed("limiting open files"))?;
    identity::become_user(user, proc.as_fd())?;
    drop(proc);
    // The kernel has forgotten it with the change of user.
    die_with_parent()?;
    check_launcher(socket.as_fd())?;
    restrict::filter_system_calls().map_err(ContainError::Filter)?;
    let (program, args) = spec.args.split_first().ok_or(ContainError::Orphan)?;
    let source = Command::new(program)
        .args(args)
        .env_clear()
        .envs(spec.env)
        .exec();
    let program = program.clone();
    Err(ContainError::Exec { program, source })
}

fn die_with_parent() -> Result<(), ContainError> {
    lifetime::end_with_parent().map_err(failed("binding life to parent"))
}

/// A launcher that died before [`die_with_parent`] has closed its end of the socket.
fn check_launcher(socket: BorrowedFd<'_>) -> Result<(), ContainError> {
    match lifetime::is_abandoned(socket).map_err(failed("asking for launcher"))? {
        true => Err(ContainError::Orphan),
        false => Ok(()),
    }
}

fn read_spec() -> Result<Spec, ContainError> {
    let mut line = Vec::new();
    let input = io::stdin().lock();
    let mut input = io::Read::take(input, SPEC);
    input
        .read_until(b'\n', &mut line)
        .map_err(ContainError::Spec)?;
    Ok(content::json::parse(&line, SPEC)?)
}

/// A working directory that is not there is made, as other runtimes do.
fn enter_working_dir(spec: &Spec) -> Result<(), ContainError> {
    let path = match spec.working_dir.as_str() {
        "" => PathBuf::from("/"),
        path => PathBuf::from("/").join(path),
    };
    let at = |step, path: &PathBuf| {
        let path = path.clone();
        move |source| ContainError::File { step, path, source }
    };
    std::fs::create_dir_all(&path).map_err(at("making", &path))?;
    std::env::set_current_dir(&path).map_err(at("entering", &path))?;
    // The kernel does not begin a path with `/` that is not below the root.
    let entered = rustix::process::getcwd(Vec::new()).map_err(failed("asking for directory"))?;
    match entered.to_bytes().starts_with(b"/") {
        true => Ok(()),
        false => Err(at("entering", &path)(Errno::NOENT.into())),
    }
}

fn replace_stdin(null: &OwnedFd) -> Result<(), ContainError> {
    stdio::dup2_stdin(null).map_err(failed("replacing standard input"))
}

fn open_null() -> Result<OwnedFd, ContainError> {
    let file = std::fs::File::open(NULL).map_err(|source| ContainError::File {
        step: "opening",
        path: NULL.into(),
        source,
    })?;
    Ok(file.into())
}
