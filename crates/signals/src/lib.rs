//! The signals that ask a program to end: from a terminal (SIGINT), from whoever started it (SIGTERM), and
//! because the terminal is gone (SIGHUP).

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Those signals, which end the program no longer by themselves.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl Signals {
    /// Listens from now on. A program that was started by nohup(1) does not hear that its terminal is gone.
    ///
    /// # Errors
    /// The system refuses.
    ///
    /// # Panics
    /// There is no tokio runtime with I/O around it.
    pub fn listen() -> io::Result<Self> {
        let hang_up = match is_ignored(SignalKind::hangup())? {
            true => None,
            false => Some(signal(SignalKind::hangup())?),
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
        })
    }

    /// Waits for the next one, and gives its number.
    pub async fn next(&mut self) -> u8 {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = hang_up => SignalKind::hangup(),
        };
        u8::try_from(kind.as_raw_value()).unwrap_or(u8::MAX)
    }
}

/// Whether whoever started this process had it ignore the signal (proc(5), `SigIgn`).
fn is_ignored(kind: SignalKind) -> io::Result<bool> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.ok_or(io::ErrorKind::InvalidData)?;
    Ok(mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
