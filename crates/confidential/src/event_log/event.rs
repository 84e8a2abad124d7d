//! One event and its encoding.

use std::fmt;
use std::str::FromStr;

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The type of a field that holds an event.
pub(super) const EVENT: u8 = 80;
const READING: &str = "reading event";

/// One measured event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The image reference as the operator wrote it: a hint, not an identity.
    ImageRef(String),
    /// The digest of the manifest that was pulled.
    ImageDigest(Digest),
    /// When the launcher restarts the container.
    RestartPolicy(RestartPolicy),
    /// The digest of the image configuration.
    ImageId(Digest),
    /// One argument of the container's process, in order, overrides included.
    Arg(String),
    /// One environment variable of the container's process, overrides included.
    EnvVar(Variable),
    /// One argument that the operator passed, in order.
    OverrideArg(String),
    /// One environment variable that the operator passed.
    OverrideEnv(Variable),
    /// The last event: the container starts after it.
    LaunchSeparator,
    /// Whether memory use is reported to the operator.
    MemoryMonitor(Reporting),
    /// The confidential computing mode of the GPUs: `ON`, `OFF` or `DEVTOOLS`.
    GpuCcMode(String),
    /// The bytes that bind the GPUs' evidence to this machine.
    GpuDeviceAttestationBinding(Vec<u8>),
}

impl Event {
    /// The number of the event's type (`cos_tlv.go`).
    pub fn kind(&self) -> u8 {
        match self {
            Self::ImageRef(_) => 0,
            Self::ImageDigest(_) => 1,
            Self::RestartPolicy(_) => 2,
            Self::ImageId(_) => 3,
            Self::Arg(_) => 4,
            Self::EnvVar(_) => 5,
            Self::OverrideArg(_) => 6,
            Self::OverrideEnv(_) => 7,
            Self::LaunchSeparator => 8,
            Self::MemoryMonitor(_) => 9,
            Self::GpuCcMode(_) => 10,
            Self::GpuDeviceAttestationBinding(_) => 11,
        }
    }

    /// The encoded event. A register is extended by the digest of these bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        field(EVENT, &field(self.kind(), &self.content()))
    }

    /// The SHA-256 of the encoded event.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    fn content(&self) -> Vec<u8> {
        match self {
            Self::ImageRef(text)
            | Self::Arg(text)
            | Self::OverrideArg(text)
            | Self::GpuCcMode(text) => text.clone().into_bytes(),
            Self::ImageDigest(digest) | Self::ImageId(digest) => digest.to_string().into_bytes(),
            Self::RestartPolicy(policy) => policy.to_string().into_bytes(),
            Self::EnvVar(variable) | Self::OverrideEnv(variable) => {
                variable.to_string().into_bytes()
            }
            Self::LaunchSeparator => Vec::new(),
            Self::MemoryMonitor(Reporting::Off) => vec![0],
            Self::MemoryMonitor(Reporting::On) => vec![1],
            Self::GpuDeviceAttestationBinding(bytes) => bytes.clone(),
        }
    }

    pub(super) fn parse(kind: u8, content: &[u8]) -> Result<Self, Error> {
        Ok(match kind {
            0 => Self::ImageRef(text(kind, content)?),
            1 => Self::ImageDigest(digest(kind, content)?),
            2 => Self::RestartPolicy(text(kind, content)?.parse()?),
            3 => Self::ImageId(digest(kind, content)?),
            4 => Self::Arg(text(kind, content)?),
            5 => Self::EnvVar(text(kind, content)?.parse()?),
            6 => Self::OverrideArg(text(kind, content)?),
            7 => Self::OverrideEnv(text(kind, content)?.parse()?),
            8 if content.is_empty() => Self::LaunchSeparator,
            9 if content == [0] => Self::MemoryMonitor(Reporting::Off),
            9 if content == [1] => Self::MemoryMonitor(Reporting::On),
            10 => Self::GpuCcMode(text(kind, content)?),
            11 => Self::GpuDeviceAttestationBinding(content.to_vec()),
            8 => return Err(expected(kind, "no bytes")),
            9 => return Err(expected(kind, "0 or 1")),
            _ => return Err(Error::new(READING, format!("unknown type {kind}"))),
        })
    }
}

pub(super) fn field(kind: u8, value: &[u8]) -> Vec<u8> {
    // A value is far smaller than 4 GiB: it comes from one event of this process.
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    let mut bytes = vec![kind];
    bytes.extend(length.to_be_bytes());
    bytes.extend(value);
    bytes
}

fn text(kind: u8, content: &[u8]) -> Result<String, Error> {
    let text = std::str::from_utf8(content);
    let text = text.map_err(|_| expected(kind, "UTF-8"))?;
    Ok(text.to_owned())
}

fn expected(kind: u8, expected: &str) -> Error {
    let fault = format!("expected {expected} as content of type {kind}");
    Error::new(READING, fault)
}

fn digest(kind: u8, content: &[u8]) -> Result<Digest, Error> {
    text(kind, content)?
        .parse()
        .map_err(|fault| Error::new(READING, format!("type {kind}: {fault}")))
}

/// Whether a measurement is reported to the operator.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Reporting {
    /// It is not reported.
    #[default]
    Off,
    /// It is reported.
    On,
}

/// When the launcher restarts a container.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum RestartPolicy {
    /// Never.
    Never,
    /// After every exit.
    Always,
    /// After an exit with a status other than 0.
    OnFailure,
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "Never",
            Self::Always => "Always",
            Self::OnFailure => "OnFailure",
        })
    }
}

impl FromStr for RestartPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "Never" => Ok(Self::Never),
            "Always" => Ok(Self::Always),
            "OnFailure" => Ok(Self::OnFailure),
            _ => {
                let found: String = text.chars().take(40).collect();
                Err(Error::new(
                    "reading restart policy",
                    format!("expected Never, Always or OnFailure, found {found:?}"),
                ))
            }
        }
    }
}

/// An environment variable, `NAME=VALUE`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variable {
    name: String,
    value: String,
}

impl Variable {
    /// Creates a variable.
    ///
    /// # Errors
    /// `name` is not `[a-zA-Z_][a-zA-Z0-9_]*`.
    pub fn new(name: &str, value: &str) -> Result<Self, Error> {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(invalid_name(name));
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The value may be a secret and is not shown.
fn invalid_name(name: &str) -> Error {
    let name: String = name.chars().take(80).collect();
    let fault = format!("invalid name {name:?}");
    Error::new("reading environment variable", fault)
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl FromStr for Variable {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let split = text.split_once('=');
        let (name, value) = split.ok_or_else(|| invalid_name(""))?;
        Self::new(name, value)
    }
}
