//! What an operator runs to launch an image in Confidential Space: an instance with its service account, the roles of the
//! account, and a network without external addresses. One file for each format, and the list [`ALL`].

mod gcloud;
mod metadata;
mod terraform;

use std::fmt;

use confidential::launch_policy::{Asked, MachineImage, Request};

use crate::compute::{MachineType, ResourceName, Zone};
use crate::{ArtifactRepository, ProjectId, ServiceAccount};

/// What has to exist for an image to run. That the labels of the image allow the request is for the caller to check.
#[derive(Clone, Copy, Debug)]
pub struct Deployment<'a> {
    /// The image, as REPOSITORY@DIGEST.
    pub image: &'a str,
    /// The repositories in which the launcher looks for signatures of the image.
    pub signed_repositories: &'a [String],
    /// The repositories of Artifact Registry that image and signatures are in.
    pub readable: &'a [ArtifactRepository],
    /// What the operator asks of the launcher, and the machine's image.
    pub request: &'a Request,
    /// What happens when the workload ends.
    pub restart: Restart,
    /// The project.
    pub project: &'a ProjectId,
    /// The zone.
    pub zone: &'a Zone,
    /// The name of the instance.
    pub instance: &'a ResourceName,
    /// The name of the network, its subnet, router and NAT gateway.
    pub network: &'a ResourceName,
    /// The account that the instance runs as.
    pub account: &'a ServiceAccount,
    /// The technology that protects the instance.
    pub hardware: Hardware,
    /// The type of the machine, which must have that technology.
    pub machine: &'a MachineType,
}

/// A technology of confidential computing that Confidential Space runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Hardware {
    /// Intel TDX.
    Tdx,
    /// AMD SEV.
    Sev,
}

impl Hardware {
    /// A small type of machine that has the technology.
    pub fn smallest_machine(self) -> MachineType {
        MachineType::known(match self {
            Self::Tdx => "c3-standard-4",
            Self::Sev => "n2d-standard-2",
        })
    }
}

impl fmt::Display for Hardware {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tdx => "TDX",
            Self::Sev => "SEV",
        })
    }
}

/// What happens when the workload ends (`tee-restart-policy`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restart {
    /// The machine stops.
    Never,
    /// The machine starts again if the workload has failed.
    OnFailure,
    /// The machine starts again.
    Always,
}

impl fmt::Display for Restart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Never => "Never",
            Self::OnFailure => "OnFailure",
            Self::Always => "Always",
        })
    }
}

/// A format in which a deployment is printed.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentOutput {
    /// The name of the format on the command line.
    pub name: &'static str,
    /// A short description for help texts.
    pub about: &'static str,
    /// Prints a deployment, without a line feed at the end.
    pub print: fn(&Deployment<'_>) -> String,
}

/// All formats. The first is the default.
pub const ALL: &[DeploymentOutput] = &[gcloud::OUTPUT, terraform::OUTPUT];

/// The format with this name.
pub fn named(name: &str) -> Option<&'static DeploymentOutput> {
    ALL.iter().find(|output| output.name == name)
}

/// The project of Google's images for Confidential Space.
const IMAGE_PROJECT: &str = "confidential-space-images";
/// To ask for attestation tokens.
const WORKLOAD_USER: &str = "roles/confidentialcomputing.workloadUser";
/// To write the workload's output to Cloud Logging.
const LOG_WRITER: &str = "roles/logging.logWriter";
/// To pull the image, and the signatures on it.
const READER: &str = "roles/artifactregistry.reader";
/// The access of the instance to Google's services. What its account may do is for its roles to say.
const SCOPE: &str = "cloud-platform";
/// The addresses of the subnet.
const RANGE: &str = "10.0.0.0/24";

impl Deployment<'_> {
    /// The family of Google's images that the machine starts.
    fn family(&self) -> &'static str {
        match self.request.machine_image {
            MachineImage::Production => "confidential-space",
            MachineImage::Debug => "confidential-space-debug",
        }
    }

    /// Whether the account is one of the project, and is created with the rest.
    fn owns_account(&self) -> bool {
        self.account.project() == Some(self.project)
    }

    /// The roles of the account on the project.
    fn roles(&self) -> Vec<&'static str> {
        let logs = match self.request.log_redirect {
            Asked::Yes => Some(LOG_WRITER),
            Asked::No => None,
        };
        [WORKLOAD_USER].into_iter().chain(logs).collect()
    }

    /// What the owners of other projects run before the instance starts, so that it can read image and signatures: each project, and a
    /// command of gcloud. The operator may not, so that it is not among what is printed.
    pub fn asked_of_others(&self) -> impl Iterator<Item = (&ProjectId, String)> {
        let others = self.readable.iter();
        let others = others.filter(|repository| repository.project != *self.project);
        others.map(|repository| {
            let command = gcloud::grant_reader(self, repository, " ");
            (&repository.project, command)
        })
    }

    /// The repositories of the operator's project.
    fn own_readable(&self) -> impl Iterator<Item = &ArtifactRepository> {
        let readable = self.readable.iter();
        readable.filter(|repository| repository.project == *self.project)
    }

    fn member(&self) -> String {
        format!("serviceAccount:{}", self.account)
    }
}

#[cfg(test)]
mod tests;
