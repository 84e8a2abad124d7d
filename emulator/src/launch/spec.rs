//! What an operator asks of the launcher by metadata of the instance, in the launcher's words (google/go-tpm-tools,
//! `launcher/spec/launch_spec.go`).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use confidential::event_log::{RestartPolicy, Variable};
use confidential::launch_policy::{Asked, MachineImage, Monitoring, Request};
use content::{json, limits};
use oci::{Reference, Repository};

const IMAGE: &str = "tee-image-reference";
const RESTART: &str = "tee-restart-policy";
const SIGNED: &str = "tee-signed-image-repos";
const CMD: &str = "tee-cmd";
const ENV: &str = "tee-env-";
const LOG: &str = "tee-container-log-redirect";
const MONITORING: &str = "tee-monitoring-enable";
const MEMORY: &str = "tee-monitoring-memory-enable";
/// Metadata that the real launcher acts on, and this one does not.
const NOT_EMULATED: [&str; 8] = [
    "ita-api-key",
    "ita-region",
    "tee-added-capabilities",
    "tee-cgroup-ns",
    "tee-dev-shm-size-kb",
    "tee-impersonate-service-accounts",
    "tee-install-gpu-driver",
    "tee-mount",
];

/// What the operator asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LaunchSpec {
    /// The image.
    pub image: Reference,
    /// What the machine does when the workload has ended.
    pub restart: RestartPolicy,
    /// The repositories that are searched for signatures.
    pub signed_image_repos: Vec<Repository>,
    /// Where the output of the workload goes.
    pub log_redirect: LogRedirect,
    /// What the launch policy of the image must allow.
    pub request: Request,
}

/// Where the output of a workload goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogRedirect {
    /// `true`: to the serial port and to Cloud Logging.
    Everywhere,
    /// `cloud_logging`.
    CloudLogging,
    /// `serial`: to the serial port.
    Serial,
    /// `false`.
    Nowhere,
}

/// Why metadata are refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(String);

fn invalid(key: &str, fault: impl Display) -> SpecError {
    SpecError(format!("invalid value for {key}: {fault}"))
}

impl LaunchSpec {
    /// Reads the metadata of an instance with this machine image. Keys that the launcher does not know are ignored.
    ///
    /// # Errors
    /// The image is missing, a value is invalid, or a key is not emulated.
    pub fn read(
        metadata: &BTreeMap<String, String>,
        machine_image: MachineImage,
    ) -> Result<Self, SpecError> {
        let value = |key: &str| metadata.get(key).map_or("", String::as_str);
        if let Some(key) = NOT_EMULATED.iter().find(|key| is_set(value(key))) {
            return Err(SpecError(format!("{key} is not emulated: leave it out")));
        }
        if value(IMAGE).is_empty() {
            let fault = format!("{IMAGE} is not specified in the custom metadata");
            return Err(SpecError(fault));
        }
        let log_redirect = log_redirect(value(LOG))?;
        Ok(Self {
            image: parse(IMAGE, value(IMAGE))?,
            restart: restart(value(RESTART))?,
            signed_image_repos: list(SIGNED, value(SIGNED))?,
            log_redirect,
            request: Request {
                cmd: cmd(value(CMD))?,
                env: env(metadata)?,
                log_redirect: log_redirect.asked(),
                monitoring: monitoring(metadata)?,
                ..Request::on(machine_image)
            },
        })
    }
}

impl LogRedirect {
    fn asked(self) -> Asked {
        match self {
            Self::Nowhere => Asked::No,
            Self::Everywhere | Self::CloudLogging | Self::Serial => Asked::Yes,
        }
    }
}

/// Whether a value asks for something: the launcher takes `false` as absent.
fn is_set(value: &str) -> bool {
    !value.is_empty() && boolean(value) != Some(false)
}

fn parse<T: FromStr<Err: Display>>(key: &str, value: &str) -> Result<T, SpecError> {
    value.parse().map_err(|fault| invalid(key, fault))
}

fn list<T: FromStr<Err: Display>>(key: &str, value: &str) -> Result<Vec<T>, SpecError> {
    let parts = value.split(',').filter(|part| !part.is_empty());
    parts.map(|part| parse(key, part)).collect()
}

fn restart(value: &str) -> Result<RestartPolicy, SpecError> {
    match value {
        "" => Ok(RestartPolicy::Never),
        value => value
            .parse()
            .map_err(|_| SpecError(format!("invalid restart policy: {value}"))),
    }
}

