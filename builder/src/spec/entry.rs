//! `[image]` and `[[image]]`, as they are written.

use std::collections::BTreeMap;

use attest::ImageName;
use serde::Deserialize;
use toml::Value;

use super::{FileSpec, Parts, RuntimeSpec, StartSpec, UserSpec, WheelsSpec};

/// One of these tables.
#[derive(Deserialize)]
#[serde(try_from = "RawEntry")]
pub(super) struct Entry {
    pub(super) name: Option<ImageName>,
    pub(super) start: StartSpec,
    /// Its own parts, if it has any.
    pub(super) own: Option<Parts>,
}

/// `user` is the name of a user here, and not a list as it is at the top of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    name: Option<ImageName>,
    base: Option<String>,
    entrypoint: Option<Vec<String>>,
    #[serde(default)]
    cmd: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    user: Option<Value>,
    working_dir: Option<String>,
    runtime: Option<RuntimeSpec>,
    wheels: Option<Vec<WheelsSpec>>,
    users: Option<Vec<UserSpec>>,
    file: Option<Vec<FileSpec>>,
}

impl TryFrom<RawEntry> for Entry {
    type Error = String;

    fn try_from(raw: RawEntry) -> Result<Self, String> {
        let base = raw.base.map(|base| base.parse());
        let base = base
            .transpose()
            .map_err(|error: oci::Error| format!("base: expected HOST/NAME@sha256:…: {error}"))?;
        if base.is_none() && raw.entrypoint.is_none() {
            return Err("missing field `entrypoint`".to_owned());
        }
        let start = StartSpec {
            base,
            entrypoint: raw.entrypoint.unwrap_or_default(),
            cmd: raw.cmd,
            env: raw.env,
            labels: raw.labels,
            user: raw.user.map(user).transpose()?,
            working_dir: raw.working_dir,
        };
        let has_own = raw.runtime.is_some()
            || raw.wheels.is_some()
            || raw.users.is_some()
            || raw.file.is_some();
        let own = Parts {
            runtime: raw.runtime.unwrap_or_default(),
            wheels: raw.wheels.unwrap_or_default(),
            users: raw.users.unwrap_or_default(),
            files: raw.file.unwrap_or_default(),
        };
        Ok(Self {
            name: raw.name,
            start,
            own: has_own.then_some(own),
        })
    }
}

fn user(value: Value) -> Result<String, String> {
    match value {
        Value::String(user) => Ok(user),
        _ => Err(
            "user: expected the user that the program runs as; [[image.users]] lists the users of the image"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_point_is_from_the_base_or_named() {
        let parse = |text: &str| {
            let parsed = content::toml::parse::<Entry>(text);
            parsed.map_err(|error| error.message().to_owned())
        };
        let digest = content::Digest::of(b"base");
        let base = parse(&format!("base = 'registry.example/a/b@{digest}'")).unwrap();
        assert_eq!(base.start.base.unwrap().digest, digest);
        let missing = parse("").map(drop).unwrap_err();
        assert_eq!(missing, "missing field `entrypoint`");
        let tag = parse("base = 'registry.example/a/b:latest'");
        let tag = tag.map(drop).unwrap_err();
        assert!(
            tag.starts_with("base: expected HOST/NAME@sha256:…: "),
            "{tag}"
        );
    }
}
