//! The names of git's objects. A name is the digest of the object's kind, size and bytes. git checks the name when it
//! receives an object, but not when it reads one from its object folder.

use std::fmt;
use std::str::FromStr;

use content::Hasher;
use sha1_checked::{Digest as _, Sha1};

/// The kind of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
}

impl Kind {
    /// The kind as git spells it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
        }
    }
}

/// The name of an object, in the repository's object format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ObjectName {
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

impl ObjectName {
    /// The name in this many bytes; `None` for a length that no object format has.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let sha1 = bytes.try_into().map(Self::Sha1);
        sha1.or_else(|_| bytes.try_into().map(Self::Sha256)).ok()
    }

    /// Number of bytes.
    pub(super) fn length(&self) -> usize {
        self.bytes().len()
    }

    /// Whether it is the name of these bytes; always false if the bytes were made to cause a collision of SHA-1.
    pub(super) fn is_of(&self, kind: Kind, bytes: &[u8]) -> bool {
        let head = format!("{} {}\0", kind.word(), bytes.len());
        match self {
            Self::Sha1(name) => {
                let mut hasher = Sha1::new();
                hasher.update(head.as_bytes());
                hasher.update(bytes);
                let result = hasher.try_finalize();
                !result.has_collision() && result.hash()[..] == name[..]
            }
            Self::Sha256(name) => {
                let mut hasher = Hasher::new();
                hasher.update(head.as_bytes());
                hasher.update(bytes);
                hasher.finish().as_bytes() == name
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(name) => name,
            Self::Sha256(name) => name,
        }
    }
}

/// Text that is not 40 or 64 lower-case hex digits.
#[derive(Debug)]
pub(super) struct InvalidName;

impl FromStr for ObjectName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidName);
        }
        let bytes = hex::decode(text).map_err(|_| InvalidName)?;
        Self::from_bytes(&bytes).ok_or(InvalidName)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that `git hash-object` gives an empty blob, and `git mktree` an empty tree.
    #[test]
    fn names_are_those_of_git() {
        for (kind, name) in [
            (Kind::Blob, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (Kind::Tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
            (
                Kind::Blob,
                "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
            ),
        ] {
            let parsed: ObjectName = name.parse().unwrap();
            assert_eq!(parsed.to_string(), name);
            assert!(parsed.is_of(kind, b""), "{name}");
            assert!(!parsed.is_of(kind, b"x"), "{name}");
            assert!(!parsed.is_of(Kind::Commit, b""), "{name}");
        }
    }

    #[test]
    fn other_text_is_not_a_name() {
        for text in [
            "",
            "HEAD",
            &"a".repeat(41),
            &"A".repeat(40),
            &"g".repeat(64),
        ] {
            let refused = text.parse::<ObjectName>();
            assert!(matches!(refused, Err(InvalidName)), "{text}");
        }
    }
}
