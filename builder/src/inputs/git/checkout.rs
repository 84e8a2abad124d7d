//! Checks whether the working tree is clean for git. Configuration and attributes may allow other modes, line endings or
//! encodings than those that were committed.
//!
//! `git status` runs programs that the repository names: filters, a file system monitor, hooks. So it is run with a
//! temporary git folder, which has the repository's index, objects, attributes and ignored patterns, and the settings that
//! define how files are compared, and which names no programs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use scratch::Scratch;

use super::error::SourceError;
use super::filtered;
use super::path::path_of;
use crate::host;

/// Settings that define how git compares files, and where it finds lists of patterns (git-config(1), "core").
const COMPARING: [&str; 10] = [
    "core.attributesfile",
    "core.autocrlf",
    "core.checkstat",
    "core.eol",
    "core.excludesfile",
    "core.filemode",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.trustctime",
];
/// Files of the repository's git folder that are used unchanged.
const READ: [&str; 3] = ["index", "info/attributes", "info/exclude"];
/// Prefix of the files with the shared part of a split index (git-update-index(1), "Split index").
const SHARED_INDEX: &str = "sharedindex.";

/// The status of a file that differs from the index, but not between index and commit.
const MODIFIED: &[u8] = b" M ";

/// The paths that git reports as changed or untracked, among `paths` and below them, or in the whole repository if
/// `paths` is empty.
///
/// # Errors
/// git fails, or temporary files cannot be written.
pub(super) fn changed(
    top: &Path,
    commit: &str,
    paths: &[&str],
) -> Result<Vec<String>, SourceError> {
    let scratch = Scratch::new().map_err(SourceError::at(&std::env::temp_dir()))?;
    let own = scratch.path();
    prepare(top, commit, own).map_err(|error| match error {
        Failed::Source(error) => error,
        Failed::Io(error) => SourceError::at(own)(error),
    })?;
    let objects = ask(top, "rev-parse", &["--git-path", "objects"])?;
    let said = host::git_status(top, own, &top.join(objects), paths)?;
    // Each path follows two letters and a space (git-status(1), "Porcelain Format Version 1").
    let entries = said.split(|byte| *byte == 0);
    let entries = entries.filter_map(|entry| entry.split_at_checked(3));
    let entries: Vec<_> = entries
        .map(|(letters, path)| (letters, OsStr::from_bytes(path)))
        .collect();
    let modified = entries.iter().filter(|(letters, _)| *letters == MODIFIED);
    let modified: Vec<_> = modified.map(|(_, path)| *path).collect();
    let clean = filtered::clean(top, &modified)?;
    let is_changed = |entry: &&(&[u8], &OsStr)| entry.0 != MODIFIED || !clean.contains(entry.1);
    let changed = entries.iter().filter(is_changed);
    Ok(changed
        .map(|(_, path)| path.to_string_lossy().into_owned())
        .collect())
}

enum Failed {
    Source(SourceError),
    Io(io::Error),
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Fills the temporary git folder `own`.
fn prepare(top: &Path, commit: &str, own: &Path) -> Result<(), Failed> {
    for folder in ["info", "objects", "refs"] {
        fs::create_dir(own.join(folder))?;
    }
    for name in READ {
        let path = ask(top, "rev-parse", &["--git-path", name])?;
        link(&top.join(path), &own.join(name))?;
    }
    let folder = top.join(ask(top, "rev-parse", &["--git-dir"])?);
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(SHARED_INDEX) {
            link(&folder.join(&name), &own.join(&name))?;
        }
    }
    fs::write(own.join("HEAD"), format!("{commit}\n"))?;
    fs::write(own.join("config"), configuration(top, commit)?)?;
    Ok(())
}

/// Links to a file, if it exists.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match from.try_exists()? {
        true => symlink(std::path::absolute(from)?, to),
        false => Ok(()),
    }
}

/// The settings of the repository and its user that define how files are compared.
fn configuration(top: &Path, commit: &str) -> Result<String, SourceError> {
    let said = host::git(top, "config", &["--list", "-z"])?;
    let mut settings = BTreeMap::new();
    for entry in said.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        // A name without a value means true. The last value counts.
        let (name, value) = entry.split_once('\n').unwrap_or((&entry, "true"));
        if COMPARING.contains(&name) {
            settings.insert(name.to_owned(), value.to_owned());
        }
    }
    let format = match commit.len() {
        64 => "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = sha256\n",
        _ => "[core]\nrepositoryformatversion = 0\n",
    };
    let mut text = format!("{format}[core]\nbare = false\nuntrackedcache = false\n");
    for (name, value) in settings {
        let name = name.trim_start_matches("core.");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name} = \"{}\"", quoted(&value));
    }
    Ok(text)
}

/// A value between quotation marks (git-config(1), "Syntax").
fn quoted(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

fn ask(top: &Path, action: &'static str, words: &[&str]) -> Result<PathBuf, SourceError> {
    Ok(path_of(host::git(top, action, words)?))
}
