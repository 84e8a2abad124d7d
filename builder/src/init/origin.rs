//! Where the source is published, as its repository says.

use std::path::Path;

use crate::error::Error;
use crate::host::{HostError, git};

/// The source, as provenance and policies name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Origin {
    /// Its URI, if the repository has an origin.
    pub(super) uri: Option<String>,
    /// The directory in the repository.
    pub(super) directory: String,
}

impl Origin {
    /// The origin of the repository around a directory.
    ///
    /// # Errors
    /// git is missing.
    pub(super) fn of(directory: &Path) -> Result<Self, Error> {
        let url = answer(directory, "config", &["--get", "remote.origin.url"])?;
        let prefix = answer(directory, "rev-parse", &["--show-prefix"])?;
        let prefix = prefix.unwrap_or_default();
        let within = prefix.trim_end_matches('/');
        Ok(Self {
            uri: url.as_deref().and_then(uri),
            directory: match within {
                "" => ".".to_owned(),
                within => within.to_owned(),
            },
        })
    }
}

/// What git answers; `None` if it has no answer, for example since there is no repository.
fn answer(directory: &Path, action: &'static str, words: &[&str]) -> Result<Option<String>, Error> {
    match git(directory, action, words) {
        Ok(said) => Ok(Some(String::from_utf8_lossy(&said).trim().to_owned())),
        Err(HostError::Failed { .. }) => Ok(None),
        Err(error) => Err(error.doing("reading the repository").into()),
    }
}

/// The URI of a repository's URL. A user name and a password are left out, except where SSH needs the name.
fn uri(url: &str) -> Option<String> {
    let is_plain = !url.is_empty() && !url.contains(|c: char| c.is_control() || c.is_whitespace());
    is_plain.then_some(())?;
    match url.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let host = authority.rsplit('@').next()?;
            Some(format!("git+{scheme}://{host}/{path}"))
        }
        Some(("ssh", rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let (user, host) = authority.split_once('@').unwrap_or(("git", authority));
            let user = user.split(':').next()?;
            Some(format!("git+ssh://{user}@{host}/{path}"))
        }
        Some(_) => None,
        None => {
            let (host, path) = url.split_once(':')?;
            let is_host = host.contains('@') && !host.contains('/');
            is_host.then(|| format!("git+ssh://{host}/{path}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_uri_without_secrets() {
        for (url, expected) in [
            (
                "https://host.example/a/b.git",
                Some("git+https://host.example/a/b.git"),
            ),
            (
                "https://me:secret@host.example/a",
                Some("git+https://host.example/a"),
            ),
            (
                "git@host.example:a/b.git",
                Some("git+ssh://git@host.example/a/b.git"),
            ),
            (
                "ssh://git@host.example:22/a",
                Some("git+ssh://git@host.example:22/a"),
            ),
            (
                "ssh://me:secret@host.example/a",
                Some("git+ssh://me@host.example/a"),
            ),
            ("/srv/a", None),
            ("../a", None),
            ("https://host.example/a\nb", None),
            ("", None),
        ] {
            assert_eq!(uri(url).as_deref(), expected, "{url:?}");
        }
    }
}
