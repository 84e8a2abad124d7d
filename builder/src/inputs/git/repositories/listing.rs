//! The files of a commit as a list, whose digest a lock names.

use std::collections::BTreeMap;

use content::{Digest, Hasher};

use crate::inputs::git::entry::{FILE, Mode};
use crate::lock::repository::Submodule;

/// Paths with their modes and contents.
#[derive(Default)]
pub(super) struct Listing(BTreeMap<String, (Mode, String)>);

impl Listing {
    /// A listing of submodules, which have no files.
    pub(super) fn of(submodules: &BTreeMap<String, Submodule>) -> Self {
        let lines = submodules.iter().map(|(path, submodule)| {
            let content = submodule.commit.as_str().to_owned();
            (path.clone(), (Mode::Submodule, content))
        });
        Self(lines.collect())
    }

    /// Adds a file, or a link with its target as content.
    pub(super) fn add(&mut self, path: String, mode: Mode, content: &[u8]) {
        self.0.insert(path, (mode, Digest::of(content).hex()));
    }

    /// The digest, as [`crate::lock::repository::Repository::sha256`] defines it.
    pub(super) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        for (path, (mode, content)) in &self.0 {
            let mode = bits(*mode);
            hasher.update(format!("{mode:o} {content} {path}\0").as_bytes());
        }
        hasher.finish()
    }
}

/// The mode as git has it in a tree.
fn bits(mode: Mode) -> u32 {
    match mode {
        Mode::Plain | Mode::Executable => FILE | mode.bits(),
        Mode::Link | Mode::Submodule => mode.bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_over_the_lines_of_git() {
        let submodule = Submodule {
            url: "https://x".to_owned().try_into().unwrap(),
            commit: "a1".repeat(20).try_into().unwrap(),
        };
        let mut listing = Listing::of(&[("sub".to_owned(), submodule)].into());
        listing.add("b".to_owned(), Mode::Plain, b"text");
        listing.add("a/x".to_owned(), Mode::Executable, b"");
        listing.add("a-b".to_owned(), Mode::Link, b"b");
        let (text, none, b) = (Digest::of(b"text"), Digest::of(b""), Digest::of(b"b"));
        let lines = format!(
            "120000 {} a-b\0100755 {} a/x\0100644 {} b\0160000 {} sub\0",
            b.hex(),
            none.hex(),
            text.hex(),
            "a1".repeat(20)
        );
        assert_eq!(listing.digest(), Digest::of(lines.as_bytes()));
    }
}
