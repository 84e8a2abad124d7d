//! Runs a program in a sandbox: without network and other files of the machine than its inputs; with a fixed user, host
//! name, environment and address space layout; and with all folders read-only except some in memory. No process that the
//! program starts outlives the sandbox or the builder.

mod absent;
mod copy;
mod helper;
mod links;
mod mounts;
mod plan;
mod restrict;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use console::hint::Hinted;
use content::printable;
use serde::de::DeserializeOwned;

use crate::interrupt::{Interrupt, Interrupted, Watch};
pub use helper::{Role, play};
pub use isolate::limits::{Exceeded, Limits, Resource};
pub use isolate::process::Process;
use isolate::stages;
pub use isolate::step::{Refusal, Step};
pub use isolate::supervise::Output;
pub use links::Traced;
pub use plan::{Bind, Copy, Plan, Traces};
use plan::{Report, Task};

/// Maximum size of a report's line, in bytes, and of a line of progress.
const LINE: u64 = 64 << 10;
/// The longest text shown of a reason, in characters.
const SHOWN: usize = 500;
/// Maximum size of the list of what linkers read, in bytes.
const TRACED: u64 = 64 << 20;

/// Why a program in a sandbox gave no result.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
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
    /// The program succeeded, but a process did not end before the one that started it, and could have changed
    /// the product.
    #[error("running {program}: process {process:?} outlived its parent process")]
    LeftBehind {
        /// Its path inside.
        program: String,
        /// The name of the process.
        process: String,
    },
    /// The sandbox cannot be used, the program was ended or used more than it may, or its product is missing.
    #[error(transparent)]
    Hinted(#[from] Hinted),
    /// The user interrupted it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl SandboxError {
    /// A hint for the user about this program's options, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Refused(Refusal {
                step: Step::Proc, ..
            }) => Some(
                "in a container, allow mounting /proc: docker run --security-opt systempaths=unconfined",
            ),
            Self::Refused(_) => Some(
                "allow user namespaces: sysctl user.max_user_namespaces and \
                 kernel.apparmor_restrict_unprivileged_userns; in a container also its seccomp profile",
            ),
            Self::Hinted(error) => error.hint(),
            Self::Exited { .. } | Self::LeftBehind { .. } | Self::Interrupted(_) => None,
        }
    }

    /// The helper cannot be started, or communication with it fails.
    fn helper(source: io::Error) -> Self {
        Hinted::doing("starting sandbox", source).into()
    }

    fn silent() -> Self {
        Hinted::new("running sandbox: the sandbox exited without a report").into()
    }
}

/// The hint if a program cannot be started.
const UNSTARTED: &str = "name a package or an archive that has it in Image.toml; toolchain = \"rust\" in [root] has what \
                         builds with cargo need";

fn limit_hint(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "raise it with --limit-memory, or try --jobs 1",
        Resource::Files => "raise it with --limit-files",
        Resource::Processes => "raise it with --limit-processes, or try --jobs 1",
        Resource::Output => "raise it with --limit-output",
    }
}

