use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::BorrowedFd;
use std::process::Stdio;
use std::thread;

use tokio::sync::oneshot;

/// Bytes carried at a time: what a pipe holds.
const BUFFER: usize = 64 << 10;

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
            let _ = carry(&mut reader, &mut output);
            drop(done);
        })?;
        Ok((writer.into(), Self(end)))
    }

    /// Waits until everything was carried on.
    pub async fn end(self) {
        let _ = self.0.await;
    }
}

/// Not by [`io::copy`], which has the kernel do it: that keeps a place in the file of its own, and
/// writes over what came there from elsewhere, the other relay say.
fn carry(reader: &mut PipeReader, output: &mut File) -> io::Result<()> {
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
    use std::os::fd::AsFd as _;
    use std::process::Command;

    #[tokio::test]
    async fn two_outputs_may_be_one_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before\n").unwrap();
        let (stdout, one) = Relay::start(file.as_fd()).unwrap();
        let (stderr, two) = Relay::start(file.as_fd()).unwrap();
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
