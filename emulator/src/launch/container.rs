//! Starts the container and waits for it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;

use content::{json, limits};
use isolate::stages::{self, SELF};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::Error;
use super::contain::{Report, Spec, Stage, exit_code};
use super::relay::{Output, Relay, Stream};

/// A running container. It is killed when this is dropped.
pub struct Container {
    helper: Child,
    /// The workload itself, which is process 1 of the container; `None` if it ended at once.
    workload: Option<OwnedFd>,
    relays: Vec<Relay>,
}

impl Container {
    /// Starts a container. Its output is copied to `output`, and discarded if there is none.
    ///
    /// # Errors
    /// The helper cannot be started, or could not make the container.
    pub async fn start(spec: &Spec, output: Option<&Output>) -> Result<Self, Error> {
        let (ours, theirs) = StdUnixStream::pair().map_err(Error::helper)?;
        let mut helper = Command::new(SELF);
        helper
            .args(Stage::Outer.arguments())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_clear()
            .kill_on_drop(true);
        let relays = match output {
            Some(output) => relay_output(&mut helper, output).map_err(Error::helper)?,
            None => Vec::new(),
        };
        // The helper ends with the thread that started it, which runs as long as the runtime.
        let started = helper.spawn().map_err(Error::helper)?;
        // The command holds the other ends of the socket and of the pipes.
        drop(helper);
        ours.set_nonblocking(true).map_err(Error::helper)?;
        let socket = UnixStream::from_std(ours).map_err(Error::helper)?;
        let workload = describe(socket, spec).await?;
        Ok(Self {
            helper: started,
            workload,
            relays,
        })
    }

    /// Sends SIGTERM to the workload, as a machine does that is stopped. As process 1, it gets the signal only if it handles it.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn terminate(&self) -> Result<(), Error> {
        let Some(workload) = &self.workload else {
            return Ok(());
        };
        match pidfd_send_signal(workload, Signal::TERM) {
            // It has ended already.
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::helper(error.into())),
        }
    }

    /// Waits for the end of the workload, and until all of its output is copied. Returns its exit status: 128 and the
    /// number of the signal, if a signal ended it.
    ///
    /// # Errors
    /// The helper cannot be waited for.
    pub async fn wait(&mut self) -> Result<u8, Error> {
        let status = self.helper.wait().await.map_err(Error::helper)?;
        // A call that is cancelled leaves the rest to the next one.
        while let Some(relay) = self.relays.last_mut() {
            relay.end().await;
            self.relays.pop();
        }
        Ok(exit_code(status))
    }
}

fn relay_output(helper: &mut Command, output: &Output) -> io::Result<Vec<Relay>> {
    let (stdout, ours) = Relay::start(output(Stream::Stdout)?)?;
    helper.stdout(stdout);
    let (stderr, other) = Relay::start(output(Stream::Stderr)?)?;
    helper.stderr(stderr);
    Ok(vec![ours, other])
}

/// Sends the task to the helper, and waits until the workload has started.
async fn describe(mut socket: UnixStream, spec: &Spec) -> Result<Option<OwnedFd>, Error> {
    let line = stages::task(spec).map_err(Error::helper)?;
    let sent = socket.write_all(&line).await;
    let mut report = Vec::new();
    let received = socket.take(limits::DOCUMENT).read_to_end(&mut report).await;
    // A helper that fails before it has read all breaks the socket, but has reported the cause.
    match json::parse(&report, limits::DOCUMENT) {
        Ok(Report::Started(id)) => open(id).map_err(Error::helper),
        Ok(Report::Failed(cause)) => Err(Error::container(&cause)),
        Err(error) => {
            sent.and(received.map(drop)).map_err(Error::helper)?;
            Err(Error::helper(io::Error::other(error)))
        }
    }
}

fn open(id: u32) -> io::Result<Option<OwnedFd>> {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    let id = id.ok_or(io::ErrorKind::InvalidData)?;
    match pidfd_open(id, PidfdFlags::empty()) {
        Err(Errno::SRCH) => Ok(None),
        opened => Ok(Some(opened?)),
    }
}
