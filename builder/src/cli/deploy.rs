//! Arguments of `deploy`.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, ValueEnum};
use confidential::event_log::Variable;
use confidential::launch_policy::{Asked, MachineImage};
use console::arguments::Registry;
use content::limits;
use google::compute::{MachineType, ResourceName, Zone};
use google::outputs::deployment::{self, DeploymentOutput, Hardware, Restart};
use google::{ProjectId, ServiceAccount};
use oci::{Reference, Repository};

/// Arguments of `deploy`.
#[derive(Args, Debug)]
pub struct Deploy {
    /// The image, as REPOSITORY@DIGEST, or REPOSITORY:TAG, which is resolved once
    #[arg(value_name = "REF")]
    pub reference: Reference,
    /// The format to print
    #[arg(long, value_parser = Formats, default_value = deployment::ALL[0].name)]
    pub format: &'static DeploymentOutput,
    /// The project that the instance runs in
    #[arg(long, value_name = "ID")]
    pub project: ProjectId,
    /// The zone that the instance runs in, which must offer its technology and machine type
    #[arg(long)]
    pub zone: Zone,
    /// The service account that the instance runs as; it is created if it belongs to the project
    #[arg(long, value_name = "EMAIL")]
    pub service_account: ServiceAccount,
    /// A repository in which other parties' signatures of the image are, beside the image's own; repeatable
    #[arg(long = "signed-image-repository", value_name = "REPOSITORY")]
    pub signed_image_repositories: Vec<Repository>,
    /// A release policy for the image, such as a collaborator's: the repositories in its [evidence] are added to those with signatures;
    /// repeatable
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
    /// The technology that protects the instance
    #[arg(
        long,
        value_enum,
        value_name = "TECHNOLOGY",
        default_value = "tdx",
        ignore_case = true
    )]
    pub confidential_compute: Technology,
    /// The machine type [default: a small one with that technology]
    #[arg(long, value_name = "TYPE")]
    pub machine_type: Option<MachineType>,
    /// The name of the instance
    #[arg(long, value_name = "NAME", default_value = "workload")]
    pub instance_name: ResourceName,
    /// The name of the network, its subnet, router and NAT gateway, which are created
    #[arg(long, value_name = "NAME", default_value = "countersign")]
    pub network: ResourceName,
    /// The image of the machine. Debug is for trials: the operator can read everything, and no production grant admits it
    #[arg(long, value_enum, default_value = "production")]
    pub image_family: Family,
    /// What happens when the workload ends
    #[arg(
        long,
        value_enum,
        value_name = "POLICY",
        default_value = "never",
        ignore_case = true
    )]
    pub restart_policy: RestartPolicy,
    /// Whether the workload's output is written to Cloud Logging [default: if the image's labels allow it]
    #[arg(long, value_enum)]
    pub log_redirect: Option<LogRedirect>,
    /// Replace the image's command with this JSON array of strings, which its labels must allow
    #[arg(long, value_name = "JSON")]
    pub cmd: Option<Words>,
    /// Set this environment variable, which the image's labels must allow; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<Variable>,
    /// How to reach the registry.
    #[command(flatten)]
    pub registry: Registry,
}

/// A technology of confidential computing.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Technology {
    /// Intel TDX
    Tdx,
    /// AMD SEV
    Sev,
}

impl From<Technology> for Hardware {
    fn from(technology: Technology) -> Self {
        match technology {
            Technology::Tdx => Self::Tdx,
            Technology::Sev => Self::Sev,
        }
    }
}

/// Google's images of the machine.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Family {
    /// Logging in is not possible
    Production,
    /// The operator can log in
    Debug,
}

impl From<Family> for MachineImage {
    fn from(family: Family) -> Self {
        match family {
            Family::Production => Self::Production,
            Family::Debug => Self::Debug,
        }
    }
}

/// What happens when the workload ends.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RestartPolicy {
    /// The machine stops
    Never,
    /// The machine starts again if the workload has failed
    #[value(name = "onfailure")]
    OnFailure,
    /// The machine starts again
    Always,
}

impl From<RestartPolicy> for Restart {
    fn from(policy: RestartPolicy) -> Self {
        match policy {
            RestartPolicy::Never => Self::Never,
            RestartPolicy::OnFailure => Self::OnFailure,
            RestartPolicy::Always => Self::Always,
        }
    }
}

/// Whether output is redirected.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogRedirect {
    /// It is
    True,
    /// It is not
    False,
}

impl From<LogRedirect> for Asked {
    fn from(redirect: LogRedirect) -> Self {
        match redirect {
            LogRedirect::True => Self::Yes,
            LogRedirect::False => Self::No,
        }
    }
}

/// Strings in a JSON array.
#[derive(Clone, Debug)]
pub struct Words(pub Vec<String>);

impl FromStr for Words {
    type Err = content::json::JsonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        content::json::parse(text.as_bytes(), limits::DOCUMENT).map(Self)
    }
}

/// The formats that a deployment is printed in.
#[derive(Clone)]
struct Formats;

impl TypedValueParser for Formats {
    type Value = &'static DeploymentOutput;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let named = |name: &str| deployment::named(name).ok_or("no such format");
        named.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = deployment::ALL.iter();
        let values = all.map(|output| PossibleValue::new(output.name).help(output.about));
        Some(Box::new(values))
    }
}
