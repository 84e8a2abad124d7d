//! Fetches, reads and checks out the source with git.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Mutex, PoisonError};

use console::at::At;
use console::location::without_login;
use console::process::{self, Network};
use tokio::process::Command;

use super::error::{LARGE, RebuildError};
use super::limits::SourceLimits;
use super::process::{Listener, expect_success, program, run};
use crate::commit::{Commit, InvalidCommit};

/// Attributes with which files are checked out as they were committed. They override the attributes of the source and
/// the user's settings.
const AS_COMMITTED: &str = "* -text !eol -ident -filter -working-tree-encoding\n";

/// Sets limits on a program before it starts.
const PRLIMIT: &str = "prlimit";

pub(super) async fn fetch(
    source: &str,
    clone: &Path,
    limits: &SourceLimits,
    listener: Listener<'_>,
) -> Result<(), RebuildError> {
    let mut git = limited(limits)?;
    // Without --no-local, git would also copy objects that no branch contains. With one pack, the limit on the size
    // of a file limits the whole repository.
    git.args(["-c", "fetch.unpackLimit=1"]);
    git.args(["clone", "--quiet", "--no-checkout", "--no-local", "--"]);
    git.arg(source).arg(clone);
    let reached = Mutex::new(None);
    let listen = |line: &str| {
        if let Some(limit) = limits.reached(line) {
            *reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit);
        }
        listener(line)
    };
    let (status, last_line) = run(git, &listen).await?;
    let reached = reached.into_inner().unwrap_or_else(PoisonError::into_inner);
    let reached = reached.or_else(|| limits.ended(status));
    let source = without_login(source);
    match (status.success(), reached) {
        (true, _) => Ok(()),
        (false, Some(limit)) => Err(RebuildError::source(
            format_args!("cloning {source}: it takes more than {limit}"),
            LARGE,
        )),
        (false, None) => Err(RebuildError::source(
            format_args!("cloning {source}: {last_line}"),
            "--source is a directory with a git repository that belongs to you, or a URL that git can clone with \
             your rights; see git's messages above",
        )),
    }
}

/// A git with limits on file size, memory and processor time.
fn limited(limits: &SourceLimits) -> Result<Command, RebuildError> {
    process::find(OsStr::new("git"))?;
    let mut command = program(PRLIMIT)?;
    command.arg(format!("--fsize={}", limits.repository));
    command.arg(format!("--data={}", limits.memory));
    // At the soft limit the system sends SIGXCPU, which git reports; at the hard limit it kills the process.
    command.arg(format!("--cpu={}:{}", limits.seconds, limits.seconds + 5));
    // If the signal is ignored, git reports the file that reached the limit.
    command.args(["env", "--ignore-signal=XFSZ", "git"]);
    console::git::configure(command.as_std_mut(), Network::Allowed);
    Ok(command)
}

pub(super) async fn head(clone: &Path) -> Result<Commit, RebuildError> {
    let mut git = git(clone)?;
    git.args(["rev-parse", "--verify", "HEAD^{commit}"]);
    let output = git
        .output()
        .await
        .map_err(|source| RebuildError::starting("git", source))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim_end().parse().map_err(|error: InvalidCommit| {
        RebuildError::source(
            format_args!("reading HEAD of the source: {error}"),
            "check that the source has a commit, or name one with --commit",
        )
    })
}

/// Whether a branch or tag of the source contains `commit`. The commit is not fetched by name: hosting sites would then
/// also serve commits of forks.
pub(super) async fn has_commit(clone: &Path, commit: &Commit) -> Result<bool, RebuildError> {
    let mut git = git(clone)?;
    git.args(["rev-parse", "--quiet", "--verify"])
        .arg(format!("{commit}^{{commit}}"));
    let output = git
        .output()
        .await
        .map_err(|source| RebuildError::starting("git", source))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(failed(format_args!("looking for {commit}"), &output)),
    }
}

pub(super) async fn check_out(
    clone: &Path,
    commit: &Commit,
    listener: Listener<'_>,
) -> Result<(), RebuildError> {
    let info = clone.join(".git/info");
    let written = std::fs::create_dir_all(&info)
        .and_then(|()| std::fs::write(info.join("attributes"), AS_COMMITTED));
    written.map_err(At::writing(&info))?;
    let mut git = git(clone)?;
    git.args(["checkout", "--quiet", "--detach"])
        .arg(commit.as_str());
    expect_success(git, &format!("checking out {commit}"), listener).await
}

/// Whether the source is a shallow clone.
pub(super) async fn is_shallow(clone: &Path) -> Result<bool, RebuildError> {
    let mut git = git(clone)?;
    git.args(["rev-parse", "--is-shallow-repository"]);
    let output = git
        .output()
        .await
        .map_err(|source| RebuildError::starting("git", source))?;
    match (output.status.success(), output.stdout.trim_ascii()) {
        (true, b"true") => Ok(true),
        (true, b"false") => Ok(false),
        _ => Err(failed("asking whether the source is shallow", &output)),
    }
}

