use std::net::SocketAddr;
use std::path::PathBuf;

use confidential::launch_policy::Request;
use oci::{Reference, Repository};
use remote::Transport;

use super::attest::Machine;
use super::metadata::Attribute;
use super::notice::Report;
use super::policy::Refusal;

/// The options of a launch.
pub struct Options {
    /// The image to launch.
    pub image: Reference,
    /// How registries are reached.
    pub transport: Transport,
    /// The address of the attestation service, `http://127.0.0.1:8081`.
    pub attestation: reqwest::Url,
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
}

/// The metadata server of the machine.
pub struct Metadata {
    /// Its address.
    pub address: SocketAddr,
    /// The attributes that the operator has set.
    pub attributes: Vec<Attribute>,
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
