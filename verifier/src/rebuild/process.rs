//! Starts programs, and relays what they print to standard error.

use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use console::process;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::error::RebuildError;

/// Receives each line that a program prints to standard error, and says what it is.
pub(super) type Listener<'a> = &'a (dyn Fn(&str) -> Line + Sync);

/// What a line is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// Text for people, of which the last may say why the program failed.
    Text,
    /// What the builder does.
    Event,
}

/// Maximum size of a line, in bytes. A longer one is shown as several.
const LINE: u64 = 4096;

/// Time limit for a program to clean up after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(8);

/// A command that ends with this process, see [`process::bound`].
pub(super) fn program(name: impl AsRef<OsStr>) -> Result<Command, RebuildError> {
    Ok(process::bound(name)?.into())
}

pub(super) async fn expect_success(
    command: Command,
    doing: &str,
    listener: Listener<'_>,
) -> Result<(), RebuildError> {
    let (status, last_line) = run(command, listener).await?;
    match status.success() {
        true => Ok(()),
        false => Err(RebuildError::failed(doing, status, &last_line)),
    }
}

/// Runs a program to its end, and returns its last line that is not a hint. For git, that is its first `fatal:`.
pub(super) async fn run(
    mut command: Command,
    listener: Listener<'_>,
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
    let mut child = spawned.map_err(|source| RebuildError::starting(&program, source))?;
    let stderr = child.stderr.take();
    // Dropped after the program has ended: it would be killed if it wrote to a closed pipe.
    let relayed = std::pin::pin!(async {
        match stderr {
            Some(stderr) => relay(stderr, listener).await,
            None => String::new(),
        }
    });
    let mut running = Running(child);
    let last_line = relayed.await;
    let status = running
        .0
        .wait()
        .await
        .map_err(|source| RebuildError::starting(&program, source))?;
    Ok((status, last_line))
}

/// A program that is sent SIGTERM when this is dropped, and killed if it does not end in time.
struct Running(Child);

impl Drop for Running {
    /// Waits for the end of the program, so that it can remove its temporary files.
    fn drop(&mut self) {
        // There is no ID once the process has ended, since another process may have it then.
        if let Some(id) = self.0.id() {
            process::end_group(id, PATIENCE, || !matches!(self.0.try_wait(), Ok(None)));
        }
    }
}

/// Reads to the end, because the program would be killed if it wrote to a closed pipe. Lines are untrusted: git repeats
/// text of a server, and a compiler repeats text of a source.
async fn relay(stderr: impl AsyncRead + Unpin, listener: Listener<'_>) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut bytes, mut last) = (Vec::new(), String::new());
    let mut fatal = None;
    while let Ok(1..) = (&mut stderr).take(LINE).read_until(b'\n', &mut bytes).await {
        let line = console::text::line(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
        if listener(&line) == Line::Event {
            continue;
        }
        // git prints the reason first, and then advice.
        if fatal.is_none() && line.starts_with("fatal: ") {
            fatal = Some(line.clone());
        }
        // A hint follows an error.
        if !line.starts_with("hint: ") && !line.is_empty() {
            last = line;
        }
    }
    fatal.unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    const TICK: Duration = Duration::from_millis(20);

    async fn listen(script: &str) -> (Option<i32>, String, Vec<String>) {
        let heard = Mutex::new(Vec::new());
        let mut shell = program("sh").unwrap();
        shell.args(["-c", script]);
        let hear = |line: &str| {
            heard.lock().unwrap().push(line.to_owned());
            Line::Text
        };
        let (status, last_line) = run(shell, &hear).await.unwrap();
        (status.code(), last_line, heard.into_inner().unwrap())
    }

    #[tokio::test]
    async fn lines_may_have_bytes_that_are_not_text() {
        let script = "printf 'a\\377b\\n' >&2; sleep 0.1; echo 'error: why' >&2; exit 1";
        let (code, last_line, heard) = listen(script).await;
        assert_eq!((code, last_line.as_str()), (Some(1), "error: why"));
        assert_eq!(heard, ["a\u{fffd}b", "error: why"]);
    }

    #[tokio::test]
    async fn control_characters_are_escaped() {
        let (_, last_line, heard) = listen("printf '\\033[2Jpass: all good\\r\\n' >&2").await;
        assert_eq!(last_line, "\\u{1b}[2Jpass: all good");
        assert_eq!(heard, [last_line]);
    }

    #[tokio::test]
    async fn a_reason_is_not_hidden_by_advice() {
        let script = "printf 'fatal: no\\n\\nPlease ask\\nsomebody.\\nhint: x\\n' >&2; exit 128";
        let (code, last_line, _) = listen(script).await;
        assert_eq!((code, last_line.as_str()), (Some(128), "fatal: no"));
    }

    #[tokio::test]
    async fn a_long_line_is_split() {
        let (code, _, heard) = listen("head -c 100000 /dev/zero | tr '\\0' x >&2").await;
        assert_eq!(code, Some(0));
        assert!(
            heard.iter().all(|line| line.len() <= 4096),
            "{}",
            heard.len()
        );
        assert_eq!(heard.concat().len(), 100_000);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dropped_program_cleans_up() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let script = "trap 'rm \"$MADE\"; exit 1' TERM; : >\"$MADE\"; while :; do sleep 0.05; done";
        let mut shell = program("sh").unwrap();
        shell.args(["-c", script]).env("MADE", &made);
        let work = tokio::spawn(async move { run(shell, &|_| Line::Text).await.map(drop) });
        while !made.exists() {
            tokio::time::sleep(TICK).await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert!(!made.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn child_processes_of_a_program_end_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let mut shell = program("sh").unwrap();
        let script = "sleep 600 & echo $! >\"$CHILD.new\"; mv \"$CHILD.new\" \"$CHILD\"; wait";
        shell.args(["-c", script]).env("CHILD", &child);
        let work = tokio::spawn(async move { run(shell, &|_| Line::Text).await.map(drop) });
        while !child.exists() {
            tokio::time::sleep(TICK).await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        let child = std::fs::read_to_string(child).unwrap().trim().parse();
        let child = child.unwrap();
        for _ in 0..100 {
            if !runs(child) {
                return;
            }
            std::thread::sleep(TICK);
        }
        panic!("process {child} still runs");
    }

    fn runs(process: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }
}
