//! What an image allows its operator to change: the labels `tee.launch_policy.*`, parsed and enforced as by
//! the Confidential Space launcher, with the launcher's messages (google/go-tpm-tools,
//! `launcher/spec/launch_policy.go`).

mod labels;

use std::fmt;

use crate::event_log::Variable;
use labels::clean;
pub use labels::{
    ALLOW_CAPABILITIES, ALLOW_CGROUPS, ALLOW_CMD_OVERRIDE, ALLOW_ENV_OVERRIDE,
    ALLOW_MOUNT_DESTINATIONS, DEBUG_MONITORING, HARDENED_MONITORING, LOG_REDIRECT,
    MONITORING_MEMORY_ALLOW,
};

/// Why the launcher does not start an image, in its own words: a label of the image is invalid, or the launch
/// policy does not allow the operator's request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    fn of(message: &str) -> Self {
        Self(message.to_owned())
    }
}

/// A permission that a label of the image grants or denies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Permission {
    /// Not allowed.
    #[default]
    Denied,
    /// Allowed.
    Granted,
}

/// The image of the machine: Google's production image or its debug image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MachineImage {
    /// Login is impossible; `dbgstat` is `disabled-since-boot`.
    Production,
    /// The operator can log in and read everything.
    Debug,
}

/// When the workload's output may be redirected to the operator.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogRedirect {
    /// On a debug image only.
    #[default]
    DebugOnly,
    /// On every image.
    Always,
    /// On no image.
    Never,
}

/// How much of the machine is monitored, in increasing order.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Monitoring {
    /// Nothing.
    #[default]
    None,
    /// Memory use.
    MemoryOnly,
    /// Everything that the launcher can monitor.
    All,
}

impl fmt::Display for Monitoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::MemoryOnly => "memoryOnly",
            Self::All => "all",
        })
    }
}

/// The launch policy of an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LaunchPolicy {
    /// Whether the operator may replace the command.
    pub cmd_override: Permission,
    /// The environment variables that the operator may set.
    pub env_override: Vec<String>,
    /// When output may be redirected to the operator.
    pub log_redirect: LogRedirect,
    /// Directories at or below which the operator may mount.
    pub mount_destinations: Vec<String>,
    /// Whether the operator may add capabilities.
    pub capabilities: Permission,
    /// Whether the operator may request a cgroup namespace.
    pub cgroups: Permission,
    /// What may be monitored on a production image.
    pub hardened_monitoring: Monitoring,
    /// What may be monitored on a debug image.
    pub debug_monitoring: Monitoring,
}

impl LaunchPolicy {
    /// Checks the operator's request.
    ///
    /// # Errors
    /// The first violation of the policy, in the launcher's order.
    pub fn check(&self, request: &Request) -> Result<(), Refusal> {
        self.check_env(&request.env)?;
        self.check_cmd(&request.cmd)?;
        self.check_log_redirect(request)?;
        self.check_monitoring(request)?;
        self.check_mounts(&request.mounts)?;
        if !request.capabilities.is_empty() && self.capabilities == Permission::Denied {
            return Err(Refusal::of("additional capabilities are not allowed"));
        }
        if request.cgroup_namespace == Asked::Yes && self.cgroups == Permission::Denied {
            return Err(Refusal::of("cgroups usage is not allowed"));
        }
        Ok(())
    }

    /// The launcher prints the value of the variable, too.
    fn check_env(&self, env: &[Variable]) -> Result<(), Refusal> {
        let refused = env
            .iter()
            .find(|v| !self.env_override.iter().any(|name| name == v.name()));
        match refused {
            None => Ok(()),
            Some(variable) => Err(Refusal(format!(
                "env var {{{} {}}} is not allowed to be overridden on this image; allowed envs to be \
                 overridden: [{}]",
                variable.name(),
                variable.value(),
                self.env_override.join(" ")
            ))),
        }
    }

