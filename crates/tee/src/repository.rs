//! The name of a repository in a registry.

use std::fmt;

use crate::endpoint::{host, is_loopback};

/// The largest length of a name, in characters (OCI distribution specification).
const LIMIT: usize = 255;
/// The name of Docker Hub in references, and the host of its API.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");
/// Another name that clients write for it.
const HUB_INDEX: &str = "index.docker.io";

/// A repository with its registry, `HOST/PATH`, without tag and digest. Docker Hub's repositories are equal under all names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repository {
    registry: String,
    path: String,
}

/// A text that is not a repository.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "invalid repository {0:?}: expected HOST/PATH, as registry.example/acme/server, without tag and digest"
)]
pub struct InvalidRepository(String);

impl Repository {
    /// Parses a name.
    ///
    /// # Errors
    /// It has no registry, a tag or a digest, or characters that no registry accepts.
    pub fn parse(text: &str) -> Result<Self, InvalidRepository> {
        let read = || {
            let (registry, path) = text.split_once('/')?;
            let is_right = text.len() <= LIMIT && is_registry(registry) && is_path(path);
            is_right.then(|| Self::canonical(registry, path))
        };
        read().ok_or_else(|| InvalidRepository(text.chars().take(80).collect()))
    }

    fn canonical(registry: &str, path: &str) -> Self {
        let is_hub = [HUB.0, HUB.1, HUB_INDEX].contains(&registry);
        Self {
            registry: if is_hub { HUB.0 } else { registry }.to_owned(),
            path: match is_hub && !path.contains('/') {
                true => format!("library/{path}"),
                false => path.to_owned(),
            },
        }
    }

    /// Whether `text` is a name of this repository.
    pub fn is_named(&self, text: &str) -> bool {
        Self::parse(text).is_ok_and(|other| other == *self)
    }

    /// The host of the registry, without its port.
    pub(crate) fn host(&self) -> &str {
        host(&self.registry)
    }

    /// The path in the registry.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The address of the registry's API: https, or http on this machine.
    pub(crate) fn api(&self) -> String {
        let registry = match self.registry == HUB.0 {
            true => HUB.1,
            false => &self.registry,
        };
        let scheme = match is_loopback(self.host()) {
            true => "http",
            false => "https",
        };
        format!("{scheme}://{registry}/v2/{}", self.path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.path)
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_named = host == "localhost" || host.contains('.') || port.is_some() || host == "[::1]";
    is_named && is_host(host) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let has_ends = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && has_ends && label.bytes().all(is_known)
    };
    text == "[::1]" || text.split('.').all(is_label)
}

/// Words of lower-case letters and digits, joined by `/`, `.`, `_` and `-`.
fn is_path(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_known = |byte: u8| is_word(byte) || b"._-".contains(&byte);
    let is_part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().last()];
        ends.into_iter().all(|end| end.is_some_and(is_word)) && part.bytes().all(is_known)
    };
    text.split('/').all(is_part) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_registry_and_a_path() {
        for (text, api) in [
            (
                "registry.example/acme/server",
                "https://registry.example/v2/acme/server",
            ),
            ("127.0.0.1:5000/a", "http://127.0.0.1:5000/v2/a"),
            ("localhost/a_b.c", "http://localhost/v2/a_b.c"),
            ("[::1]:5000/a", "http://[::1]:5000/v2/a"),
            ("docker.io/a", "https://registry-1.docker.io/v2/library/a"),
        ] {
            assert_eq!(Repository::parse(text).unwrap().api(), api);
        }
        let hub = Repository::parse("docker.io/acme/server").unwrap();
        assert!(hub.is_named("index.docker.io/acme/server"));
        assert!(!hub.is_named("registry.example/acme/server"));
        assert!(!hub.is_named("docker.io/acme/server:v1"));
    }

    #[test]
    fn refuses_other_texts() {
        for text in [
            "",
            "acme",
            "acme/server",
            "registry.example",
            "registry.example/",
            "registry.example/a/",
            "registry.example//a",
            "registry.example/A",
            "registry.example/a:tag",
            "registry.example/a@sha256:00",
            "registry.example/../a",
            "registry.example/a/..",
            "https://registry.example/a",
            "me@registry.example/a",
            "registry.example:/a",
            "registry.example:70000/a",
            "registry.example:+1/a",
            "registry.example?/a",
        ] {
            assert!(Repository::parse(text).is_err(), "{text}");
        }
    }
}
