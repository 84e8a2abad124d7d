//! Runs a program and reads its output.

use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use console::hint::Hinted;

use super::error::{ANSWER, HostError};
use crate::interrupt::Interrupt;

/// Maximum length of the kept part of standard error, in characters.
const COMPLAINT: usize = 2000;

/// Receives each line of a program's standard error.
pub type Listener<'a> = &'a (dyn Fn(&str) + Sync);

/// The output of a program that must succeed.
pub(super) fn run(
    program: &'static str,
    action: &'static str,
    command: &mut Command,
) -> Result<Vec<u8>, HostError> {
    run_until(None, program, action, command)
}

/// The output of a program that must succeed. An interrupt ends it.
pub(super) fn run_until(
    interrupt: Option<&Interrupt>,
    program: &'static str,
    action: &'static str,
    command: &mut Command,
) -> Result<Vec<u8>, HostError> {
    run_heard(interrupt, program, action, command, &|_| {})
}

/// As [`run_until`]. `hear` gets each line of standard error at once.
pub(super) fn run_heard(
    interrupt: Option<&Interrupt>,
    program: &'static str,
    action: &'static str,
    command: &mut Command,
    hear: Listener<'_>,
) -> Result<Vec<u8>, HostError> {
    let (answer, output) = answer_until(interrupt, program, action, command, hear)?;
    match output.status.success() {
        true => Ok(answer),
        false => Err(HostError::Failed {
            program,
            action,
            said: complaint(&output),
        }),
    }
}

/// The output of a program, and how it ended. An interrupt ends it.
pub(super) fn answer_until(
    interrupt: Option<&Interrupt>,
    program: &'static str,
    action: &'static str,
    command: &mut Command,
    hear: Listener<'_>,
) -> Result<(Vec<u8>, Output), HostError> {
    let talk = HostError::talking(program);
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(HostError::starting(program))?;
    let attended = attend(&mut child, interrupt, hear);
    if attended.is_err() {
        // It may have ended already.
        let _ = child.kill();
    }
    let status = child.wait().map_err(&talk)?;
    let (answer, stderr) = attended.map_err(&talk)?;
    let output = Output {
        status,
        stdout: Vec::new(),
        stderr,
    };
    if answer.len() as u64 > ANSWER {
        let long =
            format_args!("running {program} {action}: its output is larger than {ANSWER} bytes");
        return Err(Hinted::new(long).into());
    }
    Ok((answer, output))
}

/// Reads the output and the standard error of a program to their ends.
fn attend(
    child: &mut Child,
    interrupt: Option<&Interrupt>,
    hear: Listener<'_>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let watch = interrupt.map(|interrupt| interrupt.watch(child));
    let _watch = watch.transpose()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (answer, said) = std::thread::scope(|scope| {
        let answer = scope.spawn(|| stdout.map_or(Ok(Vec::new()), read_answer));
        let said = stderr.map_or(Ok(Vec::new()), |stderr| listen(stderr, hear));
        (answer.join(), said)
    });
    let answer = answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    Ok((answer?, said?))
}

/// Reads to the end, so that the program never waits.
fn listen(stderr: ChildStderr, hear: Listener<'_>) -> io::Result<Vec<u8>> {
    let (mut stderr, mut said) = (BufReader::new(stderr), Vec::new());
    let mut heard = 0;
    while stderr.read_until(b'\n', &mut said)? > 0 {
        hear(String::from_utf8_lossy(&said[heard..]).trim_end());
        heard = said.len();
    }
    Ok(said)
}

/// Reads at most one byte more than is allowed: an answer with that byte is too long.
fn read_answer(stdout: ChildStdout) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    stdout.take(ANSWER + 1).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The standard error of a program, on one line.
pub(super) fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ").chars().take(COMPLAINT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_ends_a_program_that_takes_long() {
        let interrupt = Interrupt::default();
        let ended = std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let mut sleep = Command::new("sleep");
                run_until(Some(&interrupt), "cargo", "fetch", sleep.arg("600"))
            });
            interrupt.raise();
            work.join().unwrap()
        });
        assert!(matches!(ended, Err(HostError::Failed { .. })), "{ended:?}");
    }
}
