//! A wheel, read and checked as a whole: its name and version are those of its file name, and each file has the digest of its
//! record. Nothing of it is run or written.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use content::{Digest, Hasher, LimitedReader};

use super::libraries;
use super::metadata::Metadata;
use super::record;
use crate::inputs::zip::{self, Limits, Mode};
use crate::lock::wheels::{WheelFile, WheelVersion};
use crate::untrusted::shown;

/// Limits on a wheel.
pub(super) const LIMITS: Limits = Limits {
    entries: 200_000,
    unpacked: 8 << 30,
};
/// Maximum size of a file that describes a wheel, in bytes.
const DESCRIPTION: u64 = 32 << 20;
/// Largest shared library whose needs are read, in bytes.
const LIBRARY: usize = 256 << 20;
/// The end of the folder with the description.
const INFO: &str = ".dist-info";
/// The end of the folder with files that belong elsewhere than modules.
const DATA: &str = ".data";
/// The files that a record does not list with a digest.
const UNRECORDED: [&str; 3] = ["RECORD", "RECORD.jws", "RECORD.p7s"];
/// The kinds of modules, which are one directory here.
const MODULES: [&str; 2] = ["purelib", "platlib"];
/// The sections of entry points that are commands.
const COMMANDS: [&str; 2] = ["[console_scripts]", "[gui_scripts]"];

/// A checked wheel.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    pub(super) metadata: Metadata,
    /// The version as the name of its folder has it.
    pub(super) version: WheelVersion,
    /// The commands that pip would make.
    pub(super) commands: Vec<String>,
    /// Files that pip would put elsewhere than modules.
    pub(super) elsewhere: Vec<String>,
    /// The shared libraries of known packages that its modules need, and that it does not have.
    pub(super) libraries: BTreeSet<String>,
    stem: String,
}

/// What was read of a wheel.
#[derive(Default)]
struct Seen {
    /// The name of the only folder with a description, without its end.
    stem: Option<String>,
    files: BTreeMap<String, (Digest, u64)>,
    descriptions: BTreeMap<String, Vec<u8>>,
    needed: BTreeSet<String>,
}

impl Opened {
    /// Reads a wheel with this name.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn of(file: &WheelFile, bytes: &[u8]) -> Result<Self, String> {
        let mut seen = Seen::default();
        let read = zip::each(bytes, LIMITS, &mut |found, content| match found.mode {
            Mode::Link => Err(io::Error::other("it is a symbolic link")),
            Mode::Plain | Mode::Program => seen.take(found.path, content),
        });
        read.map_err(|error| error.to_string())?;
        let stem = seen.stem()?;
        seen.check_format(&stem)?;
        seen.check_record(&stem)?;
        let metadata = seen.text(&stem, "METADATA")?.ok_or("it has no METADATA")?;
        let metadata = Metadata::parse(&metadata).map_err(|fault| format!("METADATA: {fault}"))?;
        let version = version(&stem, file, &metadata)?;
        Ok(Self {
            commands: seen.commands(&stem)?,
            elsewhere: seen.elsewhere(&stem),
            libraries: seen.libraries(),
            metadata,
            version,
            stem,
        })
    }

    /// Where a file is put, below the directory for modules; `None` if it is left out.
    pub(super) fn place<'a>(&self, path: &'a str) -> Option<&'a str> {
        place(&self.stem, path)
    }
}

fn place<'a>(stem: &str, path: &'a str) -> Option<&'a str> {
    let below = path
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix(DATA))
        .and_then(|rest| rest.strip_prefix('/'));
    let Some(below) = below else {
        return Some(path);
    };
    let (kind, rest) = below.split_once('/')?;
    MODULES.contains(&kind).then_some(rest)
}

/// The version in the name of the folder. Name and version there, in `METADATA` and in the file name are the same.
fn version(stem: &str, file: &WheelFile, metadata: &Metadata) -> Result<WheelVersion, String> {
    let (name, version) = stem.rsplit_once('-').unwrap_or((stem, ""));
    let named = crate::lock::wheels::ProjectName::written(name).ok();
    let version: WheelVersion = version
        .parse()
        .map_err(|error| format!("{stem}{INFO}: {error}"))?;
    let is_named =
        named.as_ref() == Some(&metadata.name) && file.project().as_ref() == Some(&metadata.name);
    let is_versioned = version.parsed().as_ref() == Some(&metadata.version)
        && file.version().as_ref() == Some(&metadata.version);
    match is_named && is_versioned {
        true => Ok(version),
        false => Err(format!(
            "expected name and version of its file name, found {} {} in METADATA of {}{INFO}",
            metadata.name,
            metadata.version,
            shown(stem)
        )),
    }
}

impl Seen {
    fn take(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        self.see_folder(path).map_err(io::Error::other)?;
        let mut hasher = Hasher::new();
        let mut size = 0;
        if is_description(path) {
            let mut bytes = Vec::new();
            LimitedReader::new(&mut *content, DESCRIPTION).read_to_end(&mut bytes)?;
            hasher.update(&bytes);
            size += bytes.len() as u64;
            self.descriptions.insert(path.to_owned(), bytes);
        } else if is_library(path) {
            let mut library = Library::default();
            size += io::copy(content, &mut Both(&mut hasher, &mut library))?;
            let library = elf::Program::parse(&library.0);
            let needed = library.iter().flat_map(elf::Program::needed);
            let known = needed.filter(|name| libraries::package(name).is_some());
            self.needed.extend(known);
        } else {
            size += io::copy(content, &mut hasher)?;
        }
        self.files.insert(path.to_owned(), (hasher.finish(), size));
        Ok(())
    }