/// What is known of a program that succeeded.
#[derive(Debug, Default)]
pub struct Ran {
    /// Its output, if it is to be returned.
    pub output: Vec<u8>,
    /// What linkers read, if they were traced.
    pub traced: Traced,
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
        let output = output.map_err(SandboxError::helper)?;
        match read_line(&mut output.stdout.as_slice())? {
            Some(Report::Refused(refusal)) => Err(refusal.into()),
            _ if output.status.success() => Ok(()),
            _ => Err(SandboxError::silent()),
        }
    }

    /// Runs the program of `plan`, and writes its products to new files: each to the path in `products` at the same index.
    /// The files are only complete when this succeeds.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn run(&self, plan: &Plan, products: &[PathBuf]) -> Result<Ran, SandboxError> {
        self.interrupt.check()?;
        let mut child = self.start(plan)?;
        // Kept until the end, because the helper exits when it is closed.
        let stdin = child.stdin.take();
        let outcome = self.attend(&mut child, stdin.as_ref(), plan, products);
        drop(stdin);
        child.wait().map_err(SandboxError::helper)?;
        self.interrupt.check()?;
        outcome
    }

    fn start(&self, plan: &Plan) -> Result<Child, SandboxError> {
        self.prepare(plan).map_err(SandboxError::helper)?;
        Command::new(self.helper)
            .arg(Role::Outer.argument())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(SandboxError::helper)
    }

    fn prepare(&self, plan: &Plan) -> io::Result<()> {
        std::fs::create_dir_all(&plan.mount_point)
    }

    fn attend(
        &self,
        child: &mut Child,
        stdin: Option<&ChildStdin>,
        plan: &Plan,
        products: &[PathBuf],
    ) -> Result<Ran, SandboxError> {
        let watch = self.interrupt.watch(child).map_err(SandboxError::helper)?;
        if let Some(mut stdin) = stdin {
            let plan = plan.clone();
            let limits = self.limits;
            hand_over(&mut stdin, &Task { plan, limits }).map_err(SandboxError::helper)?;
        }
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (ended, end) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let watch = &watch;
            let relay = scope.spawn(move || stderr.is_some_and(|from| self.relay(from, watch)));
            let late = scope.spawn(move || end_late(&end, self.limit, watch));
            let outcome = stdout.map_or(Err(SandboxError::silent()), |stdout| {
                self.receive(stdout, plan, products)
            });
            // A relay that panics has shown no line, which changes no outcome.
            let is_long = relay.join().unwrap_or(false);
            drop(ended);
            let is_late = outcome.is_err() && late.join().unwrap_or(false);
            match (is_long, is_late) {
                (true, _) => Err(self.exceeded(plan, Resource::Output)),
                (false, true) => Err(self.late(plan)),
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

    fn late(&self, plan: &Plan) -> SandboxError {
        let (program, seconds) = (plan.process.name(), self.limit.as_secs());
        Hinted::new(format_args!(
            "running {program}: the time limit of {seconds} seconds was reached"
        ))
        .hinting("raise the limit with --time-limit")
        .into()
    }

    fn exceeded(&self, plan: &Plan, resource: Resource) -> SandboxError {
        let (program, exceeded) = (plan.process.name(), self.limits.exceeded(resource));
        Hinted::new(format_args!("running {program}: {exceeded}"))
            .hinting(limit_hint(resource))
            .into()
    }

    fn receive(
        &self,
        stdout: ChildStdout,
        plan: &Plan,
        products: &[PathBuf],
    ) -> Result<Ran, SandboxError> {
        let mut stdout = BufReader::new(stdout);
        let program = plan.process.name().to_owned();
        match read_line(&mut stdout)?.ok_or_else(SandboxError::silent)? {
            Report::Refused(refusal) if refusal.step == Step::Program => {
                let unstarted = format_args!("starting {program}: {}", refusal.cause);
                Err(Hinted::new(unstarted).hinting(UNSTARTED).into())
            }
            Report::Refused(refusal) => Err(refusal.into()),
            Report::Exited { code } => Err(SandboxError::Exited { program, code }),
            Report::Killed { signal } => {
                let killed = format_args!("running {program}: ended by signal {signal}");
                Err(Hinted::new(killed)
                    .hinting("most likely memory ran out; try --jobs 1")
                    .into())
            }
            Report::Missing { product, errno } => {
                let cause = io::Error::from_raw_os_error(errno);
                Err(Hinted::doing(reading(&product), cause).into())
            }
            Report::Exceeded { resource } => Err(self.exceeded(plan, resource)),
            Report::LeftBehind { process } => Err(SandboxError::LeftBehind { program, process }),
            Report::Untraced { reason } => {
                let reason = printable(&reason, SHOWN);
                Err(Hinted::new(format_args!("reading what linkers read: {reason}")).into())
            }
            Report::Done {
                output,
                traced,
                products: sizes,
            } => {
                let output = take(&mut stdout, output.min(self.limits.output()))?;
                if traced > TRACED {
                    let long = format_args!(
                        "reading what linkers read: the list is larger than the limit of {TRACED} bytes"
                    );
                    return Err(Hinted::new(long).into());
                }
                let traced = take(&mut stdout, traced)?;
                let traced = content::json::parse(&traced, TRACED);
                let traced = traced.map_err(|_| SandboxError::silent())?;
                if [plan.products.len(), products.len()] != [sizes.len(); 2] {
                    return Err(SandboxError::silent());
                }
                for ((path, file), size) in plan.products.iter().zip(products).zip(sizes) {
                    keep(&mut stdout, size, path, file)?;
                }
                match stdout.read(&mut [0]).map_err(SandboxError::helper)? {
                    0 => Ok(Ran { output, traced }),
                    _ => Err(SandboxError::silent()),
                }
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
        .map_err(SandboxError::helper)?;
    Ok(content::json::parse(&line, LINE).ok())
}

fn take(stdout: &mut impl Read, size: u64) -> Result<Vec<u8>, SandboxError> {
    let mut bytes = Vec::new();
    let read = stdout.take(size).read_to_end(&mut bytes);
    match read.map_err(SandboxError::helper)? as u64 == size {
        true => Ok(bytes),
        false => Err(SandboxError::silent()),
    }
}

fn reading(path: &Path) -> String {
    format!("reading {} in the sandbox", path.display())
}

/// Writes the file that is `path` in the sandbox to `product`.
fn keep(stdout: impl Read, size: u64, path: &Path, product: &Path) -> Result<(), SandboxError> {
    let wrong = |expected: u64, found: u64| {
        let reading = reading(path);
        Hinted::new(format_args!(
            "{reading}: expected {expected} bytes, found {found}"
        ))
    };
    if size > content::limits::LAYER {
        return Err(wrong(content::limits::LAYER, size).into());
    }
    let copied = std::fs::File::create_new(product)
        .and_then(|mut file| io::copy(&mut stdout.take(size), &mut file))
        .map_err(|error| Hinted::doing(format_args!("writing {}", product.display()), error))?;
    match copied == size {
        true => Ok(()),
        false => Err(wrong(size, copied).into()),
    }
}
