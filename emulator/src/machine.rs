//! A virtual machine that boots an image of Confidential Space: it launches a workload, and then goes on as its restart policy says
//! (google/go-tpm-tools, `launcher/launcher/main.go`). It runs on a thread of its own, with which its container ends.

mod console;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use confidential::event_log::RestartPolicy;
use confidential::launch_policy::MachineImage;
use tokio::sync::{mpsc, watch};

use crate::launch::{self, LaunchSpec, Notice, Options, Outcome, Stop, Stops};
pub use console::{Account, Console, Serial};

/// The pause before a machine boots again. The real one waits for minutes.
const REBOOT: Duration = Duration::from_secs(5);

/// A running machine.
pub struct Machine {
    wanted: Arc<Mutex<Wanted>>,
    stops: mpsc::UnboundedSender<Stop>,
    off: watch::Receiver<bool>,
}

/// What is wanted of a machine beside its own restart policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    On,
    /// This is final.
    Off,
    Reset,
}

/// What a machine is started with.
pub struct Boot {
    /// The serial port and the log.
    pub console: Arc<Console>,
    /// Reads what the operator asks for, at each boot.
    pub spec: Box<dyn Fn() -> Result<LaunchSpec, launch::SpecError> + Send>,
    /// The options of a launch for a specification.
    pub options: Box<dyn Fn(&LaunchSpec) -> Options + Send>,
    /// Whether it stays on when the workload has ended, so that its operator can log in.
    pub image: MachineImage,
}

/// What a machine does when the workload has ended (google/go-tpm-tools, `getExitCode`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// It is switched off: the workload has succeeded.
    Finished,
    /// It is switched off: the workload or the launcher has failed.
    Failed,
    Reboot,
    Hold,
}

impl Machine {
    /// Starts a machine. `off` is called when it is off, and has closed what it listened on.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        name: &str,
        boot: Boot,
        off: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Self> {
        let wanted = Arc::new(Mutex::new(Wanted::On));
        let (sender, stops) = Stops::new();
        let (ended, is_off) = watch::channel(false);
        let shared = wanted.clone();
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                run(boot, &shared, stops);
                off();
                let _ = ended.send(true);
            })?;
        Ok(Self {
            wanted,
            stops: sender,
            off: is_off,
        })
    }

    /// Switches the machine off: the workload gets SIGTERM, and some time.
    pub fn stop(&self) {
        self.order(Wanted::Off, Stop::Gentle(TERM));
    }

    /// Switches the machine off at once.
    pub fn kill(&self) {
        self.order(Wanted::Off, Stop::Immediate);
    }

    /// Boots the machine again at once, unless it is being switched off.
    pub fn reset(&self) {
        self.order(Wanted::Reset, Stop::Immediate);
    }

    /// Waits until the machine is off.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let mut off = self.off.clone();
        async move {
            // An error means that the thread has ended.
            let _ = off.wait_for(|off| *off).await;
        }
    }

    fn order(&self, order: Wanted, stop: Stop) {
        // Held, so that the machine sees both or none.
        let mut wanted = lock(&self.wanted);
        if *wanted != Wanted::Off || order == Wanted::Off {
            *wanted = order;
            let _ = self.stops.send(stop);
        }
    }
}

/// The number of SIGTERM.
const TERM: u8 = 15;

/// Boots until the machine is to be off.
fn run(boot: Boot, wanted: &Mutex<Wanted>, mut stops: Stops) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return boot.console.error(&format!("failed to boot: {error}")),
    };
    runtime.block_on(async {
        loop {
            let ending = launch(&boot, &mut stops).await;
            if *lock(wanted) == Wanted::On {
                boot.console.exiting(ending);
                match ending {
                    Ending::Finished | Ending::Failed => return,
                    Ending::Hold => drop(stops.next().await),
                    Ending::Reboot => {
                        let _ = tokio::time::timeout(REBOOT, stops.next()).await;
                    }
                }
            }
            let mut wanted = lock(wanted);
            if *wanted == Wanted::Off {
                return;
            }
            *wanted = Wanted::On;
            stops.clear();
        }
    });
}

fn lock(wanted: &Mutex<Wanted>) -> std::sync::MutexGuard<'_, Wanted> {
    wanted.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn launch(boot: &Boot, stops: &mut Stops) -> Ending {
    let console = &boot.console;
    console.info("TEE container launcher initiating");
    let spec = match (boot.spec)() {
        Ok(spec) => spec,
        Err(error) => {
            console.error(&format!("failed to get launchspec: {error}"));
            return Ending::Failed;
        }
    };
    let (image, restart) = (spec.image.to_string(), spec.restart);
    console.info(&format!("Launching {image}"));
    let launched = launch::run((boot.options)(&spec), stops).await;
    match &launched {
        Ok(Outcome::Exited(0)) => console.info("workload task ended and returned 0"),
        Ok(Outcome::Exited(status)) => console.error(&format!(
            "workload task ended and returned non-zero: {status}"
        )),
        Ok(Outcome::Refused(refusal)) => console.error(&refusal.to_string()),
        Ok(Outcome::Stopped(_)) => console.info("the machine was switched off"),
        Err(error) => console.error(&format!("{error} ({})", error.machine_hint())),
    }
    ending(boot.image, restart, &launched)
}

fn ending(
    image: MachineImage,
    restart: RestartPolicy,
    launched: &Result<Outcome, launch::Error>,
) -> Ending {
    match (image, restart, launched) {
        (MachineImage::Debug, ..) => Ending::Hold,
        // A request to stop that an earlier boot has followed already.
        (_, _, Ok(Outcome::Stopped(_)))
        | (_, RestartPolicy::Always, Ok(Outcome::Exited(_)))
        | (_, RestartPolicy::OnFailure, Ok(Outcome::Exited(1..))) => Ending::Reboot,
        (_, _, Ok(Outcome::Exited(0))) => Ending::Finished,
        _ => Ending::Failed,
    }
}

impl Ending {
    /// The launcher's exit status, and what it says about it.
    fn words(self) -> (u8, &'static str) {
        match self {
            Self::Finished => (0, "workload finished successfully, shutting down the VM"),
            Self::Failed => (1, "workload or launcher error, shutting down the VM"),
            Self::Reboot => (3, "rebooting VM"),
            Self::Hold => (4, "VM remains running"),
        }
    }
}

/// Writes what the launcher notices.
pub fn report(console: Arc<Console>) -> launch::Report {
    Arc::new(move |notice: &Notice| match notice {
        Notice::Started | Notice::Stopping(_) => console.info(&notice.to_string()),
        notice => console.error(&notice.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_restart_policy_says_what_follows() {
        use RestartPolicy::{Always, Never, OnFailure};
        let exited = |status| Ok(Outcome::Exited(status));
        let refused = || Ok(Outcome::Refused(launch::Refusal("no".into())));
        for (restart, launched, expected) in [
            (Never, exited(0), Ending::Finished),
            (Never, exited(1), Ending::Failed),
            (OnFailure, exited(0), Ending::Finished),
            (OnFailure, exited(1), Ending::Reboot),
            (Always, exited(0), Ending::Reboot),
            (Always, refused(), Ending::Failed),
        ] {
            let production = ending(MachineImage::Production, restart, &launched);
            assert_eq!(production, expected, "{restart} {launched:?}");
            let debug = ending(MachineImage::Debug, restart, &launched);
            assert_eq!(debug, Ending::Hold);
        }
    }
}
