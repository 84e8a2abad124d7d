//! What an image contains.

use std::collections::BTreeSet;

use super::{FileSpec, Origin, RuntimeSpec, UserSpec, WheelsSpec, wheels};

/// What an image contains.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parts {
    /// The Debian packages.
    pub runtime: RuntimeSpec,
    /// The Python packages.
    pub wheels: Vec<WheelsSpec>,
    /// The users.
    pub users: Vec<UserSpec>,
    /// The files.
    pub files: Vec<FileSpec>,
}

impl Parts {
    /// The names of the compiled programs among the files.
    pub fn binaries(&self) -> BTreeSet<&str> {
        let files = self.files.iter().filter_map(|file| match &file.origin {
            Origin::Binary(name) => Some(name.as_str()),
            _ => None,
        });
        files.collect()
    }

    /// These parts, and those of one image after them.
    ///
    /// # Errors
    /// Two `[[wheels]]` have one directory.
    pub(super) fn and(&self, own: Self) -> Result<Self, String> {
        fn joined<T: Clone>(shared: &[T], own: Vec<T>) -> Vec<T> {
            shared.iter().cloned().chain(own).collect()
        }
        let all = Self {
            runtime: RuntimeSpec {
                packages: joined(&self.runtime.packages, own.runtime.packages),
                exclude: joined(&self.runtime.exclude, own.runtime.exclude),
            },
            wheels: joined(&self.wheels, own.wheels),
            users: joined(&self.users, own.users),
            files: joined(&self.files, own.files),
        };
        wheels::check(&all.wheels)?;
        Ok(all)
    }
}
