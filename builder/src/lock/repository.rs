//! Git repositories as locks name them.

use std::collections::BTreeMap;
use std::fmt;

use content::Digest;
use serde::{Deserialize, Serialize};

use crate::elsewhere::is_loopback;

/// Maximum length of a URL, in bytes.
const LENGTH: usize = 2048;

/// A commit of a git repository whose crates the program uses, or of a submodule of one.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Its URL, as `Cargo.lock` or the repository around a submodule has it.
    pub url: RepositoryUrl,
    /// The commit.
    pub commit: CommitName,
    /// SHA-256 over its files: for each path, in the order of their bytes, mode, space, SHA-256 of the content as hex, space,
    /// path and NUL. Modes are those of git. A submodule has its commit in place of the SHA-256.
    pub sha256: Digest,
    /// Its submodules, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub submodules: BTreeMap<String, Submodule>,
}

impl Repository {
    /// What identifies it: URL and commit.
    pub fn name(&self) -> (&RepositoryUrl, &CommitName) {
        (&self.url, &self.commit)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.url, self.commit)
    }
}

/// A submodule. The lock has a [`Repository`] with this URL and commit.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Submodule {
    /// Its URL.
    pub url: RepositoryUrl,
    /// The commit.
    pub commit: CommitName,
}

/// The URL of a repository, by HTTPS.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryUrl(String);

/// The name of a commit: 40 or 64 lower-case hex digits.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitName(String);

/// Text that is not a URL of a repository, or the name of a commit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidRepository {
    /// Not a URL of HTTPS.
    #[error(
        "expected a URL that begins with https://; to reach it in another way, use its https URL, and url.<base>.insteadOf in \
         your own configuration of git"
    )]
    Scheme,
    /// The URL leads to the machine that builds.
    #[error("expected a URL of another machine")]
    Loopback,
    /// It contains a password.
    #[error("the URL contains a password: configure git to send it")]
    Password,
    /// It is too long or contains other characters.
    #[error("expected a URL of at most {LENGTH} printable characters, without spaces")]
    Text,
    /// Not the name of a commit.
    #[error("expected a commit in 40 or 64 lower-case hex digits")]
    Commit,
}

impl TryFrom<String> for RepositoryUrl {
    type Error = InvalidRepository;

    fn try_from(text: String) -> Result<Self, InvalidRepository> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || text.len() > LENGTH {
            return Err(InvalidRepository::Text);
        }
        // A source chooses this URL. It must make git open no file, no connection by SSH and none to this machine.
        if !text.starts_with("https://") {
            return Err(InvalidRepository::Scheme);
        }
        let parsed = reqwest::Url::parse(&text).map_err(|_| InvalidRepository::Text)?;
        let host = parsed.host_str().ok_or(InvalidRepository::Text)?;
        match (parsed.password().is_some(), is_loopback(host)) {
            (true, _) => Err(InvalidRepository::Password),
            (false, true) => Err(InvalidRepository::Loopback),
            (false, false) => Ok(Self(text)),
        }
    }
}

impl RepositoryUrl {
    /// The URL of a submodule that `.gitmodules` of this repository names (gitmodules(5), `submodule.<name>.url`).
    ///
    /// # Errors
    /// It is not one that can be fetched.
    pub fn submodule(&self, url: &str) -> Result<Self, InvalidRepository> {
        if url.starts_with("./") || url.starts_with("../") {
            return self.relative(url);
        }
        url.to_owned().try_into()
    }

    fn relative(&self, url: &str) -> Result<Self, InvalidRepository> {
        let mut base = self.0.trim_end_matches('/');
        let mut rest = url;
        loop {
            if let Some(more) = rest.strip_prefix("./") {
                rest = more;
            } else if let Some(more) = rest.strip_prefix("../") {
                rest = more;
                base = base.rsplit_once('/').ok_or(InvalidRepository::Scheme)?.0;
            } else {
                return format!("{base}/{rest}").try_into();
            }
        }
    }
}

impl TryFrom<String> for CommitName {
    type Error = InvalidRepository;

    fn try_from(text: String) -> Result<Self, InvalidRepository> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match [40, 64].contains(&text.len()) && text.bytes().all(hex) {
            true => Ok(Self(text)),
            false => Err(InvalidRepository::Commit),
        }
    }
}

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(parsed: $name) -> Self {
                parsed.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(RepositoryUrl);
text!(CommitName);

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Result<RepositoryUrl, InvalidRepository> {
        text.to_owned().try_into()
    }

    #[test]
    fn urls_lead_to_other_machines_by_https_and_have_no_password() {
        for text in [
            "https://host.example/a/b.git",
            "https://user@host.example/a",
            "https://host.example:8443/a",
            "https://10.0.0.1/a",
            "https://0xcafe.example/a",
        ] {
            assert_eq!(url(text).unwrap().as_str(), text);
        }
        for (text, expected) in [
            ("http://host.example/a", InvalidRepository::Scheme),
            ("ssh://git@host.example:22/a", InvalidRepository::Scheme),
            ("file:///a/b", InvalidRepository::Scheme),
            ("https://localhost/a", InvalidRepository::Loopback),
            (
                "https://user@LocalHost.:8443/a",
                InvalidRepository::Loopback,
            ),
            ("https://a.localhost/a", InvalidRepository::Loopback),
            ("https://127.0.0.1:1/a", InvalidRepository::Loopback),
            ("https://127.1/a", InvalidRepository::Loopback),
            ("https://2130706433/a", InvalidRepository::Loopback),
            ("https://0x7f.1/a", InvalidRepository::Loopback),
            ("https://[::1]:1/a", InvalidRepository::Loopback),
            ("https://0.0.0.0/a", InvalidRepository::Loopback),
            ("git://host.example/a", InvalidRepository::Scheme),
            ("ext::sh -c x", InvalidRepository::Text),
            ("ext::sh", InvalidRepository::Scheme),
            ("--upload-pack=x", InvalidRepository::Scheme),
            (
                "https://user:secret@host.example/a",
                InvalidRepository::Password,
            ),
            ("https://host.example/a b", InvalidRepository::Text),
            ("https://host.example/a\nb", InvalidRepository::Text),
            ("", InvalidRepository::Scheme),
        ] {
            assert_eq!(url(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn submodules_have_urls_of_git() {
        let around = url("https://host.example/org/repo").unwrap();
        for (text, expected) in [
            ("../other.git", "https://host.example/org/other.git"),
            ("../../org2/x", "https://host.example/org2/x"),
            ("./sub", "https://host.example/org/repo/sub"),
            ("https://other.example/x", "https://other.example/x"),
        ] {
            assert_eq!(around.submodule(text).unwrap().as_str(), expected);
        }
        for text in [
            "/local",
            "git@host.example:a/b.git",
            "http://host.example/x",
            "../../../../../../x",
        ] {
            assert!(around.submodule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn commits_are_hex() {
        let commit = |text: &str| CommitName::try_from(text.to_owned());
        assert!(commit(&"a1".repeat(20)).is_ok() && commit(&"a1".repeat(32)).is_ok());
        for text in ["HEAD", "", &"A".repeat(40), &"a".repeat(39)] {
            assert_eq!(commit(text), Err(InvalidRepository::Commit));
        }
    }
}
