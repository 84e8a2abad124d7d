use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use content::{Digest, json, limits};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Document, Error, Verify};

/// An image's configuration (OCI image specification, config.md).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(deserialize = "D: Verify"))]
pub struct Config<D = Digest> {
    /// The time of creation, in RFC 3339.
    #[serde(
        default,
        deserialize_with = "timestamp",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<String>,
    /// The author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The processor architecture, as Go's `GOARCH`.
    pub architecture: String,
    /// The operating system, as Go's `GOOS`.
    pub os: String,
    /// The operating system's version.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// The features that the image needs of the operating system.
    #[serde(rename = "os.features", default, skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The variant of the processor architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// How a container of the image is started.
    #[serde(default, deserialize_with = "json::null_is_default")]
    pub config: Execution,
    /// The layers of the image's file system.
    pub rootfs: RootFs<D>,
    /// The history of each layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
}

/// How a container is started (config.md, property `config`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// `user`, `uid`, `user:group` or `uid:gid`; empty means root.
    #[serde(
        deserialize_with = "json::null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub user: String,
    /// Environment variables as `NAME=VALUE`, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The first arguments of the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// The further arguments of the command, which a user may replace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// The working directory of the command; empty means `/`.
    #[serde(
        deserialize_with = "json::null_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub working_dir: String,
    /// Labels, including the launch policy of Confidential Space.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Ports that the container listens on, for example `8080/tcp`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Nothing>,
    /// Directories that are volumes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Nothing>,
    /// The signal that ends the container, `SIGTERM` or `SIGRTMIN+3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// On Windows, whether the command is one escaped string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args_escaped: Option<bool>,
}

/// The value of each key in a set that is written as an object: `{}`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Nothing {}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {}
        Option::<Object>::deserialize(deserializer).map(|_| Self {})
    }
}

/// The layers before compression (config.md, property `rootfs`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(bound(deserialize = "D: Verify"))]
pub struct RootFs<D = Digest> {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of each layer's tar archive, lowest first.
    pub diff_ids: Vec<D>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self::of_layers(Vec::new())
    }
}

impl RootFs {
    /// A file system of these layers.
    pub fn of_layers(diff_ids: Vec<Digest>) -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids,
        }
    }
}

/// The history of a layer (config.md, property `history`).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct History {
    /// The time of creation, in RFC 3339.
    #[serde(
        deserialize_with = "timestamp",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<String>,
    /// The command that created the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether this step created no layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_layer: Option<bool>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            created: None,
            author: None,
            architecture: String::new(),
            os: String::new(),
            os_version: None,
            os_features: Vec::new(),
            variant: None,
            config: Execution::default(),
            rootfs: RootFs::default(),
            history: Vec::new(),
        }
    }
}

impl Config {
    /// Parses a configuration with diff IDs by SHA-256.
    ///
    /// # Errors
    /// Those of [`Config::parse_any`], or a diff ID is by another algorithm.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_any(bytes)
    }

    /// Writes the configuration as canonical JSON.
    ///
    /// # Errors
    /// None for a configuration that was parsed or built here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(self).map_err(refused)
    }
}

impl<D: Verify> Config<D> {
    /// Parses a configuration.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::CONFIG`], not strict JSON, or not a configuration; the type of
    /// `rootfs` is not `layers`, or an environment variable has no `=`.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, Error> {
        let config: Self = json::parse(bytes, limits::CONFIG).map_err(refused)?;
        if config.rootfs.kind != "layers" {
            let kind = config.rootfs.kind;
            return Err(refused(format!(
                "root file system of type {kind:?} is not \"layers\""
            )));
        }
        let is_variable = |entry: &&String| entry.find('=').is_some_and(|at| at > 0);
        match config.config.env.iter().find(|entry| !is_variable(entry)) {
            Some(entry) => {
                let shown: String = entry.chars().take(200).collect();
                Err(refused(format!("variable {shown:?} is not NAME=VALUE")))
            }
            None => Ok(config),
        }
    }
}

fn refused(fault: impl fmt::Display) -> Error {
    Error::document(Document::Config, fault)
}

/// A point in time (RFC 3339, section 5.6), kept as it is written.
fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_deref().map(is_time) {
        Some(false) => Err(de::Error::custom("a time is not RFC 3339")),
        Some(true) | None => Ok(text),
    }
}

/// Whether Go's `time.Time` can be parsed from the text. chrono also accepts `t`, `z` or a space, leap seconds
/// and an offset without a colon.
fn is_time(text: &str) -> bool {
    let Some((time, rest)) = text.split_at_checked("2006-01-02T15:04:05".len()) else {
        return false;
    };
    let is_digit = |c: char| c.is_ascii_digit();
    let fraction = rest.strip_prefix('.');
    let zone = fraction.map_or(rest, |digits| digits.trim_start_matches(is_digit));
    let is_zone = matches!(zone.as_bytes(), [b'Z'] | [b'+' | b'-', _, _, b':', _, _]);
    let is_clock = time.as_bytes()[10] == b'T' && !time.ends_with(":60");
    is_clock && is_zone && DateTime::parse_from_rfc3339(text).is_ok()
}
