use std::path::PathBuf;

use confidential::launch_policy::Request;
use oci::{Reference, Repository};
use remote::Transport;

use super::attest::Machine;
use super::notice::Report;
use super::policy::Refusal;

/// What the operator wants to be launched, and where.
pub struct Options {
    /// The image.
    pub image: Reference,
    /// How registries are reached.
    pub transport: Transport,
    /// The address of the attestation service, `http://127.0.0.1:8081`.
    pub attestation: reqwest::Url,
    /// The machine.
    pub machine: Machine,
    /// Where signatures of the image are looked for.
    pub signed_image_repos: Vec<Repository>,
    /// What the operator asks for: another command, variables, the output.
    pub request: Request,
    /// The folder that holds the token socket on the operator's side; a temporary one if absent.
    pub share: Option<PathBuf>,
    /// How the operator is told what the launcher only logs.
    pub report: Report,
}

/// How a launch ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The workload ran and ended with this exit status.
    Exited(u8),
    /// The launcher does not start this.
    Refused(Refusal),
    /// The launcher was told to stop, by this signal's number.
    Stopped(u8),
}
