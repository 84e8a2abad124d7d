//! A process isolates itself in two stages, each of which is the same program once more, with one thread.
//!
//! The outer stage enters new namespaces, starts the inner stage and waits. The inner stage is the first process of the
//! new PID namespace, which only a child of the outer stage can be. It creates the file system, drops all privileges, and
//! starts the program. When it ends for any reason, the kernel kills all processes of the namespace.
//!
//! Each stage reads a task, one line of JSON, from its standard input. It ends if the process that started it ends, which
//! keeps the other end of the input open while it runs.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus};

use rustix::io::Errno;
use rustix::process::setsid;
use serde::de::DeserializeOwned;

use crate::step::{At as _, Refusal, Step};
use crate::{descriptors, lifetime};

/// The file of this program, even if its path now names another file.
pub const SELF: &str = "/proc/self/exe";
/// Maximum size of a task, in bytes. Arguments and variables, which are most of it, are limited by the kernel.
const TASK: u64 = 8 << 20;
/// Maximum size of a report of the inner stage, in bytes.
const REPORT: u64 = 64 << 10;

/// A running inner stage. It is killed when the process that started it ends.
pub struct Inner {
    process: Child,
    socket: UnixStream,
}

/// Does the work of the outer stage: calls `leave`, which enters new namespaces, and starts the inner stage as this
/// program with `arguments`.
///
/// # Errors
/// A step failed, or the process that started this one has ended.
pub fn outer(
    arguments: &[&str],
    leave: impl FnOnce() -> Result<(), Refusal>,
) -> Result<Inner, Refusal> {
    descriptors::close_inherited().at(Step::Files)?;
    let task = read_task().at(Step::Task)?;
    leave()?;
    // A program in the session of a terminal could write to the input of the terminal.
    setsid().at(Step::Session)?;
    // Not earlier: the kernel resets this when capabilities change.
    end_with_starter(io::stdin().as_fd())?;
    Inner::start(arguments, &task).at(Step::FirstProcess)
}

/// Begins the work of the inner stage: reads its task.
///
/// # Errors
/// There is no task, or the outer stage has ended.
pub fn inner<T: DeserializeOwned>() -> Result<T, Refusal> {
    let task = read_task().at(Step::Task)?;
    end_with_starter(io::stdin().as_fd())?;
    serde_json::from_slice(&task).at(Step::Task)
}

/// Makes this process end when the process that started it ends. That process has the other end of `stream`.
///
/// # Errors
/// That process has already ended.
pub fn end_with_starter(stream: BorrowedFd<'_>) -> Result<(), Refusal> {
    lifetime::end_with_parent().at(Step::Lifetime)?;
    match lifetime::is_abandoned(stream).at(Step::Lifetime)? {
        true => Err(Errno::PIPE).at(Step::Lifetime),
        false => Ok(()),
    }
}

impl Inner {
    fn start(arguments: &[&str], task: &[u8]) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let process = Command::new(SELF)
            .args(arguments)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .spawn()?;
        let mut inner = Self { process, socket };
        match inner.socket.write_all(task) {
            // It ended before it had read the whole task, and has reported the reason.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(inner),
            sent => sent.map(|()| inner),
        }
    }

    /// Reads what the inner stage writes to its standard input, which is a socket, until it closes the socket.
    ///
    /// # Errors
    /// The socket cannot be read.
    pub fn report(&mut self) -> io::Result<Vec<u8>> {
        let mut report = Vec::new();
        let mut socket = (&self.socket).take(REPORT);
        match socket.read_to_end(&mut report) {
            // It ended before it had read the whole task.
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
            _ => Ok(report),
        }
    }

    /// The ID of the process, in the PID namespace of the outer stage.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the end of the inner stage, or of the program that it has executed.
    ///
    /// # Errors
    /// The error of waitpid(2).
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        self.process.wait()
    }
}

/// Reads the line of the task. Standard input stays open.
fn read_task() -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut input = BufReader::new(io::stdin().lock().take(TASK));
    input.read_until(b'\n', &mut line)?;
    match line.ends_with(b"\n") {
        true => Ok(line),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A task as a stage reads it.
///
/// # Errors
/// It cannot be written as JSON.
pub fn task(task: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(task)?;
    line.push(b'\n');
    Ok(line)
}
