//! The asynchronous runtime.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::thread;

use rustix::io::{Errno, fcntl_dupfd_cloexec};
use tokio::runtime::{Builder, Runtime};

/// What the user can do if [`start`] fails.
pub const HINT: &str =
    "raise the limits on open files and on processes: ulimit -n and ulimit -u show them";

/// Files that a process must be able to open. The runtime and its signal handlers open six.
const FILES: usize = 16;

/// Starts a runtime with one thread per processor, timers and I/O.
///
/// tokio panics if it cannot open the files that its signal handlers need, or start a thread. Both are tried
/// before, so that a low limit is an error.
///
/// # Errors
/// The limit on open files (`RLIMIT_NOFILE`) or on processes (`RLIMIT_NPROC`) is too low, or the runtime cannot
/// be started.
pub fn start() -> io::Result<Runtime> {
    open_files()?;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    start_threads(workers + 1)?;
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
}

fn open_files() -> io::Result<()> {
    let opened = (0..FILES).map(|_| fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3));
    let opened: Result<Vec<OwnedFd>, _> = opened.collect();
    let failed = |error: Errno| described(&format!("opening {FILES} files"), &error.into());
    opened.map(drop).map_err(failed)
}

/// Starts `count` threads that run at the same time, and ends them.
fn start_threads(count: usize) -> io::Result<()> {
    let end = Mutex::new(());
    thread::scope(|scope| {
        let _not_yet = end.lock();
        let wait = || drop(end.lock());
        let started = (0..count).map(|_| thread::Builder::new().spawn_scoped(scope, wait));
        let started: io::Result<Vec<_>> = started.collect();
        let failed = |error| described(&format!("creating {count} threads"), &error);
        started.map(drop).map_err(failed)
    })
}

fn described(doing: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{doing}: {error}"))
}
