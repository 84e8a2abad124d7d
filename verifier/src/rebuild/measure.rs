//! Measures the files of a commit before it is checked out.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};

use super::error::{LARGE, RebuildError};
use super::git::{failed, git};
use super::limits::SourceLimits;
use crate::commit::Commit;

/// Compares the files and directories of the commit with the limits.
///
/// # Errors
/// A limit is reached, or git fails.
pub(super) async fn measure(
    clone: &Path,
    commit: &Commit,
    limits: &SourceLimits,
) -> Result<(), RebuildError> {
    let mut git = git(clone)?;
    // Directories are listed too, because a commit may have millions of them.
    git.args(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree"]);
    git.arg(commit.as_str());
    git.stdout(Stdio::piped()).stderr(Stdio::piped());
    let spawned = git.kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|source| RebuildError::starting("git", source))?;
    if let Some(list) = child.stdout.take() {
        let within = read(BufReader::new(list), limits).await;
        within.map_err(|over| match over {
            Over::Limit(limit) => RebuildError::source(
                format_args!("reading source: commit {commit} unpacks to more than {limit}"),
                LARGE,
            ),
            Over::Io(source) => RebuildError::starting("git", source),
        })?;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|source| RebuildError::starting("git", source))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(format_args!("listing commit {commit}"), &output)),
    }
}

enum Over {
    Limit(String),
    Io(std::io::Error),
}

/// Reads entries of the form `<mode> <kind> <object> <size>\t<path>\0`. A directory has no size.
async fn read(mut list: impl AsyncBufRead + Unpin, limits: &SourceLimits) -> Result<(), Over> {
    let (mut entries, mut files, mut names) = (0, 0_u64, 0);
    let mut entry = Vec::new();
    loop {
        entry.clear();
        let mut rest = (&mut list).take(limits.names - names + 1);
        let read = rest.read_until(0, &mut entry).await.map_err(Over::Io)?;
        if read == 0 {
            return Ok(());
        }
        entries += 1;
        names += read as u64;
        files = files.saturating_add(size(&entry));
        let reached = [
            (names > limits.names, limits.names, "bytes of paths"),
            (files > limits.files, limits.files, "bytes"),
            (
                entries > limits.entries,
                limits.entries as u64,
                "files and directories",
            ),
        ];
        if let Some((_, limit, unit)) = reached.into_iter().find(|(over, ..)| *over) {
            return Err(Over::Limit(format!("{limit} {unit}")));
        }
    }
}

/// The size of an entry; 0 for a directory, and for a submodule, which is not fetched.
fn size(entry: &[u8]) -> u64 {
    let head = entry
        .split(|byte| *byte == b'\t')
        .next()
        .unwrap_or_default();
    let size = head.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let size = std::str::from_utf8(size).ok();
    size.and_then(|size| size.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_within(list: &str, change: fn(&mut SourceLimits)) -> Option<String> {
        let mut limits = SourceLimits::default();
        change(&mut limits);
        match read(list.as_bytes(), &limits).await {
            Ok(()) => None,
            Err(Over::Limit(limit)) => Some(limit),
            Err(Over::Io(error)) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn each_limit_is_reached_and_named() {
        let list = "040000 tree 1234 -\ta\x00100644 blob 1234      60\ta/b c\x00100644 blob 12 40\ta/\t9\0";
        assert_eq!(read_within(list, |_| {}).await, None);
        assert_eq!(read_within(list, |limits| limits.files = 100).await, None);
        assert_eq!(read_within(list, |limits| limits.entries = 3).await, None);
        for (change, said) in [
            (
                (|limits: &mut SourceLimits| limits.files = 99) as fn(&mut SourceLimits),
                "99 bytes",
            ),
            (|limits| limits.entries = 2, "2 files and directories"),
            (|limits| limits.names = 40, "40 bytes of paths"),
        ] {
            assert_eq!(read_within(list, change).await.as_deref(), Some(said));
        }
    }
}
