//! Starts programs, and listens to what they have for people.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::{Progress, RebuildError};

pub(super) async fn expect_success(
    command: Command,
    doing: &str,
    progress: Progress<'_>,
) -> Result<(), RebuildError> {
    let (status, last_words) = run(command, progress).await?;
    match status.success() {
        true => Ok(()),
        false => Err(RebuildError::Status {
            doing: doing.to_owned(),
            status,
            last_words,
        }),
    }
}

/// Runs to the end, and keeps the last line in which the program spoke of an error.
pub(super) async fn run(
    mut command: Command,
    progress: Progress<'_>,
) -> Result<(ExitStatus, String), RebuildError> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let spawned = command.kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|source| start(&program, source))?;
    let stderr = child.stderr.take();
    let last_words = match stderr {
        Some(stderr) => relay(stderr, progress).await,
        None => String::new(),
    };
    let status = child
        .wait()
        .await
        .map_err(|source| start(&program, source))?;
    Ok((status, last_words))
}

async fn relay(stderr: impl AsyncRead + Unpin, progress: Progress<'_>) -> String {
    let mut lines = BufReader::new(stderr).lines();
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        progress(&line);
        // A hint follows an error, and says less.
        if !line.starts_with("hint: ") && !line.trim().is_empty() {
            last = line;
        }
    }
    last
}

pub(super) fn start(program: &str, source: std::io::Error) -> RebuildError {
    RebuildError::Start {
        program: program.to_owned(),
        source,
    }
}
