//! Relays the output of the container.

use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write};
use std::os::fd::AsFd as _;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;

/// The number of bytes that are copied at a time: the capacity of a pipe.
const BUFFER: usize = 64 << 10;

/// An output of a container.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Opens what an output of a container is copied to.
pub type Output = Arc<dyn Fn(Stream) -> io::Result<Box<dyn Write + Send>> + Send + Sync>;

/// The outputs of this process.
pub fn own() -> Output {
    Arc::new(|stream| {
        let own = match stream {
            Stream::Stdout => io::stdout().as_fd().try_clone_to_owned(),
            Stream::Stderr => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(Box::new(File::from(own?)))
    })
}

/// Copies the output of a container to the output of the launcher. The container gets a pipe, so that no
/// terminal or file of the operator is open in it.
pub struct Relay(oneshot::Receiver<()>);

impl Relay {
    /// Starts to copy bytes to `output`; returns the end of the pipe to write to.
    ///
    /// A separate thread copies, which ends with the launcher even if it is blocked. If the output is
    /// closed, the pipe breaks, as if the container had the output itself.
    ///
    /// # Errors
    /// The pipe or the thread cannot be created.
    pub fn start(mut output: Box<dyn Write + Send>) -> io::Result<(Stdio, Self)> {
        let (mut reader, writer) = io::pipe()?;
        let (done, end) = oneshot::channel();
        thread::Builder::new().spawn(move || {
            // An error means that the output was closed, so that it cannot be reported.
            let _ = copy(&mut reader, &mut *output);
            drop(done);
        })?;
        Ok((writer.into(), Self(end)))
    }

    /// Waits until everything is copied.
    pub async fn end(&mut self) {
        let _ = (&mut self.0).await;
    }
}

/// Copies without [`io::copy`]: that uses a system call with its own file offset, which would overwrite
/// what another writer, such as the other relay, has appended.
fn copy(reader: &mut PipeReader, output: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => output.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek as _;
    use std::process::Command;

    #[tokio::test]
    async fn two_relays_can_share_one_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before\n").unwrap();
        let shared = || Box::new(file.try_clone().unwrap());
        let (stdout, mut one) = Relay::start(shared()).unwrap();
        let (stderr, mut two) = Relay::start(shared()).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo out; sleep 0.1; echo err >&2"]);
        assert!(
            shell
                .stdout(stdout)
                .stderr(stderr)
                .status()
                .unwrap()
                .success()
        );
        drop(shell);
        one.end().await;
        two.end().await;
        file.write_all(b"after\n").unwrap();
        file.rewind().unwrap();
        assert_eq!(
            io::read_to_string(file).unwrap(),
            "before\nout\nerr\nafter\n"
        );
    }
}
