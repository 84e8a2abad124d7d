//! Ends a launch as a machine is switched off: SIGTERM to the workload, some time, and then the end (Compute Engine, "Stop or
//! restart a VM").

use std::time::Duration;

use console::signals::Signals;
use tokio::sync::mpsc;

use super::container::Container;
use super::{Error, Notice, Options, Outcome};

/// The time that Compute Engine gives a machine to shut down, in seconds.
pub const GRACE: u64 = 90;
/// The signal that ends a workload at once, for the status of the launch.
const KILL: u8 = 9;

/// A request to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// The workload is asked to end, because the launcher was asked to by the signal with this number. A second request kills it.
    Gentle(u8),
    /// The workload is killed.
    Immediate,
}

/// The requests to stop.
pub struct Stops(mpsc::UnboundedReceiver<Stop>);

impl Stops {
    /// Requests, and who makes them.
    pub fn new() -> (mpsc::UnboundedSender<Stop>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(receiver))
    }

    /// The signals of this process: SIGINT, SIGTERM and SIGHUP.
    ///
    /// # Errors
    /// A signal handler cannot be installed.
    pub fn of_signals() -> Result<Self, Error> {
        let mut signals = Signals::listen().map_err(Error::signals)?;
        let (sender, stops) = Self::new();
        tokio::spawn(async move {
            loop {
                let number = signals.next().await;
                if sender.send(Stop::Gentle(number)).is_err() {
                    return;
                }
            }
        });
        Ok(stops)
    }

    /// The next request; waits for ever if there cannot be any more.
    pub async fn next(&mut self) -> Stop {
        match self.0.recv().await {
            Some(stop) => stop,
            None => std::future::pending().await,
        }
    }

    /// Forgets the requests that were made so far.
    pub fn clear(&mut self) {
        while self.0.try_recv().is_ok() {}
    }
}

impl Stop {
    /// The outcome of a launch that is killed.
    pub(super) fn outcome(self) -> Outcome {
        Outcome::Stopped(match self {
            Self::Gentle(number) => number,
            Self::Immediate => KILL,
        })
    }
}

/// Waits until the workload ends by itself, or is stopped.
pub(super) async fn wait(
    container: &mut Container,
    options: &Options,
    stops: &mut Stops,
) -> Result<Outcome, Error> {
    let asked = tokio::select! {
        status = container.wait() => return Ok(Outcome::Exited(status?)),
        asked = stops.next() => asked,
    };
    if asked == Stop::Immediate || options.grace.is_zero() {
        return Ok(asked.outcome());
    }
    container.terminate()?;
    (options.report)(&Notice::Stopping(options.grace));
    tokio::select! {
        status = container.wait() => Ok(Outcome::Exited(status?)),
        () = tokio::time::sleep(options.grace) => Ok(asked.outcome()),
        _ = stops.next() => Ok(asked.outcome()),
    }
}

/// A time in seconds, for options.
pub(super) fn seconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_secs)
}
