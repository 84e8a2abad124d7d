//! The files that name the users of an image, and their home directories.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use console::hint::Hinted;
use oci::layer::{Attributed, Attributes, Content, Entry, Executable, Kind, Owner};

use crate::spec::{OwnerSpec, UserSpec};

/// The users of an image, by name. There is always root.
pub(super) struct Accounts<'a>(&'a [UserSpec]);

impl<'a> Accounts<'a> {
    /// The accounts of these users.
    ///
    /// # Errors
    /// Two users have the same name or number.
    pub(super) fn of(users: &'a [UserSpec]) -> Result<Self, Hinted> {
        for (index, one) in users.iter().enumerate() {
            let same =
                |other: &&UserSpec| one.name == other.name || one.owner.uid() == other.owner.uid();
            if let Some(other) = users[..index].iter().find(same) {
                let (one, other) = (&one.name, &other.name);
                let twice = format_args!("users {other} and {one} have the same name or uid");
                return Err(Hinted::new(twice).hinting("give each [[user]] its own name and uid"));
            }
        }
        Ok(Self(users))
    }

    /// The owner that a file names.
    ///
    /// # Errors
    /// There is no such user.
    pub(super) fn owner(&self, named: &OwnerSpec) -> Result<Owner, Hinted> {
        match named {
            OwnerSpec::Numbers(owner) => Ok(*owner),
            OwnerSpec::User(name) if name == "root" => Ok(Owner::default()),
            OwnerSpec::User(name) => {
                let found = self.0.iter().find(|user| user.name == *name);
                let missing = || {
                    Hinted::new(format_args!("owner {name} is no user of the image"))
                        .hinting("add a [[user]] with that name, or write numbers as \"1000:1000\"")
                };
                found.map(|user| user.owner).ok_or_else(missing)
            }
        }
    }

    /// Whether the image gets files with its users.
    pub(super) fn are_listed(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a user or group has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        name == "root" || self.0.iter().any(|user| user.name == name)
    }

    /// `/etc/passwd`, `/etc/group` and the home directories; nothing if there is no user.
    ///
    /// # Errors
    /// A home directory is not a plain path.
    pub(super) fn entries(&self) -> Result<Vec<Attributed>, Hinted> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for (path, text) in [("etc/passwd", self.passwd()), ("etc/group", self.group())] {
            let kind = Kind::File {
                content: Content::Bytes(text.into_bytes()),
                executable: Executable::No,
            };
            entries.push(entry(path, kind, Owner::default())?);
        }
        for user in self.0 {
            if let Some(home) = &user.home {
                entries.push(entry(home, Kind::Directory, user.owner)?);
            }
        }
        Ok(entries)
    }

    /// passwd(5), by number. No user has a password or, without a program that reads this, a shell.
    fn passwd(&self) -> String {
        let mut users: Vec<_> = self.0.iter().collect();
        users.sort_by_key(|user| user.owner.uid());
        let mut text = "root:x:0:0:root:/root:/sbin/nologin\n".to_owned();
        for user in users {
            let (name, home) = (&user.name, user.home.as_deref().unwrap_or("/"));
            let (uid, gid) = (user.owner.uid(), user.owner.gid());
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}:x:{uid}:{gid}::{home}:/sbin/nologin");
        }
        text
    }

    /// group(5), by number. A group that several users share has the name of the first.
    fn group(&self) -> String {
        let mut groups = BTreeMap::from([(0, "root")]);
        for user in self.0 {
            groups.entry(user.owner.gid()).or_insert(&user.name);
        }
        let lines = groups
            .iter()
            .map(|(gid, name)| format!("{name}:x:{gid}:\n"));
        lines.collect()
    }
}

fn entry(path: &str, kind: Kind, owner: Owner) -> Result<Attributed, Hinted> {
    let path = path.parse().map_err(Hinted::from_error)?;
    let attributes = Attributes { owner, mode: None };
    Ok(Attributed {
        entry: Entry { path, kind },
        attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, uid: u32, gid: u32, home: Option<&str>) -> UserSpec {
        UserSpec {
            name: name.to_owned(),
            owner: Owner::new(uid, gid).unwrap(),
            home: home.map(str::to_owned),
        }
    }

    #[test]
    fn users_are_in_passwd_and_group() {
        let users = [
            user("web", 2000, 1000, None),
            user("app", 1000, 1000, Some("/home/app")),
        ];
        let accounts = Accounts::of(&users).unwrap();
        let entries = accounts.entries().unwrap();
        let text = |index: usize| match &entries[index].entry.kind {
            Kind::File {
                content: Content::Bytes(bytes),
                ..
            } => String::from_utf8(bytes.clone()).unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            text(0),
            "root:x:0:0:root:/root:/sbin/nologin\napp:x:1000:1000::/home/app:/sbin/nologin\n\
             web:x:2000:1000::/:/sbin/nologin\n"
        );
        assert_eq!(text(1), "root:x:0:\nweb:x:1000:\n");
        let home = &entries[2];
        assert_eq!(home.entry.path.as_str(), "home/app");
        assert_eq!(home.attributes.owner, Owner::new(1000, 1000).unwrap());
        assert!(Accounts::of(&[]).unwrap().entries().unwrap().is_empty());
    }

    #[test]
    fn names_and_numbers_are_unique() {
        for other in [user("app", 2, 2, None), user("other", 1, 2, None)] {
            let users = [user("app", 1, 1, None), other];
            let Err(error) = Accounts::of(&users) else {
                panic!("{users:?}");
            };
            assert!(
                error.to_string().ends_with("have the same name or uid"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_owner_is_a_user_of_the_image() {
        let users = [user("app", 1, 2, None)];
        let accounts = Accounts::of(&users).unwrap();
        let owner = |name: &str| accounts.owner(&OwnerSpec::User(name.to_owned()));
        assert_eq!(owner("app").unwrap(), Owner::new(1, 2).unwrap());
        assert_eq!(owner("root").unwrap(), Owner::default());
        let error = owner("web").unwrap_err().to_string();
        assert_eq!(error, "owner web is no user of the image");
    }
}
