//! `[image]`: how a container starts.

use std::collections::BTreeMap;

use oci::ImageRef;
use serde::Deserialize;

/// How a container of the image starts (OCI image specification, config.md).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawStart")]
pub struct StartSpec {
    /// The image below this one.
    pub base: Option<ImageRef>,
    /// The program and its fixed arguments. Without them, those of the base are used.
    pub entrypoint: Vec<String>,
    /// Further arguments, which a launch policy may allow to be overridden.
    pub cmd: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Labels, among them the launch policy.
    pub labels: BTreeMap<String, String>,
    /// User and group.
    pub user: Option<String>,
    /// The working directory.
    pub working_dir: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStart {
    base: Option<String>,
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    cmd: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    user: Option<String>,
    working_dir: Option<String>,
}

impl TryFrom<RawStart> for StartSpec {
    type Error = String;

    fn try_from(raw: RawStart) -> Result<Self, String> {
        let base = raw.base.map(|base| base.parse());
        let base = base
            .transpose()
            .map_err(|error: oci::Error| format!("base: expected HOST/NAME@sha256:…: {error}"))?;
        if base.is_none() && raw.entrypoint.is_none() {
            return Err("missing field `entrypoint`".to_owned());
        }
        Ok(Self {
            base,
            entrypoint: raw.entrypoint.unwrap_or_default(),
            cmd: raw.cmd,
            env: raw.env,
            labels: raw.labels,
            user: raw.user,
            working_dir: raw.working_dir,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_is_from_the_base_or_named() {
        let parse = |text: &str| {
            let parsed = content::toml::parse::<StartSpec>(text);
            parsed.map_err(|error| error.message().to_owned())
        };
        let digest = content::Digest::of(b"base");
        let base = parse(&format!("base = 'registry.example/a/b@{digest}'")).unwrap();
        assert_eq!(base.base.unwrap().digest, digest);
        assert_eq!(parse("").unwrap_err(), "missing field `entrypoint`");
        let tag = parse("base = 'registry.example/a/b:latest'").unwrap_err();
        assert!(
            tag.starts_with("base: expected HOST/NAME@sha256:…: "),
            "{tag}"
        );
    }
}
