//! The files of a commit as a list, whose digest a lock names.

use std::collections::BTreeMap;

use content::{Digest, Hasher};

use crate::lock::repository::Submodule;

/// Modes of git.
const PLAIN: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;
pub(super) const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// Paths with their modes and contents.
#[derive(Default)]
pub(super) struct Listing(BTreeMap<String, (u32, String)>);

impl Listing {
    /// A listing of submodules, which have no files.
    pub(super) fn of(submodules: &BTreeMap<String, Submodule>) -> Self {
        let lines = submodules.iter().map(|(path, submodule)| {
            let content = submodule.commit.as_str().to_owned();
            (path.clone(), (SUBMODULE, content))
        });
        Self(lines.collect())
    }

    pub(super) fn add_file(&mut self, path: String, is_executable: bool, bytes: &[u8]) {
        let mode = match is_executable {
            true => EXECUTABLE,
            false => PLAIN,
        };
        self.0.insert(path, (mode, Digest::of(bytes).hex()));
    }

    pub(super) fn add_link(&mut self, path: String, target: &[u8]) {
        self.0.insert(path, (LINK, Digest::of(target).hex()));
    }

    /// The digest, as [`crate::lock::repository::Repository::sha256`] defines it.
    pub(super) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        for (path, (mode, content)) in &self.0 {
            hasher.update(format!("{mode:o} {content} {path}\0").as_bytes());
        }
        hasher.finish()
    }
}