    fn check_cmd(&self, cmd: &[String]) -> Result<(), Refusal> {
        match self.cmd_override {
            Permission::Denied if !cmd.is_empty() => Err(Refusal::of(
                "CMD is not allowed to be overridden on this image",
            )),
            _ => Ok(()),
        }
    }

    fn check_log_redirect(&self, request: &Request) -> Result<(), Refusal> {
        match (
            self.log_redirect,
            request.log_redirect,
            request.machine_image,
        ) {
            (_, Asked::No, _) | (LogRedirect::Always, ..) => Ok(()),
            (LogRedirect::Never, ..) => {
                Err(Refusal::of("logging redirection not allowed by image"))
            }
            (LogRedirect::DebugOnly, _, MachineImage::Production) => Err(Refusal::of(
                "logging redirection only allowed on debug environment by image",
            )),
            (LogRedirect::DebugOnly, _, MachineImage::Debug) => Ok(()),
        }
    }

    fn check_monitoring(&self, request: &Request) -> Result<(), Refusal> {
        let allowed = match request.machine_image {
            MachineImage::Production => self.hardened_monitoring,
            MachineImage::Debug => self.debug_monitoring,
        };
        let asked = request.monitoring;
        match allowed {
            _ if asked <= allowed => Ok(()),
            Monitoring::None => Err(Refusal(format!(
                "error verifying monitoring config: spec configured for {asked} but policy is none"
            ))),
            _ => Err(Refusal::of(
                "error verifying monitoring config: spec configured for all monitoring, policy only \
                 allows memory",
            )),
        }
    }

    fn check_mounts(&self, mounts: &[String]) -> Result<(), Refusal> {
        let refused: Vec<_> = mounts
            .iter()
            .filter_map(|mount| self.mount_refusal(mount))
            .collect();
        match refused.is_empty() {
            true => Ok(()),
            false => Err(Refusal(format!(
                "destination mount points are not allowed: {}",
                refused.join("\n")
            ))),
        }
    }

    fn mount_refusal(&self, mount: &str) -> Option<String> {
        if !mount.starts_with('/') {
            return Some(format!("received a non-absolute destination path: {mount}"));
        }
        let mount = clean(mount);
        for allowed in &self.mount_destinations {
            if !allowed.starts_with('/') {
                return Some(format!(
                    "received a non-absolute allowed destination path: {allowed}"
                ));
            }
            if is_within(&mount, allowed) {
                return None;
            }
        }
        Some(format!(
            "destination mount point \"{mount}\" is invalid: policy only allows mounts in the \
             following paths: [{}]",
            self.mount_destinations.join(" ")
        ))
    }
}

/// Whether the operator requests something.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Asked {
    /// It is not requested.
    #[default]
    No,
    /// It is requested.
    Yes,
}

/// An operator's request to launch an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The command that replaces the image's; empty if there is none.
    pub cmd: Vec<String>,
    /// Environment variables to set.
    pub env: Vec<Variable>,
    /// Whether to redirect the output to the operator.
    pub log_redirect: Asked,
    /// Mount points in the container.
    pub mounts: Vec<String>,
    /// Capabilities to add.
    pub capabilities: Vec<String>,
    /// Whether to create a cgroup namespace.
    pub cgroup_namespace: Asked,
    /// What to monitor.
    pub monitoring: Monitoring,
    /// The image of the machine.
    pub machine_image: MachineImage,
}

impl Request {
    /// A request to launch on this machine image, without any options.
    pub fn on(machine_image: MachineImage) -> Self {
        Self {
            cmd: Vec::new(),
            env: Vec::new(),
            log_redirect: Asked::No,
            mounts: Vec::new(),
            capabilities: Vec::new(),
            cgroup_namespace: Asked::No,
            monitoring: Monitoring::None,
            machine_image,
        }
    }
}

/// Whether `path` is `directory` or below it; both are clean and absolute.
fn is_within(path: &str, directory: &str) -> bool {
    let below = path.strip_prefix(directory);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || directory == "/")
}

#[cfg(test)]
mod tests;
