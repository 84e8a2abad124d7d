//! git.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use console::process::Network;

use super::error::HostError;
use super::limited::{limited, narrow};
use super::run::{run, run_until};
use crate::interrupt::Interrupt;

/// Runs `git ACTION ARGUMENTS` on the repository around `folder`.
///
/// The action must not run programs that the repository's configuration names. `status` and `diff` do: they read files of
/// the working tree through filters. See [`git_status`].
///
/// # Errors
/// git is missing or fails.
pub fn git<A: AsRef<OsStr>>(
    folder: &Path,
    action: &'static str,
    arguments: &[A],
) -> Result<Vec<u8>, HostError> {
    let mut command = git_command(folder);
    run("git", action, command.arg(action).args(arguments))
}

/// The program for SSH, if the user has chosen none. It asks nothing.
const SSH: &str = "ssh -oBatchMode=yes";

/// Makes an empty repository in the new folder `into`, and fetches these names from the repository at `url` into it: as
/// the user's git reaches it, with the user's configuration, but without hooks, submodules and prompts. Nothing is checked
/// out. `depth` is an option that limits the history.
///
/// # Errors
/// git is missing or fails, a limit is reached, or the work was interrupted.
pub fn git_fetch(
    into: &Path,
    format: &str,
    url: &str,
    depth: Option<&str>,
    names: &[&str],
    interrupt: &Interrupt,
) -> Result<(), HostError> {
    let mut init = console::git::command(Network::Forbidden);
    init.args(["init", "--quiet", "--bare", "--template="]);
    init.arg(format!("--object-format={format}"))
        .arg("--")
        .arg(into);
    run("git", "init", &mut init)?;
    let mut fetch = limited("git")?;
    console::git::configure(&mut fetch, Network::Allowed);
    if !configures_ssh(into) {
        fetch.env("GIT_SSH_COMMAND", SSH);
    }
    narrow(&mut fetch);
    fetch.arg("-C").arg(into);
    fetch.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    fetch.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]);
    fetch.args(["--no-recurse-submodules", "--update-shallow"]);
    fetch.args(depth).arg("--").arg(url).args(names);
    run_until(Some(interrupt), "git", "fetch", &mut fetch).map(drop)
}

/// Whether the user has chosen a program for SSH.
fn configures_ssh(repository: &Path) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some();
    ["GIT_SSH", "GIT_SSH_COMMAND"].into_iter().any(is_set)
        || git(repository, "config", &["--get", "core.sshCommand"]).is_ok()
}

/// Starts `git cat-file --batch` on the repository around `folder`.
///
/// # Errors
/// git is missing.
pub fn git_objects(folder: &Path) -> Result<Child, HostError> {
    git_command(folder)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(HostError::starting("git"))
}

/// Runs `git status` on `paths` of the working tree `top`, or on the whole tree if `paths` is empty. The caller has made
/// the git folder `own`, whose configuration defines how files are compared and names no programs.
///
/// # Errors
/// git is missing or fails.
pub fn git_status(
    top: &Path,
    own: &Path,
    objects: &Path,
    paths: &[&str],
) -> Result<Vec<u8>, HostError> {
    let mut command = git_command(top);
    command.env("GIT_DIR", own).env("GIT_WORK_TREE", top);
    command.env("GIT_OBJECT_DIRECTORY", objects);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["status", "--porcelain", "-z", "--no-renames"]);
    // A submodule has its own configuration.
    command.args(["--untracked-files=all", "--ignore-submodules=all", "--"]);
    run("git", "status", command.args(paths))
}

fn git_command(folder: &Path) -> Command {
    let mut command = console::git::command(Network::Forbidden);
    command.arg("-C").arg(folder);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_says_why() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = git(nowhere.path(), "rev-parse", &["--show-toplevel"]).unwrap_err();
        assert!(matches!(error, HostError::Failed { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("running git rev-parse: fatal:"), "{text}");
    }
}