pub(super) fn failed(doing: impl Display, output: &Output) -> RebuildError {
    let said = console::text::line(String::from_utf8_lossy(&output.stderr).trim_end());
    RebuildError::silent(doing, output.status, &said)
}

/// A git that works on the repository in `clone`. Programs of the source run in the builder's sandbox only, and
/// symbolic links stay links.
pub(super) fn git(clone: &Path) -> Result<Command, RebuildError> {
    let mut git = program("git")?;
    console::git::configure(git.as_std_mut(), Network::Forbidden);
    git.arg("-C").arg(clone).stdin(Stdio::null());
    git.args(["-c", "core.symlinks=true"]);
    git.args(["-c", "advice.detachedHead=false"]);
    Ok(git)
}

#[cfg(test)]
mod tests {
    use super::super::process::Line;
    use super::*;

    #[tokio::test]
    async fn files_are_checked_out_as_they_were_committed() {
        let scratch = tempfile::tempdir().unwrap();
        let (source, clone) = (scratch.path().join("source"), scratch.path().join("clone"));
        let marker = scratch.path().join("marker");
        std::fs::create_dir(&source).unwrap();
        let script = "git init -q && printf 'one $Id$\\n' > file
            echo '* text eol=crlf ident filter=evil' > .gitattributes
            git add . && git -c user.name=a -c user.email=a@b commit -qm m && git rev-parse HEAD";
        let mut shell = std::process::Command::new("sh");
        for inherited in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            shell.env_remove(inherited);
        }
        let made = shell.args(["-c", script]).current_dir(&source).output();
        let commit = String::from_utf8(made.unwrap().stdout).unwrap();
        let limits = SourceLimits::default();
        fetch(source.to_str().unwrap(), &clone, &limits, &|_| Line::Text)
            .await
            .unwrap();
        let touch = format!("touch {}; cat", marker.display());
        let mut config = git(&clone).unwrap();
        config.args(["config", "filter.evil.smudge", &touch]);
        assert!(config.status().await.unwrap().success());
        let commit = commit.trim().parse().unwrap();
        check_out(&clone, &commit, &|_| Line::Text).await.unwrap();
        assert_eq!(std::fs::read(clone.join("file")).unwrap(), b"one $Id$\n");
        assert!(!marker.exists());
    }

    /// Runs itself again as a caller whose variables name another repository.
    #[test]
    fn the_repository_of_the_environment_is_not_used() {
        let name = "rebuild::git::tests::files_are_checked_out_as_they_were_committed";
        let other = tempfile::tempdir().unwrap();
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            again.env(variable, other.path().join(variable));
        }
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
        assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_repository_that_is_too_large_is_not_fetched() {
        let scratch = tempfile::tempdir().unwrap();
        let source = scratch.path().join("source");
        std::fs::create_dir(&source).unwrap();
        let script = "git init -q && head -c 4000000 /dev/urandom >file && git add . &&
            git -c user.name=a -c user.email=a@b commit -qm m";
        let mut shell = std::process::Command::new("sh");
        let made = shell.args(["-c", script]).current_dir(&source).status();
        assert!(made.unwrap().success());
        let limits = SourceLimits {
            repository: 1_000_000,
            ..SourceLimits::default()
        };
        let clone = scratch.path().join("clone");
        let fetched = fetch(source.to_str().unwrap(), &clone, &limits, &|_| Line::Text).await;
        let cloning = format!("cloning {}: it takes more than", source.display());
        assert_eq!(
            fetched.unwrap_err().to_string(),
            format!("{cloning} 1000000 bytes")
        );
        let limits = SourceLimits {
            memory: 1_000_000,
            ..SourceLimits::default()
        };
        let fetched = fetch(source.to_str().unwrap(), &clone, &limits, &|_| Line::Text).await;
        let error = fetched.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{cloning} 1000000 bytes of memory")
        );
        assert_eq!(error.hint(), Some(LARGE));
    }

    #[tokio::test]
    async fn a_failure_of_git_is_not_a_missing_commit() {
        let scratch = tempfile::tempdir().unwrap();
        let commit = "0".repeat(40).parse().unwrap();
        let asked = has_commit(scratch.path(), &commit).await;
        let error = asked.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("looking for {commit}: exit status: 128: fatal: ")),
            "{error}"
        );
        let mut git = git(scratch.path()).unwrap();
        assert!(git.args(["init", "-q"]).status().await.unwrap().success());
        assert!(!has_commit(scratch.path(), &commit).await.unwrap());
    }
}
