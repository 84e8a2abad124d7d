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
mod tests {
    use super::*;

    fn policy(labels: &[(&str, &str)]) -> Result<LaunchPolicy, Refusal> {
        let labels = labels
            .iter()
            .map(|(k, v)| (format!("tee.launch_policy.{k}"), v.to_string()));
        LaunchPolicy::from_labels(&labels.collect())
    }

    fn production() -> Request {
        Request::on(MachineImage::Production)
    }

    fn violation(labels: &[(&str, &str)], request: &Request) -> String {
        policy(labels)
            .unwrap()
            .check(request)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn allows_nothing_by_default() {
        let policy = policy(&[]).unwrap();
        assert_eq!(policy.cmd_override, Permission::Denied);
        assert_eq!(policy.log_redirect, LogRedirect::DebugOnly);
        assert_eq!(policy.hardened_monitoring, Monitoring::None);
        assert_eq!(policy.debug_monitoring, Monitoring::MemoryOnly);
        assert_eq!(policy.check(&production()), Ok(()));
    }

    #[test]
    fn refuses_commands_and_variables() {
        let mut request = production();
        request.cmd = vec!["--leak".into()];
        let cmd = "CMD is not allowed to be overridden on this image";
        assert_eq!(violation(&[], &request), cmd);
        assert_eq!(violation(&[("allow_cmd_override", "F")], &request), cmd);
        let granted = policy(&[("allow_cmd_override", "1")]).unwrap();
        assert_eq!(granted.check(&request), Ok(()));

        request.env = vec![
            Variable::new("A", "x").unwrap(),
            Variable::new("LD_PRELOAD", "y").unwrap(),
        ];
        assert_eq!(
            violation(&[("allow_env_override", "A,,B")], &request),
            "env var {LD_PRELOAD y} is not allowed to be overridden on this image; allowed envs to \
             be overridden: [A B]"
        );
    }

    #[test]
    fn redirects_logs_only_where_allowed() {
        let mut request = production();
        request.log_redirect = Asked::Yes;
        let debug_only = "logging redirection only allowed on debug environment by image";
        assert_eq!(violation(&[], &request), debug_only);
        let always = policy(&[("log_redirect", " Always ")]).unwrap();
        assert_eq!(always.check(&request), Ok(()));
        request.machine_image = MachineImage::Debug;
        assert_eq!(policy(&[]).unwrap().check(&request), Ok(()));
        let never = violation(&[("log_redirect", "never")], &request);
        assert_eq!(never, "logging redirection not allowed by image");
    }

    #[test]
    fn monitors_only_what_is_allowed() {
        let mut request = production();
        request.monitoring = Monitoring::All;
        let prefix = "error verifying monitoring config: spec configured for";
        assert_eq!(
            violation(&[], &request),
            format!("{prefix} all but policy is none")
        );
        assert_eq!(
            violation(&[("hardened_monitoring", "memoryOnly")], &request),
            format!("{prefix} all monitoring, policy only allows memory")
        );
        let both = policy(&[
            ("hardened_monitoring", "all"),
            ("monitoring_memory_allow", "always"),
        ]);
        assert_eq!(
            both.unwrap_err().to_string(),
            "use either tee.launch_policy.monitoring_memory_allow or \
             tee.launch_policy.hardened_monitoring/tee.launch_policy.debug_monitoring in image \
             labels,- not both"
        );
        let old = policy(&[("monitoring_memory_allow", "always")]).unwrap();
        assert_eq!(old.hardened_monitoring, Monitoring::MemoryOnly);
    }

    #[test]
    fn mounts_only_below_what_is_allowed() {
        let labels = [("allow_mount_destinations", "/run/tmp/:/var/tmp/../cache")];
        for (mount, allowed) in [
            ("/run/tmp", true),
            ("/run/tmp/a/b", true),
            ("/var/cache/x", true),
            ("/run/tmp/../secret", false),
            ("/run/tmpfile", false),
            ("/var/tmp", false),
            ("/", false),
            ("run/tmp", false),
        ] {
            let mut request = production();
            request.mounts = vec![mount.into()];
            assert_eq!(
                policy(&labels).unwrap().check(&request).is_ok(),
                allowed,
                "{mount}"
            );
        }
    }

    #[test]
    fn refuses_capabilities_and_cgroups() {
        let mut request = production();
        request.cgroup_namespace = Asked::Yes;
        assert_eq!(violation(&[], &request), "cgroups usage is not allowed");
        request.capabilities = vec!["CAP_SYS_ADMIN".into()];
        assert_eq!(
            violation(&[], &request),
            "additional capabilities are not allowed"
        );
    }

    #[test]
    fn refuses_invalid_labels() {
        let boolean = policy(&[("allow_cmd_override", "yes")])
            .unwrap_err()
            .to_string();
        assert_eq!(
            boolean,
            "invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a boolean)"
        );
        for (name, value) in [
            ("log_redirect", "sometimes"),
            ("monitoring_memory_allow", "maybe"),
        ] {
            let error = policy(&[(name, value)]).unwrap_err();
            let expected = format!("invalid image LABEL 'tee.launch_policy.{name}'");
            assert_eq!(error.to_string(), expected);
        }
        let error = policy(&[("debug_monitoring", "memory")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid monitoring type for debug image: invalid monitoring type memory"
        );
    }
}
