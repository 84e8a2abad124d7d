//! What a machine writes: its serial port, and its log in Cloud Logging.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::Ending;
use crate::clock;
use crate::launch::{LogRedirect, Machine, Output, Stream};
use crate::services::accounts::Caller;
use crate::services::logging::{Effect, Logging};
use crate::services::{Clock, Context};

/// The log of the launcher and of workloads (google/go-tpm-tools, `launcher/internal/logging`).
const LOG: &str = "confidential-space-launcher";
/// What is kept of a serial port, in bytes (Compute Engine, `instances.getSerialPortOutput`).
const SERIAL: usize = 1 << 20;
/// The largest line of a workload that becomes one entry of the log, in bytes.
const LINE: usize = 64 << 10;

/// The output of a serial port: the newest bytes.
#[derive(Debug, Default)]
pub struct Serial(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    bytes: VecDeque<u8>,
    /// The number of bytes that were dropped.
    dropped: u64,
}

impl Serial {
    /// A serial port to which this was written.
    pub fn of(bytes: &[u8]) -> Self {
        let serial = Self::default();
        serial.write(bytes);
        serial
    }

    /// Writes bytes.
    pub fn write(&self, bytes: &[u8]) {
        let mut written = self.lock();
        written.bytes.extend(bytes);
        let excess = written.bytes.len().saturating_sub(SERIAL);
        written.bytes.drain(..excess);
        written.dropped += excess as u64;
    }

    /// The bytes from position `start` on, and their position, which is larger if the bytes there were dropped.
    pub fn read(&self, start: u64) -> (u64, Vec<u8>) {
        let written = self.lock();
        let end = written.dropped + written.bytes.len() as u64;
        let begin = start.clamp(written.dropped, end);
        let skipped = usize::try_from(begin - written.dropped).unwrap_or(usize::MAX);
        (begin, written.bytes.iter().skip(skipped).copied().collect())
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account that a machine writes its log as; `None` if it has none, or not the scope.
pub type Account = Option<Caller>;

/// The outputs of a machine.
pub struct Console {
    /// The serial port.
    pub serial: Arc<Serial>,
    /// The log.
    pub logging: Arc<Logging>,
    /// The machine.
    pub machine: Machine,
    /// The account that writes the log.
    pub account: Account,
    /// The clock.
    pub clock: Clock,
}

impl Console {
    /// Writes a line of the launcher.
    pub fn info(&self, message: &str) {
        self.launcher("INFO", message, &[]);
    }

    /// Writes a line of the launcher about an error.
    pub fn error(&self, message: &str) {
        self.launcher("ERROR", message, &[]);
    }

    /// Writes how the launcher ends.
    pub(super) fn exiting(&self, ending: Ending) {
        let (status, words) = ending.words();
        let status = json!(status);
        self.launcher(
            "INFO",
            "TEE container launcher exiting",
            &[("exit_code", status), ("exit_msg", json!(words))],
        );
    }

    /// A line of the serial port in the format of Go's `log/slog`, and an entry of the log.
    fn launcher(&self, severity: &str, message: &str, more: &[(&str, Value)]) {
        let time = clock::rfc3339((self.clock)());
        let pairs = more.iter().map(|(name, value)| format!(" {name}={value}"));
        let pairs: String = pairs.collect();
        let line = format!(
            "time={time} level={severity} msg={}{pairs}\n",
            json!(message)
        );
        self.serial.write(line.as_bytes());
        let mut payload = json!({"MESSAGE": message});
        for (name, value) in more {
            payload[name] = value.clone();
        }
        self.log(severity, payload);
    }

    fn log(&self, severity: &str, mut payload: Value) {
        let machine = &self.machine;
        payload["_HOSTNAME"] = json!(machine.name);
        let entry = json!({
            "logName": format!("projects/{}/logs/{LOG}", machine.project),
            "severity": severity,
            "resource": {"type": "gce_instance", "labels": {
                "project_id": machine.project,
                "instance_id": machine.id,
                "zone": machine.zone,
            }},
            "jsonPayload": payload,
        });
        let written = match &self.account {
            Some(caller) => {
                let (caller, now) = (caller.clone(), (self.clock)());
                let context = Context { caller, now };
                let written = self.logging.write(&context, vec![entry], Effect::Write);
                written.map_err(|status| status.message)
            }
            None => Err("the machine has no service account with a scope for logging".to_owned()),
        };
        if let Err(message) = written {
            let line = format!(
                "level=ERROR msg={}\n",
                json!(format!("writing to Cloud Logging: {message}"))
            );
            self.serial.write(line.as_bytes());
        }
    }

    /// Where the output of the workload goes.
    pub fn output(self: &Arc<Self>, redirect: LogRedirect) -> Output {
        let console = self.clone();
        Arc::new(move |stream| {
            Ok(Box::new(Lines {
                console: console.clone(),
                redirect,
                severity: match stream {
                    Stream::Stdout => "INFO",
                    Stream::Stderr => "ERROR",
                },
                unfinished: Vec::new(),
            }))
        })
    }
}

/// An output of a workload: bytes for the serial port, lines for the log.
struct Lines {
    console: Arc<Console>,
    redirect: LogRedirect,
    severity: &'static str,
    unfinished: Vec<u8>,
}

impl Lines {
    fn log(&mut self) {
        let line = std::mem::take(&mut self.unfinished);
        let line = String::from_utf8_lossy(&line);
        if !line.is_empty() {
            let payload = json!({"message": line});
            self.console.log(self.severity, payload);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.redirect, LogRedirect::Everywhere | LogRedirect::Serial) {
            self.console.serial.write(bytes);
        }
        if matches!(
            self.redirect,
            LogRedirect::Everywhere | LogRedirect::CloudLogging
        ) {
            for byte in bytes {
                match byte {
                    b'\n' => self.log(),
                    b'\r' => {}
                    byte => self.unfinished.push(*byte),
                }
                if self.unfinished.len() >= LINE {
                    self.log();
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Lines {
    /// The last line may have no end.
    fn drop(&mut self) {
        self.log();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_port_keeps_the_newest_bytes() {
        let serial = Serial::of(b"one\n");
        serial.write(b"two\n");
        assert_eq!(serial.read(0), (0, b"one\ntwo\n".to_vec()));
        assert_eq!(serial.read(4), (4, b"two\n".to_vec()));
        assert_eq!(serial.read(99), (8, Vec::new()));
        serial.write(&vec![b'x'; SERIAL]);
        assert_eq!(serial.read(0).0, 8);
    }
}
