//! A program and its supervisor.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::{Value, json};
use tee::{Clock as _, Secret, Stopped, SystemClock};
use workload::job::exec::{ExecError, Place, Program, Ready, TERMINATED};

/// The first argument of the process that supervises.
pub const INNER: &str = "inner";

static SCENES: AtomicU32 = AtomicU32::new(0);

/// The secrets by name, and the value of `exec` in the terms.
pub struct Scene {
    exec: Value,
    secrets: BTreeMap<String, String>,
    folder: PathBuf,
}

/// Whether programs can be supervised here: only root can become another user.
pub fn is_possible() -> bool {
    let is_root = Uid::effective().is_root();
    if !is_root {
        println!("skipped: only root can start a program as another user");
    }
    is_root
}

impl Scene {
    /// A shell script, run as the default user. `$0` is the folder in memory.
    pub fn script(script: &str) -> Self {
        let mut scene = Self::of(&["/bin/sh", "-c", script]);
        let folder = json!(scene.folder);
        scene.exec["command"].as_array_mut().unwrap().push(folder);
        scene
    }

    pub fn of(command: &[&str]) -> Self {
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-test-{}-{number}", std::process::id());
        let folder = Path::new("/dev/shm").join(name);
        std::fs::create_dir(&folder).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&folder, mode).unwrap();
        std::fs::create_dir(folder.join("closed")).unwrap();
        Self {
            exec: json!({"command": command, "secrets": []}),
            secrets: BTreeMap::new(),
            folder,
        }
    }

    /// Adds a secret, handed over as `give` says.
    pub fn secret(mut self, name: &str, give: Value, secret: &str) -> Self {
        let wanted =
            json!({"name": name, "collaborator": "bank", "ciphertext": "/a", "give": give});
        self.exec["secrets"].as_array_mut().unwrap().push(wanted);
        self.secrets.insert(name.to_owned(), secret.to_owned());
        self
    }

    /// A secret that cannot be fetched.
    pub fn missing(mut self, name: &str) -> Self {
        self = self.secret(name, json!("file"), "");
        self.secrets.remove(name);
        self
    }

    /// Runs it with its files in this folder.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::create_dir_all(folder.join("closed")).unwrap();
        self.folder = folder.to_owned();
        self
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let secrets = serde_json::to_string(&self.secrets).unwrap();
        command
            .args([INNER, &self.exec.to_string(), &secrets])
            .arg(&self.folder)
            .env("COUNTERSIGN_SIGNATURES", "[]")
            .env("COUNTERSIGN_DESCRIPTOR_X", "251");
        command
    }

    pub fn run(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Starts it, and waits until it has printed a line.
    pub fn started(&self) -> Started {
        let mut command = self.command();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        Started { child, line, lines }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub struct Started {
    pub child: Child,
    /// The first line that the program printed.
    pub line: String,
    lines: BufReader<std::process::ChildStdout>,
}

impl Started {
    pub fn send(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).unwrap();
    }

    /// The next line that the program prints.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    pub fn status(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// Text and exit status of a program that ended.
pub fn said(output: &Output) -> (String, Option<i32>) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("no secret {0}")]
    Secret(String),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The process that supervises: its arguments are the description, the secrets and the folder.
pub fn inner() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let program = Program::parse(&arguments[0].parse().unwrap()).unwrap();
    let secrets: BTreeMap<String, String> = serde_json::from_str(&arguments[1]).unwrap();
    let folder = PathBuf::from(&arguments[2]);
    let place = Place {
        closed: folder.join("closed"),
        memory: folder,
    };
    match supervise(&program, &place, &secrets) {
        Ok(status) => ExitCode::from(status),
        Err(Failure::Stopped(_)) => ExitCode::from(TERMINATED),
        Err(error) => report(&error),
    }
}

fn supervise(
    program: &Program,
    place: &Place,
    secrets: &BTreeMap<String, String>,
) -> Result<u8, Failure> {
    let ready = Ready::check(program, place)?;
    let clock = SystemClock::start();
    let clock = ready.clock(&clock);
    // Another thread, as those that resolve names: it must take no signal.
    std::thread::spawn(|| std::thread::sleep(Duration::from_secs(60)));
    let loaded = ready.hand_over(&mut |wanted| {
        if let Some(signal) = wanted.name.strip_prefix("after-") {
            kill(Pid::this(), signal.parse::<Signal>().unwrap()).unwrap();
        }
        if wanted.name == "pause" {
            println!("waiting");
            clock.sleep(Duration::from_secs(20))?;
        }
        let secret = secrets.get(&wanted.name);
        let secret = secret.ok_or_else(|| Failure::Secret(wanted.name.clone()))?;
        Ok::<_, Failure>(Secret::new(secret.clone().into_bytes()))
    })?;
    match loaded {
        Some(loaded) => Ok(loaded.start(program)?.wait()?),
        None => Ok(TERMINATED),
    }
}

fn report(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(2)
}
