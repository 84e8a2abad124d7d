//! Programs of the host that fetch untrusted content run within limits, and by few protocols.

use std::ffi::OsStr;
use std::process::Command;

use super::error::{HostError, absent};

const PRLIMIT: &str = "prlimit";
/// Largest file that the program may write, in bytes: a repository is fetched as one file.
const FETCHED: u64 = 4 << 30;
/// Most memory of each of its processes, in bytes. A few kilobytes can describe terabytes.
const MEMORY: u64 = 4 << 30;
/// Most seconds of processor time.
const SECONDS: u64 = 1800;
/// The protocols by which git fetches, unless the user allows others.
const PROTOCOLS: &str = "https:ssh:file";

/// A command that runs `program` within limits. The caller adds its arguments.
///
/// # Errors
/// The program, or `prlimit`, is not installed.
pub(super) fn limited(program: &'static str) -> Result<Command, HostError> {
    // Otherwise `prlimit` would report that the program is missing.
    let find = |program: &'static str| console::process::find(OsStr::new(program));
    find(program).map_err(|_| HostError::Absent(absent(program)))?;
    find(PRLIMIT).map_err(|_| absent(PRLIMIT))?;
    let mut command = Command::new(PRLIMIT);
    command.arg(format!("--fsize={FETCHED}"));
    command.arg(format!("--data={MEMORY}"));
    command.arg(format!("--cpu={SECONDS}:{}", SECONDS + 5));
    // If the signal is ignored, the program reports the file that reached the limit.
    command.args(["env", "--ignore-signal=XFSZ", program]);
    Ok(command)
}

/// Narrows the protocols of the git that a command runs. The user may have allowed others.
pub(super) fn narrow(command: &mut Command) {
    set_unless_chosen(command, "GIT_ALLOW_PROTOCOL", PROTOCOLS);
}

/// Sets a variable that the user has not set.
pub(super) fn set_unless_chosen(command: &mut Command, name: &str, value: &str) {
    if std::env::var_os(name).is_none() {
        command.env(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::run::run;

    #[test]
    fn file_memory_and_time_have_limits() {
        let mut shell = limited("sh").unwrap();
        shell.args(["-c", "ulimit -f; ulimit -d; ulimit -t"]);
        let limits = String::from_utf8(run("sh", "-c", &mut shell).unwrap()).unwrap();
        // Files in blocks of 512 bytes, memory in kibibytes.
        assert_eq!(limits, "8388608\n4194304\n1800\n");
        let absent = limited("no-such-program").unwrap_err();
        assert!(absent.is_absence(), "{absent}");
    }
}
