//! The three programs of the host that a build calls before the network is cut. None of them is
//! trusted for content: what they give is compared with digests. None of them may be told by the
//! source what to run: whoever checks a stranger's source runs these on it, outside of any sandbox.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use console::process::Network;

use crate::interrupt::Interrupt;

/// Bytes that one of the programs may answer; a list of a repository's files is the longest answer.
const ANSWER: u64 = 64 << 20;
/// Bytes of its complaints that are kept.
const COMPLAINT: usize = 2000;

/// A program of the host that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// It is not there.
    #[error("starting {program}: this machine does not have it")]
    Absent {
        /// Which one.
        program: &'static str,
    },
    /// It cannot be started or talked to.
    #[error("running {program}: {source}")]
    Talk {
        /// Which one.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// It ended with another exit status than 0.
    #[error("running {program} {action}: {said}")]
    Failed {
        /// Which one.
        program: &'static str,
        /// What it was asked to do.
        action: &'static str,
        /// What it said.
        said: String,
    },
    /// It said more than it may.
    #[error("running {program} {action}: its answer is over {ANSWER} bytes")]
    Long {
        /// Which one.
        program: &'static str,
        /// What it was asked to do.
        action: &'static str,
    },
}

impl HostError {
    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent { program: "gpgv" } => Some(
                "install gpgv, which verifies the archive's signature at each build (Debian package gpgv)",
            ),
            Self::Absent { program: "git" } => Some("install git, which knows the source"),
            Self::Absent { program: "cargo" } => Some("install cargo, which fetches crates"),
            Self::Failed {
                program: "cargo", ..
            } => Some("crates come from where cargo is configured to find them; is it reachable?"),
            _ => None,
        }
    }

    fn starting(program: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Absent { program },
            _ => Self::Talk { program, source },
        }
    }
}

/// Asks git about the repository that holds `folder`. The first argument names what it should do.
///
/// Only commands may be asked that run no program of a repository's own configuration: those that
/// read the working tree's files run its filters, so that `status` ([`git_status`]) and `diff` are not
/// among them.
///
/// # Errors
/// git is missing or refuses.
pub fn git<A: AsRef<OsStr>>(
    folder: &Path,
    action: &'static str,
    arguments: &[A],
) -> Result<Vec<u8>, HostError> {
    let mut command = git_command(folder);
    run("git", action, command.arg(action).args(arguments))
}

/// The objects of the repository around `folder` whose names are asked for on standard input.
///
/// # Errors
/// git is missing.
pub fn git_objects(folder: &Path) -> Result<Child, HostError> {
    git_command(folder)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(HostError::starting("git"))
}

/// What git calls changed or unknown of the working tree `top` at `paths`, or everywhere with none, as the
/// git folder `own` says that files are compared: one that the caller has made and that names no program.
///
/// # Errors
/// git is missing or refuses.
pub fn git_status(
    top: &Path,
    own: &Path,
    objects: &Path,
    paths: &[&str],
) -> Result<Vec<u8>, HostError> {
    let mut command = git_command(top);
    command.env("GIT_DIR", own).env("GIT_WORK_TREE", top);
    command.env("GIT_OBJECT_DIRECTORY", objects);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["status", "--porcelain", "-z", "--no-renames"]);
    // A submodule has a configuration of its own.
    command.args(["--untracked-files=all", "--ignore-submodules=all", "--"]);
    run("git", "status", command.args(paths))
}

fn git_command(folder: &Path) -> Command {
    let mut command = console::git::command(Network::Forbidden);
    command.arg("-C").arg(folder);
    command
}

/// How long cargo tries to reach a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// As the user has configured it.
    Configured,
    /// One more try: nothing but a comparison depends on it.
    Little,
}

/// The user's own cargo, which finds registries as the user has configured it.
#[derive(Clone, Debug)]
pub struct Cargo {
    program: PathBuf,
    home: Option<PathBuf>,
    patience: Patience,
    network: Network,
}

impl Cargo {
    /// The cargo that the environment names by `CARGO`, or the first one in `PATH`. Relative paths are those of
    /// the user, who is in another folder than cargo will be.
    ///
    /// # Errors
    /// The current folder cannot be found out.
    pub fn find() -> Result<Self, HostError> {
        let absolute = |path: PathBuf| {
            std::path::absolute(path).map_err(|source| HostError::Talk {
                program: "cargo",
                source,
            })
        };
        let program = std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        // A bare name is looked for in PATH.
        let program = match program.components().count() {
            1 => program,
            _ => absolute(program)?,
        };
        let home = std::env::var_os("CARGO_HOME").filter(|home| !home.is_empty());
        Ok(Self {
            program,
            home: home.map(|home| absolute(home.into())).transpose()?,
            patience: Patience::Configured,
            network: Network::Allowed,
        })
    }

    /// The same with other patience.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same without network.
    #[must_use]
    pub fn offline(self) -> Self {
        let network = Network::Forbidden;
        Self { network, ..self }
    }

