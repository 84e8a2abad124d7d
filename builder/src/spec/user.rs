//! `[[user]]`: the users of the image, and owners of its files.

use oci::layer::Owner;
use serde::Deserialize;

/// Maximum size of a user's name, in bytes (useradd(8)).
const NAME: usize = 32;

/// A user, with a group of the same name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawUser")]
pub struct UserSpec {
    /// The name of the user and of the group.
    pub name: String,
    /// The numbers of both.
    pub owner: Owner,
    /// The home directory, which the image contains and the user owns.
    pub home: Option<String>,
}

/// The owner of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub enum OwnerSpec {
    /// The user with this name, and the user's group.
    User(String),
    /// A user and a group by their numbers.
    Numbers(Owner),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUser {
    name: String,
    uid: u32,
    gid: Option<u32>,
    home: Option<String>,
}

impl TryFrom<RawUser> for UserSpec {
    type Error = String;

    fn try_from(raw: RawUser) -> Result<Self, String> {
        let wrong = |fault: &str| format!("user {:?}: {fault}", raw.name);
        if !is_name(&raw.name) {
            return Err(wrong(
                "expected a name of lower-case letters, digits, - and _, which begins with a letter or _",
            ));
        }
        let gid = raw.gid.unwrap_or(raw.uid);
        let owner = Owner::new(raw.uid, gid).map_err(|error| wrong(&error.to_string()))?;
        if raw.name == "root" || owner.uid() == 0 || owner.gid() == 0 {
            return Err(wrong("root exists already, with the numbers 0"));
        }
        let is_path = |home: &String| {
            home.starts_with('/') && !home.contains(|c: char| c == ':' || c.is_control())
        };
        match raw.home.as_ref().is_none_or(is_path) {
            true => Ok(Self {
                name: raw.name,
                owner,
                home: raw.home,
            }),
            false => Err(wrong("home: expected an absolute path without a colon")),
        }
    }
}

/// Whether a name needs no quoting in `/etc/passwd` and commands, and is not a number (useradd(8)).
fn is_name(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    first && text.len() <= NAME && text.bytes().all(allowed)
}

impl TryFrom<String> for OwnerSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_name(&text) {
            return Ok(Self::User(text));
        }
        let numbers = text.split_once(':').and_then(|(uid, gid)| {
            let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let number = |text: &str| text.parse().ok().filter(|_| is_digits(text));
            Some((number(uid)?, number(gid)?))
        });
        let (uid, gid) = numbers.ok_or_else(|| {
            format!("owner: expected the name of a [[user]], or numbers as \"1000:1000\", found {text:?}")
        })?;
        let owner = Owner::new(uid, gid).map_err(|error| format!("owner: {error}"))?;
        Ok(Self::Numbers(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Result<UserSpec, String> {
        let parsed = content::toml::parse(text);
        parsed.map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_user_has_a_plain_name() {
        let app = user("name = 'app'\nuid = 1000").unwrap();
        assert_eq!(
            (app.owner.uid(), app.owner.gid(), app.home),
            (1000, 1000, None)
        );
        let named = "expected a name of lower-case letters, digits, - and _, which begins with a letter or _";
        let root = "root exists already, with the numbers 0";
        for (text, name, fault) in [
            ("name = '0'\nuid = 1", "0", named),
            ("name = 'a:b'\nuid = 1", "a:b", named),
            ("name = 'root'\nuid = 1", "root", root),
            ("name = 'a'\nuid = 0", "a", root),
            ("name = 'a'\nuid = 1\ngid = 0", "a", root),
            (
                "name = 'a'\nuid = 4294967295",
                "a",
                "4294967295 is not the number of a user or group: it is more than 2097151",
            ),
            (
                "name = 'a'\nuid = 1\nhome = 'home'",
                "a",
                "home: expected an absolute path without a colon",
            ),
        ] {
            assert_eq!(user(text).unwrap_err(), format!("user {name:?}: {fault}"));
        }
    }

    #[test]
    fn an_owner_is_a_name_or_two_numbers() {
        let owner = |text: &str| OwnerSpec::try_from(text.to_owned());
        assert_eq!(owner("app"), Ok(OwnerSpec::User("app".to_owned())));
        let numbers = OwnerSpec::Numbers(Owner::new(1, 2).unwrap());
        assert_eq!(owner("1:2"), Ok(numbers));
        for text in [
            "",
            "1",
            "1:",
            ":1",
            "+1:1",
            "app:app",
            "1:2:3",
            "99999999999:1",
        ] {
            assert!(
                owner(text).unwrap_err().starts_with("owner: expected"),
                "{text}"
            );
        }
    }
}
