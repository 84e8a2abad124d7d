//! Starts the container and waits for it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;

use confidential::launch_policy::Asked;
use isolate::stages::{self, SELF};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::Error;
use super::contain::{Spec, Stage, exit_code};
use super::relay::Relay;

/// Maximum size of a report of the helper, in bytes.
const REPORT: u64 = 64 << 10;

/// A running container. It is killed when this is dropped.
pub struct Container {
    helper: Child,
    relays: Vec<Relay>,
}

impl Container {
    /// Starts a container. Its output is copied to that of the launcher if `output` is [`Asked::Yes`], and otherwise
    /// discarded.
    ///
    /// # Errors
    /// The helper cannot be started, or could not make the container.
    pub async fn start(spec: &Spec, output: Asked) -> Result<Self, Error> {
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
            Asked::Yes => relay_output(&mut helper).map_err(Error::helper)?,
            Asked::No => Vec::new(),
        };
        // The helper ends with the thread that started it, which runs as long as the runtime.
        let started = helper.spawn().map_err(Error::helper)?;
        // The command holds the other ends of the socket and of the pipes.
        drop(helper);
        let container = Self {
            helper: started,
            relays,
        };
        ours.set_nonblocking(true).map_err(Error::helper)?;
        let socket = UnixStream::from_std(ours).map_err(Error::helper)?;
        describe(socket, spec).await?;
        Ok(container)
    }

    /// Waits for the end of the workload, and until all of its output is copied. Returns its exit status: 128 and the
    /// number of the signal, if a signal ended it.
    ///
    /// # Errors
    /// The helper cannot be waited for.
    pub async fn wait(mut self) -> Result<u8, Error> {
        let status = self.helper.wait().await.map_err(Error::helper)?;
        for relay in self.relays {
            relay.end().await;
        }
        Ok(exit_code(status))
    }
}

fn relay_output(helper: &mut Command) -> io::Result<Vec<Relay>> {
    let (stdout, ours) = Relay::start(io::stdout().as_fd())?;
    helper.stdout(stdout);
    let (stderr, other) = Relay::start(io::stderr().as_fd())?;
    helper.stderr(stderr);
    Ok(vec![ours, other])
}

/// Sends the task to the helper, and waits until the workload has started.
async fn describe(mut socket: UnixStream, spec: &Spec) -> Result<(), Error> {
    let line = stages::task(spec).map_err(Error::helper)?;
    let sent = socket.write_all(&line).await;
    let mut report = Vec::new();
    let received = socket.take(REPORT).read_to_end(&mut report).await;
    // A helper that fails before it has read all breaks the socket, but has reported the cause.
    if !report.is_empty() {
        return Err(Error::container(&String::from_utf8_lossy(&report)));
    }
    sent.and(received.map(drop)).map_err(Error::helper)
}
