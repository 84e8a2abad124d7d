//! The version of the compiler that builds, of a package or an archive, and the one that the source asks for.

use std::fs::{self, DirEntry, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use console::hint::Hinted;

use crate::at::At;
use crate::inputs::git::{self, Configuration};
use crate::lock::crates::Named;
use crate::lock::packages::Package;
use crate::untrusted::shown;

/// Debian's packages of rustc.
const PACKAGES: [&str; 2] = ["rustc", "rustc-web"];

/// Most crates that a note names.
const NAMED: usize = 8;
/// Where rustc is in an archive, and where the libraries for each target are.
const RUSTC: &str = "bin/rustc";
const TARGETS: &str = "lib/rustlib";
/// How many bytes of a library are read. Its metadata begins after the names of its symbols.
const BEGINNING: u64 = 4 << 20;
/// What is before the version of the compiler in the metadata of a library.
const MADE_BY: &[u8] = b"rustc ";

/// The version of rustc, as `1.96.0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Compiler {
    version: [u32; 3],
    place: Place,
}

/// Where a compiler comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Packages,
    Archive,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Packages => "[root]",
            Self::Archive => "[[archive]]",
        }
    }

    /// What the user can do if the compiler is too old.
    fn hint(self) -> &'static str {
        match self {
            Self::Packages => {
                "choose a newer compiler in [root] of Image.toml: another suite, as suite = \"trixie\", or an [[archive]]"
            }
            Self::Archive => "name the archive of a newer release in [[archive]] of Image.toml",
        }
    }
}

impl Compiler {
    /// That of the archives, by their folders, if one of them has a compiler, or else that of a build root with these packages.
    /// `None` if it comes from elsewhere, or an archive does not show its version.
    ///
    /// # Errors
    /// An unpacked archive cannot be read.
    pub(super) fn find(archives: &[PathBuf], packages: &[Package]) -> Result<Option<Self>, At> {
        let programs = archives.iter().map(|folder| folder.join(RUSTC));
        let mut is_in_archive = false;
        for program in programs {
            is_in_archive |= program.try_exists().map_err(At::reading(&program))?;
        }
        if !is_in_archive {
            return Ok(Self::of(packages));
        }
        // The compiler and its libraries may be in two archives.
        for folder in archives {
            let found = Self::of_archive(folder).map_err(At::reading(folder))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn of(packages: &[Package]) -> Option<Self> {
        let is_rustc = |package: &&Package| PACKAGES.contains(&package.name.as_str());
        let package = packages.iter().find(is_rustc)?;
        let upstream = package.version.split(['+', '~', '-']).next()?;
        let (version, place) = (parse(upstream)?, Place::Packages);
        Some(Self { version, place })
    }

    /// The compiler that made the standard library in an archive, which works with no other one.
    fn of_archive(folder: &Path) -> io::Result<Option<Self>> {
        for target in entries(&folder.join(TARGETS))? {
            for library in entries(&target.path().join("lib"))? {
                if is_core(&library.file_name().to_string_lossy())
                    && let Some(version) = made_by(&library.path())?
                {
                    let place = Place::Archive;
                    return Ok(Some(Self { version, place }));
                }
            }
        }
        Ok(None)
    }

    /// Whether it is at least the version `required`, as `1.85` (The Cargo Book, "rust-version"). True for other text.
    pub(super) fn is_at_least(&self, required: &str) -> bool {
        parse(required).is_none_or(|required| self.version >= required)
    }

    /// Checks that it is at least the version that a package needs.
    ///
    /// # Errors
    /// It is older.
    pub(super) fn check(&self, required: &str) -> Result<(), Hinted> {
        match self.is_at_least(required) {
            true => Ok(()),
            false => Err(Hinted::new(format_args!(
                "reading Cargo.toml: the package needs Rust {} (rust-version), and {} has {self}",
                shown(required),
                self.place.name()
            ))
            .hinting(self.place.hint())),
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
                "note: {} has {self}, and crates of Cargo.lock need a newer one: {}{more}; if the program uses them, choose a newer \
                 compiler, or older versions of them with `cargo update NAME --precise VERSION`",
                self.place.name(),
                named.join(", ")
            )
        })
    }

