//! The few things that we ask git for.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::process::{expect_success, run, start};
use super::{Commit, Progress, RebuildError};

pub(super) async fn fetch(
    source: &str,
    clone: &Path,
    progress: Progress<'_>,
) -> Result<(), RebuildError> {
    let mut git = git(None);
    git.args(["clone", "--quiet", "--no-checkout", "--"]);
    git.arg(source).arg(clone);
    expect_success(git, &format!("cloning {source}"), progress).await
}

pub(super) async fn head(clone: &Path) -> Result<Commit, RebuildError> {
    let mut git = git(Some(clone));
    git.args(["rev-parse", "--verify", "HEAD^{commit}"]);
    let output = git.output().await.map_err(|source| start("git", source))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim_end().parse()?)
}

/// A commit that no branch leads to can still be asked for by name; servers may refuse that, and
/// then it is not there for us.
pub(super) async fn has_commit(
    clone: &Path,
    commit: &Commit,
    progress: Progress<'_>,
) -> Result<bool, RebuildError> {
    if holds(clone, commit).await? {
        return Ok(true);
    }
    let mut git = git(Some(clone));
    git.args(["fetch", "--quiet", "origin"]).arg(&commit.0);
    run(git, progress).await?;
    holds(clone, commit).await
}

async fn holds(clone: &Path, commit: &Commit) -> Result<bool, RebuildError> {
    let mut git = git(Some(clone));
    git.args(["cat-file", "-e"])
        .arg(format!("{commit}^{{commit}}"));
    let output = git.output().await.map_err(|source| start("git", source))?;
    Ok(output.status.success())
}

pub(super) async fn check_out(
    clone: &Path,
    commit: &Commit,
    progress: Progress<'_>,
) -> Result<(), RebuildError> {
    let mut git = git(Some(clone));
    git.args(["checkout", "--quiet", "--detach"]).arg(&commit.0);
    expect_success(git, &format!("checking out {commit}"), progress).await
}

/// The caller's repository is not the one we work on, and nobody is there to answer a prompt.
fn git(directory: Option<&Path>) -> Command {
    let mut git = Command::new("git");
    for inherited in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
    ] {
        git.env_remove(inherited);
    }
    git.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    if let Some(directory) = directory {
        git.arg("-C").arg(directory);
    }
    // Code of the source runs in the builder's sandbox and nowhere else.
    git.args([
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "advice.detachedHead=false",
    ]);
    git
}
