use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::Stdio;
use std::thread;

use tokio::sync::oneshot;

/// Carries what a container says to the launcher's own output. The container gets a pipe, so that
/// nothing of the operator's, a terminal or a file, is open in it.
pub struct Relay(oneshot::Receiver<()>);

impl Relay {
    /// Starts to carry bytes to `output`; gives the end to write to.
    ///
    /// It has a thread of its own, which ends with the launcher whatever it waits for. If the output
    /// takes no more, the pipe breaks, as it would if the container had the output itself.
    ///
    /// # Errors
    /// No pipe or no thread can be had.
    pub fn start(output: BorrowedFd<'_>) -> io::Result<(Stdio, Self)> {
        let mut output = File::from(output.try_clone_to_owned()?);
        let (mut reader, writer) = io::pipe()?;
        let (done, end) = oneshot::channel();
        thread::Builder::new().spawn(move || {
            // What is lost then is lost to whoever took the output away.
            let _ = io::copy(&mut reader, &mut output);
            drop(done);
        })?;
        Ok((writer.into(), Self(end)))
    }

    /// Waits until everything was carried on.
    pub async fn end(self) {
        let _ = self.0.await;
    }
}
