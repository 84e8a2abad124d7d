//! The stage: a temporary folder and the processes that run in it. Dropping it ends the processes and removes the folder.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use console::process::{self, Signal};
use scratch::Scratch;

use crate::Error;
use crate::running::Running;

/// How long a program may take to clean up. Longer than the verifier's own limit, since it waits for its builder.
const PATIENCE: Duration = Duration::from_secs(15);

/// The temporary folder and processes of one ceremony. Dropping it ends the processes and removes the
/// folder; the folder of a killed ceremony is removed by the next one.
pub struct Stage {
    folder: Scratch,
    programs: PathBuf,
    running: Running,
}

/// The output and exit status of a program.
#[derive(Clone, Debug)]
pub struct Said {
    /// The exit status; `None` after a signal.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

/// A program that runs in the background; ended when dropped.
pub struct Playing {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    running: Running,
}

impl Stage {
    /// A new stage for the programs in the folder `programs`.
    ///
    /// # Errors
    /// The temporary folder cannot be made.
    pub fn set(programs: PathBuf) -> Result<Self, Error> {
        let folder = Scratch::new().map_err(Error::io(std::env::temp_dir()))?;
        Ok(Self {
            folder,
            programs,
            running: Running::default(),
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A new folder on the stage.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.path().join(name);
        fs::create_dir_all(&path).map_err(Error::io(&path))?;
        Ok(path)
    }

    /// A file on the stage with these contents.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf, Error> {
        let path = self.path().join(name);
        fs::write(&path, contents).map_err(Error::io(&path))?;
        Ok(path)
    }

    /// The processes that run now.
    pub fn running(&self) -> Running {
        self.running.clone()
    }

    /// A command that runs one of our programs.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// Starts `command`; `heard` also receives each line of its standard error.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(
        &self,
        command: Command,
        heard: impl Fn(&str) + Send + 'static,
    ) -> Result<Playing, Error> {
        let mut bound = bound(&command)?;
        bound
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.running.start(|| {
            let child = bound.spawn().map_err(Error::start(command.get_program()))?;
            let id = child.id();
            Ok((child, id))
        })?;
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = child
            .stderr
            .take()
            .map(|pipe| thread::spawn(move || listen(pipe, heard)));
        Ok(Playing {
            child,
            stdout,
            stderr,
            running: self.running(),
        })
    }
}

impl Playing {
    /// The next line on standard output, without its end; `None` once it is closed.
    ///
    /// # Errors
    /// The pipe fails.
    pub fn line(&mut self) -> Result<Option<String>, Error> {
        let mut line = String::new();
        if let Some(stdout) = &mut self.stdout {
            stdout
                .read_line(&mut line)
                .map_err(Error::io("standard output"))?;
        }
        Ok(line.strip_suffix('\n').map(str::to_owned))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends SIGTERM, and waits until the process has ended.
    ///
    /// # Errors
    /// As [`Playing::end`].
    pub fn stop(mut self) -> Result<Said, Error> {
        process::signal_group(self.child.id(), Signal::TERM);
        self.finish()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// Reading its output or waiting fails, or the ceremony was interrupted.
    pub fn end(mut self) -> Result<Said, Error> {
        self.finish()
    }

    fn finish(&mut self) -> Result<Said, Error> {
        let mut stdout = String::new();
        if let Some(mut pipe) = self.stdout.take() {
            pipe.read_to_string(&mut stdout)
                .map_err(Error::io("standard output"))?;
        }
        let status: ExitStatus = self.child.wait().map_err(Error::io("process"))?;
        self.running.ended(self.child.id());
        let stderr = self
            .stderr
            .take()
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default();
        self.running.check()?;
        Ok(Said {
            code: status.code(),
            stdout,
            stderr,
        })
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if self.is_running() {
            process::end_group(self.child.id(), PATIENCE, || !self.is_running());
            let _ = self.child.wait();
        }
        self.running.ended(self.child.id());
    }
}

/// `command`, which receives SIGTERM when the ceremony is killed.
fn bound(command: &Command) -> Result<Command, Error> {
    let mut bound = process::bound(command.get_program())?;
    bound.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        bound.current_dir(folder);
    }
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(key, value),
            None => bound.env_remove(key),
        };
    }
    Ok(bound)
}

/// Runs a command that must succeed and is not shown as a step.
///
/// # Errors
/// It does not start, or does not end with 0.
pub fn finish(stage: &Stage, command: Command) -> Result<String, Error> {
    let line = command_line(&command);
    let said = stage.start(command, |_| {})?.end()?;
    match said.code {
        Some(0) => Ok(said.stdout),
        code => Err(Error::Program {
            command: line,
            code,
            said: said.stderr,
        }),
    }
}

/// A command as a user would type it, without the program's folder.
pub fn command_line(command: &Command) -> String {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

fn listen(pipe: impl Read, heard: impl Fn(&str)) -> String {
    let mut all = String::new();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        heard(&line);
        all.push_str(&line);
        all.push('\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn returns_both_outputs_and_the_status() {
        let stage = Stage::set(PathBuf::new()).unwrap();
        let said = stage
            .start(shell("echo out; echo err >&2; exit 3"), |_| {})
            .unwrap();
        let said = said.end().unwrap();
        assert_eq!(
            (said.code, said.stdout.as_str(), said.stderr.as_str()),
            (Some(3), "out\n", "err\n")
        );
    }

    #[test]
    fn leaves_nothing_behind() {
        let stage = Stage::set(PathBuf::new()).unwrap();
        let folder = stage.path().to_owned();
        let child = folder.join("child");
        let script = "sleep 600 & echo $! >new; mv new child; wait";
        let mut shell = shell(script);
        shell.current_dir(&folder);
        let playing = stage.start(shell, |_| {}).unwrap();
        while !child.exists() {
            thread::sleep(Duration::from_millis(10));
        }
        let child = fs::read_to_string(child).unwrap();
        let id = playing.child.id();
        drop(playing);
        drop(stage);
        assert!(!folder.exists());
        assert!(!Path::new(&format!("/proc/{id}")).exists());
        // No process here waits for it, so it may be a zombie.
        let runs = |id: &str| {
            let stat = fs::read_to_string(format!("/proc/{}/stat", id.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        assert!(
            (0..100).any(|_| {
                thread::sleep(Duration::from_millis(20));
                !runs(&child)
            }),
            "{child} still runs"
        );
    }
}