    /// Runs `cargo ACTION ARGUMENTS` on a manifest, which must not be a stranger's: it could name a registry or a
    /// repository that cargo then talks to.
    ///
    /// # Errors
    /// cargo is missing, fails, or was ended by an interrupt.
    pub fn run(
        &self,
        action: &'static str,
        arguments: &[&str],
        manifest: &Path,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, HostError> {
        let mut command = Command::new(&self.program);
        command.arg(action).args(arguments);
        command.arg("--manifest-path").arg(manifest);
        if self.network == Network::Forbidden {
            command.arg("--offline");
        }
        if self.patience == Patience::Little {
            command.env("CARGO_NET_RETRY", "1");
        }
        if let Some(home) = &self.home {
            command.env("CARGO_HOME", home);
        }
        // What it says is read, whatever the user has configured.
        command.env("CARGO_TERM_COLOR", "never");
        command.env("CARGO_TERM_QUIET", "false");
        // Cargo obeys configuration in the folder where it runs and above it, and rustup does so for the
        // toolchain: in another folder both could name a program to run.
        command.current_dir("/");
        run_until(Some(interrupt), "cargo", action, &mut command)
    }
}

/// What gpgv found out about a signed message.
#[derive(Debug)]
pub struct Checked {
    /// Its status lines (GnuPG, `doc/DETAILS`).
    pub status: String,
    /// What it has for people.
    pub said: String,
}

/// Has gpgv check the signatures on `signed` with the keys in `keyring`, and write the text that was signed
/// to `text`. `home` is a folder without keys. Its exit status is not looked at: it says whether all
/// signatures are good, and one by a key that the keyring does not have is not.
///
/// # Errors
/// gpgv is missing, or was ended by a signal.
pub fn gpgv(keyring: &Path, signed: &Path, text: &Path, home: &Path) -> Result<Checked, HostError> {
    let mut command = Command::new("gpgv");
    command.arg("--homedir").arg(home);
    command.arg("--keyring").arg(keyring);
    command.args(["--status-fd", "1", "--output"]).arg(text);
    command.arg(signed).env("LC_ALL", "C");
    let (program, action) = ("gpgv", "on InRelease");
    let (answer, output) = answer_until(None, program, action, &mut command)?;
    let said = complaint(&output);
    match output.status.code() {
        Some(_) => Ok(Checked {
            status: String::from_utf8_lossy(&answer).into_owned(),
            said,
        }),
        None => Err(HostError::Failed {
            program,
            action,
            said: format!("{}: {said}", output.status),
        }),
    }
}

fn run(
    program: &'static str,
    action: &'static str,
    command: &mut Command,
) -> Result<Vec<u8>, HostError> {
    run_until(None, program, action, command)
}

/// An interrupt ends a program that may take long.
fn run_until(
    interrupt: Option<&Interrupt>,
    program: &'static str,
    action: &'static str,
    command: &mut Command,
) -> Result<Vec<u8>, HostError> {
    let (answer, output) = answer_until(interrupt, program, action, command)?;
    match output.status.success() {
        true => Ok(answer),
        false => Err(HostError::Failed {
            program,
            action,
            said: complaint(&output),
        }),
    }
}

/// What a program answers, and how it ended.
fn answer_until(
    interrupt: Option<&Interrupt>,
    program: &'static str,
    action: &'static str,
    command: &mut Command,
) -> Result<(Vec<u8>, Output), HostError> {
    let talk = |source| HostError::Talk { program, source };
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(HostError::starting(program))?;
    let watch = interrupt.map(|interrupt| interrupt.watch(&child));
    let _watch = watch.transpose().map_err(talk)?;
    let stdout = child.stdout.take();
    let (answer, output) = std::thread::scope(|scope| {
        let answer = scope.spawn(|| stdout.map_or(Ok(Vec::new()), read_answer));
        let output = child.wait_with_output();
        (answer.join(), output)
    });
    let answer = answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (answer, output) = (answer.map_err(talk)?, output.map_err(talk)?);
    if answer.len() as u64 > ANSWER {
        return Err(HostError::Long { program, action });
    }
    Ok((answer, output))
}

/// One byte more than allowed tells an answer that is too long; the program then writes to nobody.
fn read_answer(stdout: ChildStdout) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    stdout.take(ANSWER + 1).read_to_end(&mut answer)?;
    Ok(answer)
}

fn complaint(output: &Output) -> String {
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

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

    #[test]
    fn source_cannot_name_programs_to_run() {
        let source = tempfile::tempdir().unwrap();
        let at = |name: &str| source.path().join(name);
        for folder in [".cargo", "src"] {
            fs::create_dir(at(folder)).unwrap();
        }
        let marker = at("marker");
        let script = format!("#!/bin/sh\ntouch {}\nexec rustc \"$@\"\n", marker.display());
        fs::write(at("evil"), script).unwrap();
        fs::set_permissions(at("evil"), fs::Permissions::from_mode(0o755)).unwrap();
        let config = format!("[build]\nrustc = {:?}\n", at("evil"));
        fs::write(at(".cargo/config.toml"), config).unwrap();
        let manifest = "[package]\nname = 'a'\n[target.'cfg(unix)'.dependencies]\n";
        fs::write(at("Cargo.toml"), manifest).unwrap();
        fs::write(at("src/lib.rs"), "").unwrap();
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"0.0.0\"\n";
        fs::write(at("Cargo.lock"), lock).unwrap();

        let cargo = Cargo::find().unwrap();
        let fetched = cargo.run(
            "fetch",
            &["--locked"],
            &at("Cargo.toml"),
            &Interrupt::default(),
        );
        fetched.unwrap();
        assert!(!marker.exists());

        let mut trap = Command::new("cargo");
        trap.args(["fetch", "--locked"]).current_dir(source.path());
        assert!(trap.status().unwrap().success());
        assert!(marker.exists(), "the trap does not work");
    }

    #[test]
    fn a_program_that_fails_says_why() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = git(nowhere.path(), "rev-parse", &["--show-toplevel"]).unwrap_err();
        assert!(matches!(error, HostError::Failed { .. }), "{error}");
        let text = error.to_string();
        assert!(text.starts_with("running git rev-parse: fatal:"), "{text}");
    }
}