fn log_redirect(value: &str) -> Result<LogRedirect, SpecError> {
    match value {
        "true" => Ok(LogRedirect::Everywhere),
        "cloud_logging" => Ok(LogRedirect::CloudLogging),
        "serial" => Ok(LogRedirect::Serial),
        "" | "false" => Ok(LogRedirect::Nowhere),
        value => Err(SpecError(format!(
            "invalid logging redirect location {value}, expect one of [true cloud_logging serial false]"
        ))),
    }
}

fn cmd(value: &str) -> Result<Vec<String>, SpecError> {
    match value {
        "" => Ok(Vec::new()),
        value => {
            json::parse(value.as_bytes(), limits::DOCUMENT).map_err(|fault| invalid(CMD, fault))
        }
    }
}

fn env(metadata: &BTreeMap<String, String>) -> Result<Vec<Variable>, SpecError> {
    let set = metadata
        .iter()
        .filter_map(|(key, value)| Some((key, key.strip_prefix(ENV)?, value)));
    set.map(|(key, name, value)| Variable::new(name, value).map_err(|fault| invalid(key, fault)))
        .collect()
}

fn monitoring(metadata: &BTreeMap<String, String>) -> Result<Monitoring, SpecError> {
    match (metadata.get(MEMORY), metadata.get(MONITORING)) {
        (Some(_), Some(_)) => Err(SpecError(format!(
            "both {MEMORY} and {MONITORING} are specified, only one is permitted"
        ))),
        (Some(value), None) if !value.is_empty() => match boolean(value) {
            Some(true) => Ok(Monitoring::MemoryOnly),
            Some(false) => Ok(Monitoring::None),
            None => Err(SpecError(format!(
                "invalid value for {MEMORY} (not a boolean): {value}"
            ))),
        },
        (None, Some(value)) => match value.to_ascii_lowercase().as_str() {
            "" | "none" => Ok(Monitoring::None),
            "memoryonly" => Ok(Monitoring::MemoryOnly),
            "all" => Ok(Monitoring::All),
            other => Err(SpecError(format!("invalid monitoring type {other}"))),
        },
        _ => Ok(Monitoring::None),
    }
}

/// A boolean as Go reads it (`strconv.ParseBool`).
fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LaunchSpec, String> {
        let digest = content::Digest::of(b"");
        let image = format!("127.0.0.1:5000/a/b@{digest}");
        let mut metadata = BTreeMap::from([(IMAGE.to_owned(), image)]);
        let pairs = pairs.iter().map(|(key, value)| (*key, *value));
        metadata.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
        let spec = LaunchSpec::read(&metadata, MachineImage::Production);
        spec.map_err(|error| error.to_string())
    }

    #[test]
    fn metadata_are_read_as_by_the_launcher() {
        let plain = read(&[("other", "x"), ("tee-mount", "")]).unwrap();
        assert_eq!(plain.log_redirect, LogRedirect::Nowhere);
        assert_eq!(plain.restart, RestartPolicy::Never);
        let spec = read(&[
            ("tee-restart-policy", "OnFailure"),
            (
                "tee-signed-image-repos",
                "127.0.0.1:5000/a/b,127.0.0.1:5000/c/d",
            ),
            ("tee-container-log-redirect", "cloud_logging"),
            ("tee-cmd", "[\"a\", \"b c\"]"),
            ("tee-env-NAME", "a=b"),
            ("tee-monitoring-memory-enable", "true"),
        ])
        .unwrap();
        assert_eq!(spec.restart, RestartPolicy::OnFailure);
        assert_eq!(spec.signed_image_repos.len(), 2);
        assert_eq!(spec.request.cmd, ["a", "b c"]);
        assert_eq!(spec.request.env[0].to_string(), "NAME=a=b");
        assert_eq!(spec.request.log_redirect, Asked::Yes);
        assert_eq!(spec.request.monitoring, Monitoring::MemoryOnly);
    }

    #[test]
    fn invalid_metadata_are_refused_in_the_launchers_words() {
        for (key, value, words) in [
            (
                IMAGE,
                "",
                "tee-image-reference is not specified in the custom metadata",
            ),
            (RESTART, "Sometimes", "invalid restart policy: Sometimes"),
            (
                LOG,
                "maybe",
                "invalid logging redirect location maybe, expect one of",
            ),
            (CMD, "a b", "invalid value for tee-cmd: "),
            ("tee-env-1x", "v", "invalid value for tee-env-1x: "),
            (
                MEMORY,
                "perhaps",
                "invalid value for tee-monitoring-memory-enable (not a boolean): perhaps",
            ),
            (
                "tee-mount",
                "type=tmpfs",
                "tee-mount is not emulated: leave it out",
            ),
        ] {
            let refused = read(&[(key, value)]).unwrap_err();
            assert!(refused.starts_with(words), "{refused}");
        }
    }
}
