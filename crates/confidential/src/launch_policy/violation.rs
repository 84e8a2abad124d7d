use super::Monitoring;

/// A request that the launch policy does not allow, in the launcher's words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Violation {
    /// A variable that may not be set; the launcher prints its value too.
    #[error(
        "env var {{{name} {value}}} is not allowed to be overridden on this image; allowed envs to \
         be overridden: [{}]", .allowed.join(" ")
    )]
    Env {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// Variables that may be set.
        allowed: Vec<String>,
    },
    /// Another command.
    #[error("CMD is not allowed to be overridden on this image")]
    Cmd,
    /// Output to be shown, which the image never allows.
    #[error("logging redirection not allowed by image")]
    LogRedirectNever,
    /// Output to be shown on a production image.
    #[error("logging redirection only allowed on debug environment by image")]
    LogRedirectDebugOnly,
    /// Monitoring where there is to be none.
    #[error("error verifying monitoring config: spec configured for {0} but policy is none")]
    MonitoringNone(Monitoring),
    /// All monitoring where memory use alone is allowed.
    #[error(
        "error verifying monitoring config: spec configured for all monitoring, policy only allows \
         memory"
    )]
    MonitoringMemoryOnly,
    /// Directories that may not be mounted on, one a line.
    #[error("destination mount points are not allowed: {0}")]
    Mounts(String),
    /// Capabilities.
    #[error("additional capabilities are not allowed")]
    Capabilities,
    /// A cgroup namespace.
    #[error("cgroups usage is not allowed")]
    Cgroups,
}
