//! The signals that ask a program to end: SIGINT from a terminal, SIGTERM from another process, SIGHUP when
//! the terminal closes.

use std::fs;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A receiver of SIGINT, SIGTERM and SIGHUP. While it exists, these signals do not end the program.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl Signals {
    /// Starts to receive the signals. If the process was started with SIGHUP ignored, as nohup(1) does, it
    /// stays ignored.
    ///
    /// # Errors
    /// A signal handler cannot be installed, or `/proc/self/status` cannot be read.
    ///
    /// # Panics
    /// Called outside a tokio runtime with I/O enabled.
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

    /// Waits for the next signal and returns its number.
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

/// Whether the process was started with the signal ignored (proc(5), `SigIgn`).
fn is_ignored(kind: SignalKind) -> io::Result<bool> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.ok_or(io::ErrorKind::InvalidData)?;
    Ok(mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
