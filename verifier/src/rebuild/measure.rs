//! Measures the files of a commit before it is checked out.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::error::{LARGE, RebuildError};
use super::git::{failed, git};
use super::limits::SourceLimits;
use crate::commit::Commit;

/// The messages that are kept, in bytes.
const MESSAGES: u64 = 64 << 10;

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
    let output = listed(git, limits).await.map_err(|over| match over {
        Over::Limit(limit) => RebuildError::source(
            format_args!("reading source: commit {commit} unpacks to more than {limit}"),
            LARGE,
        ),
        Over::Io(source) => RebuildError::starting("git", source),
    })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(format_args!("listing commit {commit}"), &output)),
    }
}

/// Runs a program that lists entries. Its messages are read at the same time as the list: it would wait for a reader of either
/// once the pipe is full.
async fn listed(mut program: Command, limits: &SourceLimits) -> Result<Output, Over> {
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.kill_on_drop(true).spawn().map_err(Over::Io)?;
    let (list, messages) = (child.stdout.take(), child.stderr.take());
    let list = async {
        match list {
            Some(list) => read(BufReader::new(list), limits).await,
            None => Ok(()),
        }
    };
    let messages = async {
        match messages {
            Some(messages) => beginning(messages).await.map_err(Over::Io),
            None => Ok(Vec::new()),
        }
    };
    // A limit ends both, and the program with them.
    let ((), stderr) = tokio::try_join!(list, messages)?;
    let status = child.wait().await.map_err(Over::Io)?;
    let stdout = Vec::new();
    Ok(Output {
        status,
        stdout,
        stderr,
    })
}

/// Reads all messages, and keeps the first.
async fn beginning(mut messages: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    (&mut messages)
        .take(MESSAGES)
        .read_to_end(&mut kept)
        .await?;
    tokio::io::copy(&mut messages, &mut tokio::io::sink()).await?;
    Ok(kept)
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
    use std::time::Duration;

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
    async fn many_messages_do_not_stop_the_list() {
        let entry = r"printf '100644 blob 12 40\ta\0'";
        let mut program = Command::new("sh");
        let messages = "head -c 300000 /dev/zero >&2";
        program.args(["-c", &format!("{messages}; {entry}; {messages}; exit 3")]);
        let limits = SourceLimits::default();
        let listed = tokio::time::timeout(Duration::from_secs(20), listed(program, &limits));
        let Ok(Ok(output)) = listed.await else {
            panic!("the list has no end");
        };
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stderr.len() as u64, MESSAGES);
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
