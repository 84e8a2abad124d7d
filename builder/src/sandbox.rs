//! Runs a program in a sandbox: without network and other files of the machine than its inputs; with a fixed user, host
//! name, environment and address space layout; and with all folders read-only except some in memory. No process that the
//! program starts outlives the sandbox or the builder.

mod helper;
mod mounts;
mod plan;
mod restrict;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::interrupt::{Interrupt, Interrupted, Watch};
pub use helper::{Role, play};
pub use isolate::limits::{Exceeded, Limits, Resource};
pub use isolate::process::Process;
use isolate::stages;
pub use isolate::step::{Refusal, Step};
pub use isolate::supervise::Output;
pub use plan::{Bind, Plan};
use plan::{Report, Task};

/// Maximum size of a report's line, in bytes, and of a line of progress.
const LINE: u64 = 64 << 10;

/// Why a program in a sandbox gave no result.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The helper cannot be started, or communication with it fails.
    #[error("starting sandbox: {0}")]
    Helper(#[source] io::Error),
    /// The system does not allow a sandbox.
    #[error("making sandbox: {0}")]
    Refused(#[from] Refusal),
    /// The program failed.
    #[error("running {program}: exit status {code}")]
    Exited {
        /// Its path inside.
        program: String,
        /// Its exit status.
        code: i32,
    },
    /// A signal ended the program, most likely because memory ran out.
    #[error("running {program}: ended by signal {signal}")]
    Killed {
        /// Its path inside.
        program: String,
        /// The signal's number.
        signal: i32,
    },
    /// The program succeeded, but its product is missing.
    #[error("reading {} in the sandbox: {source}", path.display())]
    Missing {
        /// Its path inside.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The helper ended without a report.
    #[error("running sandbox: it ended without a report")]
    Silent,
    /// The product is too large, or was not handed out in full.
    #[error("reading {} in the sandbox: expected {expected} bytes, found {found}", path.display())]
    Size {
        /// Its path inside.
        path: PathBuf,
        /// Bytes announced, or allowed.
        expected: u64,
        /// Bytes received, or announced.
        found: u64,
    },
    /// The product cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// Its path on the machine.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The program did not end in time.
    #[error("running {program}: it has not ended after {} seconds", limit.as_secs())]
    Late {
        /// Its path inside.
        program: String,
        /// The time limit.
        limit: Duration,
    },
    /// The program, or a process that it started, used more than it may.
    #[error("running {program}: {exceeded}")]
    Exceeded {
        /// Its path inside.
        program: String,
        /// The limit.
        exceeded: Exceeded,
    },
    /// The program succeeded, but a process did not end before the one that started it, and could have changed
    /// the product.
    #[error("running {program}: process {process:?} outlived the process that started it")]
    LeftBehind {
        /// Its path inside.
        program: String,
        /// The name of the process.
        process: String,
    },
    /// The user interrupted it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// How to run a program in a sandbox.
#[derive(Clone, Copy)]
pub struct Sandbox<'a> {
    /// A program that calls [`play`] when its arguments name a [`Role`]: the builder itself.
    pub helper: &'a Path,
    /// Ends the sandbox early.
    pub interrupt: &'a Interrupt,
    /// The time limit for a program.
    pub limit: Duration,
    /// Limits on the program and all processes that it starts.
    pub limits: Limits,
    /// Receives each line of progress: the standard error of the program.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

impl Sandbox<'_> {
    /// Checks that the system allows a sandbox, which is only known after it is tried.
    ///
    /// # Errors
    /// It does not allow one, or the helper cannot be started.
    pub fn probe(&self) -> Result<(), SandboxError> {
        let mut helper = Command::new(self.helper);
        helper.arg(Role::Probe.argument()).env_clear();
        let output = helper.stdin(Stdio::null()).output();
        let output = output.map_err(SandboxError::Helper)?;
        match read_line(&mut output.stdout.as_slice())? {
            Some(Report::Refused(refusal)) => Err(refusal.into()),
            _ if output.status.success() => Ok(()),
            _ => Err(SandboxError::Silent),
        }
    }

    /// Runs the program of `plan`, and writes its product, if it has one, to the file `product`, which is only
    /// complete when this succeeds. Returns the program's output, if it is to be returned.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn run(&self, plan: &Plan, product: &Path) -> Result<Vec<u8>, SandboxError> {
        self.interrupt.check()?;
        let mut child = self.start(plan)?;
        // Kept until the end, because the helper exits when it is closed.
        let stdin = child.stdin.take();
        let outcome = self.attend(&mut child, stdin.as_ref(), plan, product);
        drop(stdin);
        child.wait().map_err(SandboxError::Helper)?;
        self.interrupt.check()?;
        outcome
    }

    fn start(&self, plan: &Plan) -> Result<Child, SandboxError> {
        self.prepare(plan).map_err(SandboxError::Helper)?;
        Command::new(self.helper)
            .arg(Role::Outer.argument())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(SandboxError::Helper)
    }

    fn prepare(&self, plan: &Plan) -> io::Result<()> {
        std::fs::create_dir_all(&plan.mount_point)
    }

    fn attend(
        &self,
        child: &mut Child,
        stdin: Option<&ChildStdin>,
        plan: &Plan,
        product: &Path,
    ) -> Result<Vec<u8>, SandboxError> {
        let watch = self.interrupt.watch(child).map_err(SandboxError::Helper)?;
        if let Some(mut stdin) = stdin {
            let plan = plan.clone();
            let limits = self.limits;
            hand_over(&mut stdin, &Task { plan, limits }).map_err(SandboxError::Helper)?;
        }
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (ended, end) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watch = &watch;
            let relay = scope.spawn(move || stderr.is_some_and(|from| self.relay(from, watch)));
            let late = scope.spawn(move || end_late(&end, self.limit, watch));
            let outcome = stdout.map_or(Err(SandboxError::Silent), |stdout| {
                self.receive(stdout, plan, product)
            });
            // A relay that panics has shown no line, which changes no outcome.
            let is_long = relay.join().unwrap_or(false);
            drop(ended);
            let is_late = outcome.is_err() && late.join().unwrap_or(false);
            match (is_long, is_late) {
                (true, _) => Err(self.exceeded(plan, Resource::Output)),
                (false, true) => Err(SandboxError::Late {
                    program: plan.process.name().to_owned(),
                    limit: self.limit,
                }),
                (false, false) => outcome,
            }
        })
    }

    /// Reads to the end, also after invalid text, so that the program never waits. Output beyond the limit ends the
    /// program; returns whether it did.
    fn relay(&self, stderr: ChildStderr, watch: &Watch<'_>) -> bool {
        let mut lines = BufReader::new(stderr);
        let mut line = Vec::new();
        let mut left = self.limits.output();
        while let Ok(read @ 1..) = lines.by_ref().take(LINE).read_until(b'\n', &mut line) {
            match left.checked_sub(read as u64) {
                Some(rest) => left = rest,
                None => {
                    watch.end();
                    return true;
                }
            }
            (self.progress)(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
        false
    }

    fn exceeded(&self, plan: &Plan, resource: Resource) -> SandboxError {
        SandboxError::Exceeded {
            program: plan.process.name().to_owned(),
            exceeded: self.limits.exceeded(resource),
        }
    }

    fn receive(
        &self,
        stdout: ChildStdout,
        plan: &Plan,
        product: &Path,
    ) -> Result<Vec<u8>, SandboxError> {
        let mut stdout = BufReader::new(stdout);
        let program = plan.process.name().to_owned();
        match read_line(&mut stdout)?.ok_or(SandboxError::Silent)? {
            Report::Refused(refusal) => Err(refusal.into()),
            Report::Exited { code } => Err(SandboxError::Exited { program, code }),
            Report::Killed { signal } => Err(SandboxError::Killed { program, signal }),
            Report::Missing { errno } => Err(SandboxError::Missing {
                path: plan.product.clone().unwrap_or_default(),
                source: io::Error::from_raw_os_error(errno),
            }),
            Report::Exceeded { resource } => Err(self.exceeded(plan, resource)),
            Report::LeftBehind { process } => Err(SandboxError::LeftBehind { program, process }),
            Report::Done {
                output,
                product: size,
            } => {
                let output = take(&mut stdout, output.min(self.limits.output()))?;
                if let Some(path) = &plan.product {
                    keep(stdout, size, path, product)?;
                }
                Ok(output)
            }
        }
    }
}

/// Ends the watched process unless `end` comes before the limit; returns whether it did.
fn end_late(end: &Receiver<()>, limit: Duration, watch: &Watch<'_>) -> bool {
    let late = end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
    if late {
        watch.end();
    }
    late
}

fn hand_over(stdin: &mut impl Write, task: &Task) -> io::Result<()> {
    match stdin.write_all(&stages::task(task)?) {
        // The helper refused before it read the task; its report gives the cause.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

fn read_line<T: DeserializeOwned>(reader: &mut impl BufRead) -> Result<Option<T>, SandboxError> {
    let mut line = Vec::new();
    reader
        .take(LINE)
        .read_until(b'\n', &mut line)
        .map_err(SandboxError::Helper)?;
    Ok(content::json::parse(&line, LINE).ok())
}

fn take(stdout: &mut impl Read, size: u64) -> Result<Vec<u8>, SandboxError> {
    let mut bytes = Vec::new();
    let read = stdout.take(size).read_to_end(&mut bytes);
    match read.map_err(SandboxError::Helper)? as u64 == size {
        true => Ok(bytes),
        false => Err(SandboxError::Silent),
    }
}

/// Writes the file that is `path` in the sandbox to `product`.
fn keep(stdout: impl Read, size: u64, path: &Path, product: &Path) -> Result<(), SandboxError> {
    let wrong = |expected, found| SandboxError::Size {
        path: path.to_owned(),
        expected,
        found,
    };
    if size > content::limits::LAYER {
        return Err(wrong(content::limits::LAYER, size));
    }
    let copied = std::fs::File::create_new(product)
        .and_then(|mut file| io::copy(&mut stdout.take(size + 1), &mut file))
        .map_err(|source| SandboxError::Write {
            path: product.to_owned(),
            source,
        })?;
    match copied == size {
        true => Ok(()),
        false => Err(wrong(size, copied)),
    }
}