    /// What to tell a user whose source asks for another compiler by a file of rustup.
    pub(super) fn unlike(&self, found: &[Configuration]) -> Option<String> {
        let (channel, path) = git::toolchain(found)?;
        let is_same = match parse(channel) {
            Some(wanted) if channel.split('.').count() == 2 => wanted[..2] == self.version[..2],
            Some(wanted) => wanted == self.version,
            None => channel == "stable",
        };
        let (channel, path) = (shown(channel), shown(path));
        let place = self.place.name();
        (!is_same).then(|| {
            format!(
                "note: {path} asks for Rust {channel}; the image is built by {self}, of {place}"
            )
        })
    }
}

/// What a folder has; nothing if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(Vec::new()),
        found => found?.collect(),
    }
}

/// A version of two or three numbers.
fn parse(text: &str) -> Option<[u32; 3]> {
    let mut version = [0; 3];
    let parts: Vec<_> = text.split('.').collect();
    for (place, part) in version.iter_mut().zip(&parts) {
        *place = part.parse().ok()?;
    }
    (2..=3).contains(&parts.len()).then_some(version)
}

/// Whether a file is the library `core`, which every target has.
fn is_core(name: &str) -> bool {
    name.starts_with("libcore-") && [".rlib", ".rmeta"].iter().any(|end| name.ends_with(end))
}

/// The version of the compiler that made a library, as the header of its metadata names it.
fn made_by(library: &Path) -> io::Result<Option<[u32; 3]>> {
    let mut bytes = Vec::new();
    File::open(library)?
        .take(BEGINNING)
        .read_to_end(&mut bytes)?;
    let starts = bytes.windows(MADE_BY.len()).enumerate();
    let mut starts = starts.filter(|(_, part)| *part == MADE_BY);
    Ok(starts.find_map(|(start, _)| {
        let rest = &bytes[start + MADE_BY.len()..];
        let is_part = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        let end = rest.iter().position(|byte| !is_part(byte))?;
        parse(std::str::from_utf8(&rest[..end]).ok()?)
    }))
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

    fn compiler(text: &str) -> Compiler {
        Compiler {
            version: parse(text).unwrap(),
            place: Place::Packages,
        }
    }

    /// The library of the compiler that runs this test.
    #[test]
    fn reads_the_version_of_an_archives_compiler() {
        let rustc = std::process::Command::new("rustc");
        let ask = |mut rustc: std::process::Command, what: &[&str]| {
            let said = rustc.args(what).output().unwrap().stdout;
            String::from_utf8(said).unwrap().trim().to_owned()
        };
        let sysroot = ask(rustc, &["--print", "sysroot"]);
        let version = ask(std::process::Command::new("rustc"), &["--version"]);
        let expected = version.split([' ', '-']).nth(1).unwrap();
        let mut package = crate::lock::tests::lock().packages[0].clone();
        package.name = "rustc".to_owned();
        package.version = "1.1.0".to_owned();
        let found = Compiler::find(&[sysroot.into()], &[package.clone()]).unwrap();
        let found = found.unwrap();
        assert_eq!(found.to_string(), format!("rustc {expected}"));
        let refused = found.check("1000.0").unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with(&format!("[[archive]] has {found}")),
            "{refused}"
        );
        // Another archive has no compiler, or one that does not show its version.
        let folder = tempfile::tempdir().unwrap();
        let archives = [folder.path().to_owned()];
        let of_packages = Compiler::find(&archives, &[package.clone()]).unwrap();
        let of_packages = of_packages.unwrap();
        assert_eq!(of_packages.to_string(), "rustc 1.1.0");
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::write(folder.path().join(RUSTC), "").unwrap();
        assert_eq!(Compiler::find(&archives, &[package.clone()]).unwrap(), None);
        // What cannot be read is not what does not exist.
        let libraries = folder.path().join(TARGETS);
        fs::create_dir_all(libraries.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("rustlib", &libraries).unwrap();
        let unread = Compiler::find(&archives, &[package]).unwrap_err();
        assert!(unread.to_string().starts_with("reading "), "{unread}");
    }

    #[test]
    fn only_a_version_after_the_name_counts() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libcore-0.rlib");
        fs::write(
            &library,
            "rustc internal\0rustc 1.90.0-nightly (0 2025-09-14)",
        )
        .unwrap();
        assert_eq!(made_by(&library).unwrap(), Some([1, 90, 0]));
        fs::write(&library, "rustc 1.").unwrap();
        assert_eq!(made_by(&library).unwrap(), None);
    }

    #[test]
    fn crates_for_newer_compilers_are_named() {
        let compiler = compiler("1.85.0");
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
        let compiler = compiler("1.96.0");
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
