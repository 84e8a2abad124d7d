//! The files of a commit as a list, whose digest a lock names.

use std::collections::BTreeMap;

use content::Digest;

use crate::inputs::git::entry::{FILE, Mode};
use crate::inputs::git::path::SourcePath;
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

    /// Adds a file whose content has this digest.
    pub(super) fn add_digest(&mut self, path: String, mode: Mode, content: &Digest) {
        self.0.insert(path, (mode, content.hex()));
    }

    /// The list as bytes.
    pub(super) fn lines(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        for (path, (mode, content)) in &self.0 {
            let mode = bits(*mode);
            lines.extend(format!("{mode:o} {content} {path}\0").bytes());
        }
        lines
    }

    /// The digest, as [`crate::lock::repository::Repository::sha256`] defines it.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.lines())
    }
}

/// A line of a list.
pub(super) struct Line {
    pub(super) path: SourcePath,
    pub(super) mode: Mode,
    /// The digest of the content; that of nothing for a submodule.
    pub(super) content: Digest,
}

/// Parses the bytes of a list.
pub(super) fn lines(bytes: &[u8]) -> Option<Vec<Line>> {
    let text = str::from_utf8(bytes).ok()?;
    let lines = text.split_terminator('\0').map(|line| {
        let (mode, rest) = line.split_once(' ')?;
        let (content, path) = rest.split_once(' ')?;
        let mode = mode_of(u32::from_str_radix(mode, 8).ok()?)?;
        Some(Line {
            path: SourcePath::parse(path).ok()?,
            mode,
            content: match mode {
                Mode::Submodule => Digest::of(b""),
                _ => Digest::from_hex(content).ok()?,
            },
        })
    });
    lines.collect()
}

fn mode_of(found: u32) -> Option<Mode> {
    let all = [Mode::Plain, Mode::Executable, Mode::Link, Mode::Submodule];
    all.into_iter().find(|mode| bits(*mode) == found)
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
        let parsed = super::lines(lines.as_bytes()).unwrap();
        let parsed: Vec<_> = parsed
            .iter()
            .map(|line| (line.path.as_str(), line.mode, line.content))
            .collect();
        let expected = [
            ("a-b", Mode::Link, b),
            ("a/x", Mode::Executable, none),
            ("b", Mode::Plain, text),
            ("sub", Mode::Submodule, none),
        ];
        assert_eq!(parsed, expected);
    }

    #[test]
    fn other_lists_are_not_read() {
        let hex = Digest::of(b"").hex();
        for line in [
            "".to_owned(),
            "nonsense".to_owned(),
            format!("100600 {hex} a"),
            format!("100644 {hex} ../a"),
            format!("100644 {hex} /a"),
            format!("100644 {} a", &hex[1..]),
        ] {
            assert!(lines(format!("{line}\0").as_bytes()).is_none(), "{line}");
        }
    }
}
