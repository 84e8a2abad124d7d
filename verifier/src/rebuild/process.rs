//! Starts programs, and listens to what they have for people.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::{Progress, RebuildError};
use crate::printable;

/// Bytes of one line; what is longer is shown as several.
const LINE: u64 = 4096;

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

/// Reads to the end, whatever it is: a program whose pipe closes early is killed by its next line.
/// What it says may be of strangers: git repeats a server's words, and a compiler those of a source.
async fn relay(stderr: impl AsyncRead + Unpin, progress: Progress<'_>) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut bytes, mut last) = (Vec::new(), String::new());
    while let Ok(1..) = (&mut stderr).take(LINE).read_until(b'\n', &mut bytes).await {
        let line = printable::line(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
        progress(&line);
        // A hint follows an error, and says less.
        if !line.starts_with("hint: ") && !line.is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    async fn listen(script: &str) -> (Option<i32>, String, Vec<String>) {
        let heard = Mutex::new(Vec::new());
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let hear = |line: &str| heard.lock().unwrap().push(line.to_owned());
        let (status, last_words) = run(shell, &hear).await.unwrap();
        (status.code(), last_words, heard.into_inner().unwrap())
    }

    #[tokio::test]
    async fn a_byte_that_is_no_text_costs_neither_the_program_nor_its_last_words() {
        let script = "printf 'a\\377b\\n' >&2; sleep 0.1; echo 'error: why' >&2; exit 1";
        let (code, last_words, heard) = listen(script).await;
        assert_eq!((code, last_words.as_str()), (Some(1), "error: why"));
        assert_eq!(heard, ["a\u{fffd}b", "error: why"]);
    }

    #[tokio::test]
    async fn a_terminal_does_not_obey_what_a_program_repeats() {
        let (_, last_words, heard) = listen("printf '\\033[2Jpass: all good\\r\\n' >&2").await;
        assert_eq!(last_words, "\\u{1b}[2Jpass: all good");
        assert_eq!(heard, [last_words]);
    }

    #[tokio::test]
    async fn a_line_has_an_end() {
        let (code, _, heard) = listen("head -c 100000 /dev/zero | tr '\\0' x >&2").await;
        assert_eq!(code, Some(0));
        assert!(
            heard.iter().all(|line| line.len() <= 4096),
            "{}",
            heard.len()
        );
        assert_eq!(heard.concat().len(), 100_000);
    }
}
