//! The version of the compiler in a build root, and the one that the source asks for.

use console::hint::Hinted;

use crate::inputs::git::{self, Configuration};
use crate::lock::crates::Named;
use crate::lock::packages::Package;
use crate::untrusted::shown;

/// Debian's packages of rustc.
const PACKAGES: [&str; 2] = ["rustc", "rustc-web"];

/// Most crates that a note names.
const NAMED: usize = 8;

/// The version of rustc, as `1.96.0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Compiler {
    version: [u32; 3],
}

impl Compiler {
    /// That of a build root with these packages; `None` if it comes from elsewhere.
    pub(super) fn of(packages: &[Package]) -> Option<Self> {
        let is_rustc = |package: &&Package| PACKAGES.contains(&package.name.as_str());
        let package = packages.iter().find(is_rustc)?;
        let upstream = package.version.split(['+', '~', '-']).next()?;
        Self::parse(upstream)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut version = [0; 3];
        let parts: Vec<_> = text.split('.').collect();
        for (place, part) in version.iter_mut().zip(&parts) {
            *place = part.parse().ok()?;
        }
        (2..=3).contains(&parts.len()).then_some(Self { version })
    }

    /// Whether it is at least the version `required`, as `1.85` (The Cargo Book, "rust-version"). True for other text.
    pub(super) fn is_at_least(&self, required: &str) -> bool {
        Self::parse(required).is_none_or(|required| self.version >= required.version)
    }

    /// Checks that it is at least the version that a package needs.
    ///
    /// # Errors
    /// It is older.
    pub(super) fn check(&self, required: &str) -> Result<(), Hinted> {
        match self.is_at_least(required) {
            true => Ok(()),
            false => Err(Hinted::new(format_args!(
                "reading Cargo.toml: the package needs Rust {} (rust-version), and [root] has {self}",
                shown(required)
            ))
            .hinting("choose a newer compiler in [root] of Image.toml: another suite, as suite = \"trixie\", or an [[archive]]")),
        }
    }

    /// What to tell a user whose `Cargo.lock` has crates for newer compilers. It is no error: the program may not use them.
    pub(super) fn older_than(&self, crates: &[(Named, String)]) -> Option<String> {
        let newer = crates
            .iter()
            .filter(|(_, required)| !self.is_at_least(required));
        let newer: Vec<_> = newer
            .map(|(one, required)| format!("{one} (Rust {})", shown(required)))
            .collect();
        let more = match newer.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<_> = newer.iter().take(NAMED).map(String::as_str).collect();
        (!newer.is_empty()).then(|| {
            format!(
                "note: [root] has {self}, and crates of Cargo.lock need a newer one: {}{more}; if the program uses them, choose a newer \
                 compiler, or older versions of them with `cargo update NAME --precise VERSION`",
                named.join(", ")
            )
        })
    }

    /// What to tell a user whose source asks for another compiler by a file of rustup.
    pub(super) fn unlike(&self, found: &[Configuration]) -> Option<String> {
        let (channel, path) = git::toolchain(found)?;
        let wanted = Self::parse(channel);
        let is_same = match &wanted {
            Some(wanted) if channel.split('.').count() == 2 => {
                wanted.version[..2] == self.version[..2]
            }
            Some(wanted) => wanted == self,
            None => channel == "stable",
        };
        let (channel, path) = (shown(channel), shown(path));
        (!is_same).then(|| {
            format!("note: {path} asks for Rust {channel}; the image is built by {self}, of the packages of [root]")
        })
    }
}

impl std::fmt::Display for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, patch] = self.version;
        write!(f, "rustc {major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_debians_package() {
        let mut package = crate::lock::tests::lock().packages[0].clone();
        package.name = "rustc-web".to_owned();
        package.version = "1.85.0+dfsg3-1~deb12u3".to_owned();
        let found = Compiler::of(std::slice::from_ref(&package)).unwrap();
        assert_eq!(found.to_string(), "rustc 1.85.0");
        package.name = "gcc-12".to_owned();
        assert_eq!(Compiler::of(&[package]), None);
    }

    #[test]
    fn crates_for_newer_compilers_are_named() {
        let compiler = Compiler::parse("1.85.0").unwrap();
        let one = |name: &str, required: &str| {
            let named = Named {
                name: name.parse().unwrap(),
                version: "1.0.0".parse().unwrap(),
                sha256: content::Digest::of(b""),
            };
            (named, required.to_owned())
        };
        assert_eq!(
            compiler.older_than(&[one("a", "1.85"), one("b", "1.60")]),
            None
        );
        let note = compiler
            .older_than(&[one("a", "1.85"), one("b", "1.87")])
            .unwrap();
        assert!(
            note.contains("need a newer one: b 1.0.0 (Rust 1.87); if"),
            "{note}"
        );
    }

    #[test]
    fn versions_are_compared_by_number() {
        let compiler = Compiler::parse("1.96.0").unwrap();
        for (required, expected) in [
            ("1.96", true),
            ("1.9.1", true),
            ("1.96.1", false),
            ("1.100", false),
            ("2.0", false),
            ("nightly", true),
        ] {
            assert_eq!(compiler.is_at_least(required), expected, "{required}");
        }
    }
}
