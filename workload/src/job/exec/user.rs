//! The user of the program.

use std::str::FromStr;

/// A user and a group other than root, by number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct User {
    /// The user ID.
    pub uid: u32,
    /// The group ID.
    pub gid: u32,
}

/// A text that is not a user.
#[derive(Debug, thiserror::Error)]
#[error(
    "user: expected UID:GID, two numbers other than 0 (root could use the launcher's token socket)"
)]
pub struct InvalidUser;

impl Default for User {
    /// The user that images without one of their own use.
    fn default() -> Self {
        Self {
            uid: 65532,
            gid: 65532,
        }
    }
}

/// Parses `UID:GID`. A container has no database of names that both parties would have agreed on.
impl FromStr for User {
    type Err = InvalidUser;

    fn from_str(text: &str) -> Result<Self, InvalidUser> {
        let (uid, gid) = text.split_once(':').ok_or(InvalidUser)?;
        let number = |text: &str| match text.parse() {
            // setuid(2) takes the largest number for "no change".
            Ok(0 | u32::MAX) | Err(_) => Err(InvalidUser),
            Ok(number) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(number),
            Ok(_) => Err(InvalidUser),
        };
        Ok(Self {
            uid: number(uid)?,
            gid: number(gid)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_root() {
        let user: User = "1000:100".parse().unwrap();
        assert_eq!((user.uid, user.gid), (1000, 100));
        for text in [
            "0:0",
            "0:1000",
            "1000:0",
            "1000",
            "root",
            "1000:",
            "+1:+1",
            "4294967295:1",
            "4294967296:1",
            "1:1:1",
            "",
        ] {
            assert!(text.parse::<User>().is_err(), "{text}");
        }
    }
}
