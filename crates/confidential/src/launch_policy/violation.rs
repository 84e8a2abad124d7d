use super::Monitoring;

/// A request that the launch policy does not allow. The messages are the launcher's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// The request sets a variable that may not be set. The launcher prints its value too.
    #[error(
        "env var {{{name} {value}}} is not allowed to be overridden on this image; allowed envs to \
         be overridden: [{}]", .allowed.join(" ")
    )]
    Env {
        /// The variable's name.
        name: String,
        /// The variable's value.
        value: String,
        /// The variables that may be set.
        allowed: Vec<String>,
    },
    /// The request replaces the command.
    #[error("CMD is not allowed to be overridden on this image")]
    Cmd,
    /// The request redirects the output, which the image never allows.
    #[error("logging redirection not allowed by image")]
    LogRedirectNever,
    /// The request redirects the output on a production image.
    #[error("logging redirection only allowed on debug environment by image")]
    LogRedirectDebugOnly,
    /// The request enables monitoring, which the image does not allow.
    #[error("error verifying monitoring config: spec configured for {0} but policy is none")]
    MonitoringNone(Monitoring),
    /// The request enables all monitoring, and the image allows memory use only.
    #[error(
        "error verifying monitoring config: spec configured for all monitoring, policy only allows \
         memory"
    )]
    MonitoringMemoryOnly,
    /// The request has mount points that the image does not allow. The value has one message per line.
    #[error("destination mount points are not allowed: {0}")]
    Mounts(String),
    /// The request adds capabilities.
    #[error("additional capabilities are not allowed")]
    Capabilities,
    /// The request creates a cgroup namespace.
    #[error("cgroups usage is not allowed")]
    Cgroups,
}
