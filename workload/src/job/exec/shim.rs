//! The last step before the program: this executable once more, already as the program's user. It checks that the user has no
//! way to the launcher's token socket, gives up what is left, and becomes the program.
//!
//! [`std::process::Command`] starts a process with the signal mask of its parent, which waits for signals and so blocks them. A
//! program that was started directly would never receive SIGTERM.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::prctl::{set_no_new_privs, set_pdeathsig};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Pid, Uid, getgroups};

use super::guard;
use super::program::{DESCRIPTOR, RESERVED};

/// The file of this program.
pub(super) const SELF: &str = "/proc/self/exe";
/// The first argument of this executable if it is to become a program.
pub(super) const MARK: &str = "become";
/// The launcher's folder with its token socket and token file.
const LAUNCHER: &str = "/run/container_launcher";
/// The descriptors of this process.
const DESCRIPTORS: &str = "/proc/self/fd";
/// What the kernel says about this process.
const STATUS: &str = "/proc/self/status";
/// The exit status if the program does not exist, as shells have it.
const NOT_FOUND: u8 = 127;
/// The exit status if it cannot be started.
const CANNOT_START: u8 = 126;

/// Why this process does not become the program.
#[derive(Debug, thiserror::Error)]
pub enum ShimError {
    /// The launcher started this process, not the workload.
    #[error("`{MARK}` is not for the first process of a container, and not for root")]
    NotStartedHere,
    /// The program could obtain tokens in the name of the image.
    #[error("the program's user can reach {LAUNCHER}")]
    Exposed,
    /// The program would have a right of root.
    #[error("the program would keep {0}")]
    Kept(&'static str),
    /// A step failed.
    #[error("{doing}: {source}")]
    Step {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The program cannot be started.
    #[error("running {program:?}: {source}")]
    Exec {
        /// The program.
        program: String,
        /// The cause.
        source: io::Error,
    },
}

impl ShimError {
    /// The exit status that tells about it.
    pub fn status(&self) -> u8 {
        match self {
            Self::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
            _ => CANNOT_START,
        }
    }
}

/// The command to become, if the arguments of this executable ask for it.
pub fn command(arguments: impl IntoIterator<Item = OsString>) -> Option<Vec<OsString>> {
    let mut arguments = arguments.into_iter().skip(1);
    let first = arguments.next()?;
    (first == MARK).then(|| arguments.collect())
}

/// Becomes the program.
///
/// # Errors
/// This process was not started by [`super::Loaded::start`], its user has too many rights, or the program cannot be started.
pub fn become_program(command: &[OsString]) -> Result<Infallible, ShimError> {
    check_caller(Pid::this(), Uid::effective())?;
    // The program must not outlive its supervisor.
    step(
        "tying the program to the workload",
        set_pdeathsig(Signal::SIGKILL),
    )?;
    step("forbidding new privileges", set_no_new_privs())?;
    step("forbidding core dumps", guard::forbid_core_dumps())?;
    check_rights()?;
    check_hidden(Path::new(LAUNCHER))?;
    close_inherited()?;
    step("accepting signals", SigSet::empty().thread_set_mask())?;
    let (program, arguments) = command.split_first().ok_or(ShimError::NotStartedHere)?;
    let source = Command::new(program).args(arguments).exec();
    let program = program.to_string_lossy().into_owned();
    Err(ShimError::Exec { program, source })
}

/// An operator who may choose the arguments of the container could otherwise run any program of the image in its name.
fn check_caller(own: Pid, user: Uid) -> Result<(), ShimError> {
    match own == Pid::from_raw(1) || user.is_root() {
        true => Err(ShimError::NotStartedHere),
        false => Ok(()),
    }
}

fn step(doing: &'static str, done: nix::Result<()>) -> Result<(), ShimError> {
    done.map_err(|error| ShimError::Step {
        doing,
        source: error.into(),
    })
}

/// Checks that no right of root is left: no capability, and no other group.
fn check_rights() -> Result<(), ShimError> {
    let doing = "reading the rights of the program";
    let status = fs::read_to_string(STATUS).map_err(|source| ShimError::Step { doing, source })?;
    for kind in ["CapPrm:", "CapEff:", "CapAmb:"] {
        if !is_none(&status, kind) {
            return Err(ShimError::Kept("capabilities"));
        }
    }
    let groups = getgroups().map_err(|error| ShimError::Step {
        doing,
        source: error.into(),
    })?;
    match groups.iter().any(|group| group.as_raw() == 0) {
        true => Err(ShimError::Kept("the group of root")),
        false => Ok(()),
    }
}

/// Closes what the launcher or a tool left open, all but the standard streams and the descriptors of secrets.
fn close_inherited() -> Result<(), ShimError> {
    let named = std::env::vars_os().filter(|(name, _)| is_descriptor(name));
    let kept: Vec<_> = named.map(|(_, number)| number).collect();
    let closed = open_descriptors().and_then(|open| {
        let others = open.iter().filter(|number| !kept.contains(number));
        let numbers = others.filter_map(|number| number.to_str()?.parse::<i32>().ok());
        numbers.filter(|number| *number > 2).try_for_each(close)
    });
    closed.map_err(|source| ShimError::Step {
        doing: "closing files",
        source,
    })
}

fn open_descriptors() -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(DESCRIPTORS)?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

fn close(descriptor: i32) -> io::Result<()> {
    match nix::unistd::close(descriptor) {
        // That of the listing is closed already.
        Ok(()) | Err(Errno::EBADF) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_descriptor(variable: &OsStr) -> bool {
    let prefix = [RESERVED, DESCRIPTOR].concat();
    variable.as_encoded_bytes().starts_with(prefix.as_bytes())
}

/// Whether the capabilities of this kind (proc(5)) are stated, and there are none.
fn is_none(status: &str, kind: &str) -> bool {
    let stated = status.lines().find_map(|line| line.strip_prefix(kind));
    stated.is_some_and(|bits| bits.trim().bytes().all(|bit| bit == b'0'))
}

/// Checks that this process has no way to a folder: its name must not even be resolved. A launcher without the folder gives no
/// tokens.
fn check_hidden(folder: &Path) -> Result<(), ShimError> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(ShimError::Exposed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mark_asks_for_it() {
        let ask = |words: &[&str]| command(words.iter().map(OsString::from));
        assert_eq!(
            ask(&["workload", "become", "/a", "b"]).unwrap(),
            ["/a", "b"]
        );
        for words in [
            &[][..],
            &["workload"],
            &["become"],
            &["workload", "[]", "become"],
        ] {
            assert!(ask(words).is_none(), "{words:?}");
        }
    }

    #[test]
    fn the_launcher_and_root_cannot_ask_for_it() {
        let (user, other) = (Uid::from_raw(65532), Pid::from_raw(7));
        assert!(check_caller(other, user).is_ok());
        assert!(check_caller(Pid::from_raw(1), user).is_err());
        assert!(check_caller(other, Uid::from_raw(0)).is_err());
    }

    #[test]
    fn a_folder_that_can_be_seen_is_not_hidden() {
        assert!(check_hidden(Path::new("/nowhere")).is_ok());
        assert!(check_hidden(Path::new("/tmp")).is_err());
        assert!(check_hidden(Path::new("/dev/null/x")).is_err());
    }

    #[test]
    fn capabilities_must_be_stated_as_none() {
        assert!(is_none("CapEff:\t0000000000000000\n", "CapEff:"));
        assert!(!is_none("CapEff:\t0000000000000400\n", "CapEff:"));
        assert!(!is_none("", "CapEff:"));
    }
}
