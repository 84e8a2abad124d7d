//! Starts programs, and listens to what they have for people.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::error::RebuildError;
use crate::printable;

/// Takes each line that git and the builder have for people.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// Bytes of one line; what is longer is shown as several.
const LINE: u64 = 4096;

/// What sets a program's attributes before it starts, as code of ours may not between fork and exec.
const SETPRIV: &str = "setpriv";

/// How long a program may take to remove what it has made, once it is asked to end.
const PATIENCE: Duration = Duration::from_secs(8);
const TICK: Duration = Duration::from_millis(20);

/// A program that the kernel asks to end as soon as we end, whatever ended us: a build without anybody
/// to wait for it would go on for minutes.
pub(super) fn program(name: impl AsRef<OsStr>) -> Result<Command, RebuildError> {
    let name = name.as_ref();
    for needed in [OsStr::new(SETPRIV), name] {
        find(needed)?;
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "TERM", "--"]).arg(name);
    Ok(command)
}

/// Looks for a program as the system will: what starts it could only say that it is missing itself.
pub(super) fn find(program: &OsStr) -> Result<(), RebuildError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = match Path::new(program).components().count() {
        1 => std::env::split_paths(&path).any(|folder| folder.join(program).is_file()),
        _ => Path::new(program).is_file(),
    };
    match found {
        true => Ok(()),
        false => Err(start(
            &program.to_string_lossy(),
            rustix::io::Errno::NOENT.into(),
        )),
    }
}

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
    // With what it starts: git leaves the program that speaks to a server behind.
    command.process_group(0);
    let spawned = command.kill_on_drop(true).spawn();
    let mut child = spawned.map_err(|source| start(&program, source))?;
    let stderr = child.stderr.take();
    // Dropped after the program has ended: one whose pipe closes early is killed by its next line.
    let relayed = std::pin::pin!(async {
        match stderr {
            Some(stderr) => relay(stderr, progress).await,
            None => String::new(),
        }
    });
    let mut running = Running(child);
    let last_words = relayed.await;
    let status = running
        .0
        .wait()
        .await
        .map_err(|source| start(&program, source))?;
    Ok((status, last_words))
}

/// A program that is asked to end when this is dropped, and killed if it does not.
struct Running(Child);

impl Drop for Running {
    /// Waits for the program's end, as what it has made is its own to remove.
    fn drop(&mut self) {
        // None once its end has been seen; the number may be another's by now.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        let Some(process) = id.and_then(Pid::from_raw) else {
            return;
        };
        let _ = kill_process_group(process, Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(TICK);
        }
        let _ = kill_process_group(process, Signal::KILL);
    }
}

/// Reads to the end, whatever it is: a program whose pipe closes early is killed by its next line.
/// What it says may be of strangers: git repeats a server's words, and a compiler those of a source.
async fn relay(stderr: impl AsyncRead + Unpin, progress: Progress<'_>) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut bytes, mut last) = (Vec::new(), String::new());
    let mut fatal = None;
    while let Ok(1..) = (&mut stderr).take(LINE).read_until(b'\n', &mut bytes).await {
        let line = printable::line(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
        progress(&line);
        // git's reason comes first, and several lines of advice after it.
        if fatal.is_none() && line.starts_with("fatal: ") {
            fatal = Some(line.clone());
        }
        // A hint follows an error, and says less.
        if !line.starts_with("hint: ") && !line.is_empty() {
            last = line;
        }
    }
    fatal.unwrap_or(last)
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
        let mut shell = program("sh").unwrap();
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
    async fn a_reason_is_not_hidden_by_advice() {
        let script = "printf 'fatal: no\\n\\nPlease ask\\nsomebody.\\nhint: x\\n' >&2; exit 128";
        let (code, last_words, _) = listen(script).await;
        assert_eq!((code, last_words.as_str()), (Some(128), "fatal: no"));
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

    /// Starts a program that waits for a minute, and gives its process once it runs.
    async fn start_waiting() -> u32 {
        let mut shell = program("sh").unwrap();
        shell.args(["-c", "echo up; exec sleep 60"]);
        let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 3]).await.unwrap();
        child.id().unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_program_that_is_not_waited_for_any_more_cleans_up() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let script = "trap 'rm \"$MADE\"; exit 1' TERM; : >\"$MADE\"; while :; do sleep 0.05; done";
        let mut shell = program("sh").unwrap();
        shell.args(["-c", script]).env("MADE", &made);
        let work = tokio::spawn(async move { run(shell, &|_| {}).await.map(drop) });
        while !made.exists() {
            tokio::time::sleep(TICK).await;
        }
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert!(!made.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_program_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let mut shell = program("sh").unwrap();
        let script = "sleep 600 & echo $! >\"$CHILD.new\"; mv \"$CHILD.new\" \"$CHILD\"; wait";
        shell.args(["-c", script]).env("CHILD", &child);
        let work = tokio::spawn(async move { run(shell, &|_| {}).await.map(drop) });
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

    #[test]
    fn a_program_ends_with_whoever_started_it() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
        };
        // The kernel goes by the thread that started it.
        let starter = std::thread::spawn(move || runtime().unwrap().block_on(start_waiting()));
        let process = starter.join().unwrap();
        for _ in 0..100 {
            if !runs(process) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("process {process} still runs");
    }

    #[test]
    fn what_is_missing_is_named() {
        for missing in ["no-such-program", "/nowhere/builder"] {
            let error = program(missing).unwrap_err();
            assert!(matches!(error, RebuildError::Start { program, .. } if program == missing));
        }
    }
}
