//! The names of repositories: registry and path.

use std::fmt;
use std::str::FromStr;

use super::Fault;
use crate::Error;

/// The longest name of a repository, host and path, in characters (OCI distribution specification).
const NAME_LIMIT: usize = 255;
/// The name of Docker Hub in references.
const HUB: &str = "docker.io";
/// The hosts of Docker Hub's API, which some clients write in place of its name.
const HUB_HOSTS: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// The path prefix of Docker Hub's repositories that are named without an account.
const HUB_LIBRARY: &str = "library";
pub(super) const REGISTRY: Fault =
    "expected REGISTRY/PATH, with a registry such as registry.example or 127.0.0.1:5000";
pub(super) const PATH: Fault =
    "repository path must be lower-case words joined by `/`, `.`, `_` or `-`";
pub(super) const LENGTH: Fault = "repository is longer than 255 characters";

/// A repository with its registry, for example `127.0.0.1:5000/builder/workload`.
/// A repository of Docker Hub is equal under all of its names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository {
    registry: String,
    path: String,
}

impl Repository {
    /// The registry's host, with its port if the reference has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's path within the registry, without a leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        if text.len() > NAME_LIMIT {
            return Err(LENGTH);
        }
        let (registry, path) = text.split_once('/').ok_or(REGISTRY)?;
        if !is_registry(registry) {
            return Err(REGISTRY);
        }
        if !path.split('/').all(is_path_component) {
            return Err(PATH);
        }
        Ok(canonical(registry, path))
    }

    /// Whether `text` is a name of this repository, in any spelling.
    pub fn is_named(&self, text: &str) -> bool {
        text.parse::<Self>().is_ok_and(|other| other == *self)
    }
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|fault| Error::reference(text, fault))
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

/// Normalises the names of Docker Hub: cosign and crane write `index.docker.io/org/app`, other clients
/// `docker.io/org/app`, and `docker.io/app` is `docker.io/library/app`
/// (`distribution/reference`, `splitDockerDomain`).
fn canonical(registry: &str, path: &str) -> Repository {
    let is_hub = registry == HUB || HUB_HOSTS.contains(&registry);
    let registry = match is_hub {
        true => HUB,
        false => registry,
    };
    let path = match is_hub && !path.contains('/') {
        true => format!("{HUB_LIBRARY}/{path}"),
        false => path.to_owned(),
    };
    Repository {
        registry: registry.to_owned(),
        path,
    }
}

/// Whether a text is a registry. A first part without a dot or a port that is not `localhost` is refused:
/// other clients read it as a part of a path and use another registry.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let explicit = host == "localhost" || host.contains(['.', ':']) || port.is_some();
    let port_fits = port.is_none_or(|p| is_number(p) && p.parse::<u16>().is_ok_and(|p| p > 0));
    explicit && is_host(host) && port_fits
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let inside = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && inside && label.bytes().all(allowed)
    };
    text.split('.').all(is_label)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (OCI distribution specification, pulling manifests).
fn is_path_component(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends_are_words = [text.bytes().next(), text.bytes().last()]
        .into_iter()
        .all(|end| end.is_some_and(is_word));
    ends_are_words
        && text
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(is_separator)
}

fn is_separator(text: &str) -> bool {
    matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_name() {
        for (text, expected) in [
            ("docker.io/org/app", "docker.io/org/app"),
            ("index.docker.io/org/app", "docker.io/org/app"),
            ("registry-1.docker.io/org/app", "docker.io/org/app"),
            ("docker.io/nginx", "docker.io/library/nginx"),
            ("index.docker.io/library/nginx", "docker.io/library/nginx"),
            ("index.docker.io.example/app", "index.docker.io.example/app"),
            ("r.example/app", "r.example/app"),
        ] {
            let repository: Repository = text.parse().unwrap();
            assert_eq!(repository.to_string(), expected);
            assert!(repository.is_named(expected) && repository.is_named(text));
        }
    }
}
