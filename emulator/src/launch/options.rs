use std::path::PathBuf;
use std::time::Duration;

use confidential::event_log::RestartPolicy;
use confidential::launch_policy::Request;
use oci::{Reference, Repository};
use remote::Transport;

use super::Address;
use super::account::Caller;
use super::attest::Machine;
use super::metadata::Metadata;
use super::notice::Report;
use super::policy::Refusal;
use super::relay::Output;

/// The options of a launch.
pub struct Options {
    /// The image to launch.
    pub image: Reference,
    /// How registries are reached.
    pub transport: Transport,
    /// The address of the attestation service, `http://127.0.0.1:8081`.
    pub attestation: Address,
    /// The machine that the image is launched on.
    pub machine: Machine,
    /// The repositories that are searched for signatures of the image.
    pub signed_image_repos: Vec<Repository>,
    /// The metadata server; `None` if there is none.
    pub metadata: Option<Metadata>,
    /// The request of the operator: command, variables and output.
    pub request: Request,
    /// The folder for the token socket; `None` means a temporary folder.
    pub share: Option<PathBuf>,
    /// Receives what the launcher logs.
    pub report: Report,
    /// Receives the output of the workload, if the request asks for it.
    pub output: Output,
    /// What the machine does when the workload has ended; measured; the launch itself does not start again.
    pub restart: RestartPolicy,
    /// The time that the workload has to end after SIGTERM; zero kills it at once.
    pub grace: Duration,
    /// Who the launcher is to the services that it calls.
    pub caller: Caller,
}

/// The outcome of a launch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The workload ran and exited with this status.
    Exited(u8),
    /// The launcher refused to start the image.
    Refused(Refusal),
    /// The launcher was interrupted by the signal with this number.
    Stopped(u8),
}
