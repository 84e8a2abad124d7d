//! What git lists: the files of a commit, and those beside them that it does not have.

use std::collections::BTreeSet;
use std::path::Path;

use super::SourceError;
use super::path::SourcePath;
use crate::host::git;

/// Files of the source.
pub(super) const FILES: usize = 100_000;

/// Paths in `folders` that git knows, or would know, and the commit does not have. Nothing is asked
/// that compares files: their filters are the repository's to name.
pub(super) fn unknown(
    top: &Path,
    folders: &BTreeSet<String>,
    files: &[Listed],
) -> Result<Vec<String>, SourceError> {
    let mut arguments = vec!["--cached", "--others", "--exclude-standard", "-z", "--"];
    arguments.extend(below(folders));
    let said = git(top, "ls-files", &arguments)?;
    let committed: BTreeSet<_> = files
        .iter()
        .map(|file| file.path.as_str().as_bytes())
        .collect();
    let paths = said.split(|byte| *byte == 0);
    let unknown = paths.filter(|path| !path.is_empty() && !committed.contains(path));
    Ok(unknown
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect())
}

/// Paths for git; none stands for all.
fn below(folders: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let all = folders.contains("");
    folders.iter().filter(move |_| !all).map(String::as_str)
}

/// One file of the commit.
#[derive(Eq, PartialEq)]
pub(super) struct Listed {
    pub(super) path: SourcePath,
    pub(super) object: String,
    pub(super) executable: Executable,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Executable {
    Yes,
    No,
}

impl Executable {
    pub(super) fn of(mode: u32) -> Self {
        match mode & 0o100 {
            0 => Self::No,
            _ => Self::Yes,
        }
    }

    /// The permissions that are written, and digested.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Yes => 0o755,
            Self::No => 0o644,
        }
    }
}

pub(super) fn list(
    top: &Path,
    commit: &str,
    folders: &BTreeSet<String>,
) -> Result<Vec<Listed>, SourceError> {
    let mut arguments = vec!["-r", "-z", "--full-tree", commit, "--"];
    arguments.extend(below(folders));
    let said = git(top, "ls-tree", &arguments)?;
    let entries = said
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty());
    let mut files = entries.map(listed).collect::<Result<Vec<_>, _>>()?;
    if files.len() > FILES {
        return Err(SourceError::Files);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    match files.windows(2).find(|two| two[0].path == two[1].path) {
        None => Ok(files),
        Some(two) => Err(SourceError::Twice {
            path: two[0].path.to_string(),
        }),
    }
}

/// `<mode> <type> <object>\t<path>`
fn listed(entry: &[u8]) -> Result<Listed, SourceError> {
    let answer = || SourceError::Answer {
        found: String::from_utf8_lossy(entry).into_owned(),
    };
    let entry = str::from_utf8(entry).map_err(|_| answer())?;
    let (head, path) = entry.split_once('\t').ok_or_else(answer)?;
    let [mode, _, object] = head.split(' ').collect::<Vec<_>>()[..] else {
        return Err(answer());
    };
    let executable = match mode {
        "100644" => Executable::No,
        "100755" => Executable::Yes,
        _ => {
            return Err(SourceError::Kind {
                path: path.to_owned(),
                mode: mode.to_owned(),
            });
        }
    };
    Ok(Listed {
        path: SourcePath::parse(path)?,
        object: object.to_owned(),
        executable,
    })
}