    /// Refuses a second folder with a description, before anything of it is kept.
    fn see_folder(&mut self, path: &str) -> Result<(), String> {
        let folder = path.split_once('/').map(|(folder, _)| folder);
        let Some(other) = folder.and_then(|folder| folder.strip_suffix(INFO)) else {
            return Ok(());
        };
        match self.stem.get_or_insert_with(|| other.to_owned()) {
            stem if stem == other => Ok(()),
            stem => Err(format!(
                "it has two folders {}{INFO} and {}{INFO}",
                shown(stem),
                shown(other)
            )),
        }
    }

    fn stem(&self) -> Result<String, String> {
        let stem = self.stem.clone();
        stem.ok_or_else(|| format!("it has no folder NAME-VERSION{INFO}"))
    }

    fn text(&self, stem: &str, name: &str) -> Result<Option<String>, String> {
        let bytes = self.descriptions.get(&format!("{stem}{INFO}/{name}"));
        let text = bytes.map(|bytes| String::from_utf8(bytes.clone()));
        text.transpose().map_err(|_| format!("{name} is not UTF-8"))
    }

    fn check_format(&self, stem: &str) -> Result<(), String> {
        let text = self.text(stem, "WHEEL")?.ok_or("it has no file WHEEL")?;
        let version = text
            .lines()
            .find_map(|line| line.strip_prefix("Wheel-Version:"));
        match version.map(str::trim) {
            Some(version) if version.starts_with("1.") => Ok(()),
            version => Err(format!(
                "expected version 1 of the format of wheels, found {}",
                shown(version.unwrap_or("none"))
            )),
        }
    }

    /// Checks that each file is recorded with its digest.
    fn check_record(&self, stem: &str) -> Result<(), String> {
        let text = self.text(stem, "RECORD")?.ok_or("it has no RECORD")?;
        let recorded = record::parse(&text).map_err(|fault| format!("RECORD: {fault}"))?;
        let unrecorded = UNRECORDED.map(|name| format!("{stem}{INFO}/{name}"));
        let files = self.files.iter();
        for (path, (digest, size)) in files.filter(|(path, _)| !unrecorded.contains(path)) {
            let named = shown(path);
            let one = recorded
                .get(path)
                .ok_or_else(|| format!("{named} is not in its RECORD"))?;
            let sha256 = one
                .sha256
                .ok_or_else(|| format!("{named} has no digest in its RECORD"))?;
            if sha256 != *digest || one.size.is_some_and(|recorded| recorded != *size) {
                return Err(format!(
                    "{named}: expected {sha256}, as RECORD has, found {digest}"
                ));
            }
        }
        Ok(())
    }

    /// The commands of entry points, and scripts.
    fn commands(&self, stem: &str) -> Result<Vec<String>, String> {
        let mut commands = Vec::new();
        let mut is_command = false;
        let text = self.text(stem, "entry_points.txt")?.unwrap_or_default();
        for line in text.lines().map(str::trim) {
            match line.split_once('=') {
                _ if line.starts_with('[') => is_command = COMMANDS.contains(&line),
                Some((name, _)) if is_command => commands.push(name.trim().to_owned()),
                _ => {}
            }
        }
        let scripts = format!("{stem}{DATA}/scripts/");
        let scripts = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&scripts));
        commands.extend(scripts.map(str::to_owned));
        Ok(commands)
    }

    /// What is needed of the system: wheels bring other libraries themselves.
    fn libraries(&self) -> BTreeSet<String> {
        let paths = self.files.keys();
        let own: BTreeSet<_> = paths.filter_map(|path| path.rsplit('/').next()).collect();
        let needed = self.needed.iter();
        let needed = needed.filter(|library| !own.contains(library.as_str()));
        needed.cloned().collect()
    }

    fn elsewhere(&self, stem: &str) -> Vec<String> {
        let scripts = format!("{stem}{DATA}/scripts/");
        let files = self.files.keys();
        let files = files.filter(|path| place(stem, path).is_none() && !path.starts_with(&scripts));
        files.cloned().collect()
    }
}

fn is_description(path: &str) -> bool {
    let described = ["METADATA", "WHEEL", "RECORD", "entry_points.txt"];
    path.split_once('/')
        .is_some_and(|(folder, name)| folder.ends_with(INFO) && described.contains(&name))
}

fn is_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".so") || name.contains(".so.")
}

/// The bytes of a shared library, or the first of a very large one.
#[derive(Default)]
struct Library(Vec<u8>);

/// Both get the same bytes.
struct Both<'a>(&'a mut Hasher, &'a mut Library);

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        let kept = &mut self.1.0;
        let left = LIBRARY.saturating_sub(kept.len());
        kept.extend(&bytes[..bytes.len().min(left)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_description_is_not_read() {
        let mut seen = Seen::default();
        seen.take("a-1.dist-info/METADATA", &mut &b"x"[..]).unwrap();
        seen.take("a/b", &mut &b"x"[..]).unwrap();
        let mut unread = &b"x"[..];
        let refused = seen.take("b-1.dist-info/METADATA", &mut unread);
        let expected = "it has two folders a-1.dist-info and b-1.dist-info";
        assert_eq!(refused.unwrap_err().to_string(), expected);
        assert_eq!((unread, seen.descriptions.len()), (&b"x"[..], 1));
    }
}
