//! The labels, parsed as by the launcher.

use std::collections::BTreeMap;

use super::{LaunchPolicy, LogRedirect, Monitoring, Permission, Refusal};

/// Whether the operator may replace the command.
pub const ALLOW_CMD_OVERRIDE: &str = "tee.launch_policy.allow_cmd_override";
/// Names of environment variables that the operator may set, separated by commas.
pub const ALLOW_ENV_OVERRIDE: &str = "tee.launch_policy.allow_env_override";
/// When output may be redirected to the operator: `always`, `never` or `debugonly`.
pub const LOG_REDIRECT: &str = "tee.launch_policy.log_redirect";
/// Absolute paths of directories at or below which the operator may mount, separated by colons.
pub const ALLOW_MOUNT_DESTINATIONS: &str = "tee.launch_policy.allow_mount_destinations";
/// Whether the operator may add capabilities.
pub const ALLOW_CAPABILITIES: &str = "tee.launch_policy.allow_capabilities";
/// Whether the operator may request a cgroup namespace.
pub const ALLOW_CGROUPS: &str = "tee.launch_policy.allow_cgroups";
/// What may be monitored on a production image.
pub const HARDENED_MONITORING: &str = "tee.launch_policy.hardened_monitoring";
/// What may be monitored on a debug image.
pub const DEBUG_MONITORING: &str = "tee.launch_policy.debug_monitoring";
/// The old label for both.
pub const MONITORING_MEMORY_ALLOW: &str = "tee.launch_policy.monitoring_memory_allow";

impl LaunchPolicy {
    /// Parses the labels of an image. Labels other than `tee.launch_policy.*` are ignored.
    ///
    /// # Errors
    /// A label is invalid.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Result<Self, Refusal> {
        let (hardened_monitoring, debug_monitoring) = monitoring(labels)?;
        Ok(Self {
            cmd_override: permission(labels, ALLOW_CMD_OVERRIDE)?,
            env_override: list(labels, ALLOW_ENV_OVERRIDE, ','),
            log_redirect: log_redirect(labels, LOG_REDIRECT)?.unwrap_or_default(),
            mount_destinations: mount_destinations(labels),
            capabilities: permission(labels, ALLOW_CAPABILITIES)?,
            cgroups: permission(labels, ALLOW_CGROUPS)?,
            hardened_monitoring,
            debug_monitoring,
        })
    }
}

type Labels = BTreeMap<String, String>;

/// Reads a boolean as Go's `strconv.ParseBool` does.
fn permission(labels: &Labels, label: &'static str) -> Result<Permission, Refusal> {
    match labels.get(label).map(String::as_str) {
        None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(Permission::Denied),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(Permission::Granted),
        Some(_) => Err(Refusal(format!(
            "invalid image LABEL '{label}' (not a boolean)"
        ))),
    }
}

fn list(labels: &Labels, label: &str, separator: char) -> Vec<String> {
    let text = labels.get(label).map(String::as_str).unwrap_or_default();
    text.split(separator)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn log_redirect(labels: &Labels, label: &'static str) -> Result<Option<LogRedirect>, Refusal> {
    let Some(text) = labels.get(label) else {
        return Ok(None);
    };
    match text.trim().to_lowercase().as_str() {
        "always" => Ok(Some(LogRedirect::Always)),
        "never" => Ok(Some(LogRedirect::Never)),
        "debugonly" => Ok(Some(LogRedirect::DebugOnly)),
        _ => Err(Refusal(format!("invalid image LABEL '{label}'"))),
    }
}

/// What may be monitored on a production and on a debug image.
fn monitoring(labels: &Labels) -> Result<(Monitoring, Monitoring), Refusal> {
    let hardened = monitoring_label(labels, HARDENED_MONITORING, "hardened")?;
    let debug = monitoring_label(labels, DEBUG_MONITORING, "debug")?;
    match (
        log_redirect(labels, MONITORING_MEMORY_ALLOW),
        hardened,
        debug,
    ) {
        (Ok(None), ..) => Ok((
            hardened.unwrap_or(Monitoring::None),
            debug.unwrap_or(Monitoring::MemoryOnly),
        )),
        (_, Some(_), _) | (_, _, Some(_)) => Err(Refusal(format!(
            "use either {MONITORING_MEMORY_ALLOW} or {HARDENED_MONITORING}/{DEBUG_MONITORING} in \
             image labels,- not both"
        ))),
        (Ok(Some(LogRedirect::Always)), ..) => Ok((Monitoring::MemoryOnly, Monitoring::MemoryOnly)),
        (Ok(Some(LogRedirect::Never)), ..) => Ok((Monitoring::None, Monitoring::None)),
        (Ok(Some(LogRedirect::DebugOnly)), ..) => Ok((Monitoring::None, Monitoring::MemoryOnly)),
        (Err(error), ..) => Err(error),
    }
}

fn monitoring_label(
    labels: &Labels,
    label: &str,
    image: &'static str,
) -> Result<Option<Monitoring>, Refusal> {
    let Some(found) = labels.get(label) else {
        return Ok(None);
    };
    match found.to_lowercase().as_str() {
        "none" => Ok(Some(Monitoring::None)),
        "memoryonly" => Ok(Some(Monitoring::MemoryOnly)),
        "all" => Ok(Some(Monitoring::All)),
        _ => Err(Refusal(format!(
            "invalid monitoring type for {image} image: invalid monitoring type {found}"
        ))),
    }
}

fn mount_destinations(labels: &Labels) -> Vec<String> {
    let paths = list(labels, ALLOW_MOUNT_DESTINATIONS, ':');
    paths.iter().map(|path| clean(path)).collect()
}

/// The shortest equivalent path, as Go's `filepath.Clean` returns it.
pub(super) fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    match (root, parts.is_empty()) {
        ("", true) => ".".to_owned(),
        _ => format!("{root}{}", parts.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_like_go() {
        for (path, cleaned) in [
            ("/", "/"),
            ("", "."),
            ("a/../..", ".."),
            ("/../a", "/a"),
            ("/a/./b//c/", "/a/b/c"),
            ("../../a", "../../a"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }
}
