//! The path of a package in its archive. It becomes part of a URL, and a lock is untrusted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Maximum size of a path, in bytes; more than any archive has.
const LENGTH: usize = 1024;

/// A path below the archive's root that does not leave it (Debian repository format, `Filename`).
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArchivePath(String);

/// Text that is not such a path.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("parsing package: expected a path below the archive, found {0:?}")]
pub struct InvalidPath(String);

impl ArchivePath {
    /// The path after the archive's address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArchivePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        match text.len() <= LENGTH && text.split('/').all(is_name) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidPath(text.chars().take(LENGTH).collect())),
        }
    }
}

/// Whether a part of a path means the same in a URL, where `%2e` is a dot.
fn is_name(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\".contains(&byte);
    let read = part.to_ascii_lowercase().replace("%2e", ".");
    part.bytes().all(plain) && !matches!(read.as_str(), "" | "." | "..")
}

impl TryFrom<String> for ArchivePath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        text.parse()
    }
}

impl From<ArchivePath> for String {
    fn from(path: ArchivePath) -> Self {
        path.0
    }
}

impl fmt::Display for ArchivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_the_archive() {
        for path in [
            "pool/main/g/gcc-12/libstdc++6_12.2.0-14~deb12u1_amd64.deb",
            "pool/a%3a1..deb",
        ] {
            assert_eq!(path.parse::<ArchivePath>().unwrap().as_str(), path);
        }
        for path in [
            "", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a/%2E./b", "a?b", "a#b", "a\\b",
            "a b", "ä",
        ] {
            let InvalidPath(found) = path.parse::<ArchivePath>().unwrap_err();
            assert_eq!(found, path);
        }
        let long = "a".repeat(LENGTH + 1);
        let InvalidPath(found) = long.parse::<ArchivePath>().unwrap_err();
        assert_eq!(found, long[1..]);
    }
}
