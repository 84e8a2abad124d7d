//! Files that a filter of the user's configuration converts (gitattributes(5), "filter"), as Git LFS does.
//!
//! For git, such a file is clean if its size and times are those in the index, or else if the output of the filter is the
//! committed content. No filter is run here: the file counts as clean if it has the size that the index has for it. A change
//! that keeps the size is not noticed, but never built: the committed object is built.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::error::SourceError;
use crate::host::git;

/// Paths in one call of git; Linux limits the length of arguments.
const BATCH: usize = 100;
/// The settings that name a filter program which converts files when they are added to git.
const CLEANING: [&str; 2] = ["clean", "process"];
/// Lines that `git ls-files --debug` writes after each path.
const STAT_LINES: usize = 5;

/// Those of `paths` that count as clean although their bytes are not those of the index.
///
/// # Errors
/// git fails.
pub(super) fn clean(top: &Path, paths: &[&OsStr]) -> Result<BTreeSet<OsString>, SourceError> {
    let mut clean = BTreeSet::new();
    if paths.is_empty() {
        return Ok(clean);
    }
    let filters = filters(top)?;
    for batch in paths.chunks(BATCH) {
        let filtered = filtered(top, batch, &filters)?;
        if !filtered.is_empty() {
            clean.extend(of_indexed_size(top, &filtered)?);
        }
    }
    Ok(clean)
}

/// The names of the filters that are configured. An attribute that names another has no effect.
fn filters(top: &Path) -> Result<BTreeSet<String>, SourceError> {
    let said = git(top, "config", &["--list", "-z"])?;
    // The last value counts, and an empty value means that there is no filter.
    let mut commands = BTreeMap::new();
    for entry in said.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let (setting, value) = entry.split_once('\n').unwrap_or((&entry, ""));
        let setting = setting.strip_prefix("filter.");
        if let Some((name, key)) = setting.and_then(|setting| setting.rsplit_once('.'))
            && CLEANING.contains(&key)
        {
            commands.insert((name.to_owned(), key.to_owned()), !value.is_empty());
        }
    }
    let configured = commands.into_iter().filter(|(_, is_set)| *is_set);
    Ok(configured.map(|((name, _), _)| name).collect())
}

/// Those of `paths` whose attributes name one of the filters.
fn filtered(
    top: &Path,
    paths: &[&OsStr],
    filters: &BTreeSet<String>,
) -> Result<Vec<OsString>, SourceError> {
    let options = ["-z", "filter", "--"].map(OsStr::new);
    let arguments = [&options[..], paths].concat();
    let said = git(top, "check-attr", &arguments)?;
    // A path, the name of the attribute and its value, each followed by a zero byte.
    let fields: Vec<_> = said.split(|byte| *byte == 0).collect();
    let answers = fields.chunks_exact(3);
    let named = answers.filter(|answer| filters.contains(&*String::from_utf8_lossy(answer[2])));
    Ok(named
        .map(|answer| OsStr::from_bytes(answer[0]).to_owned())
        .collect())
}

/// Those of `paths` that have the size that the index has for them.
fn of_indexed_size(top: &Path, paths: &[OsString]) -> Result<Vec<OsString>, SourceError> {
    let options = ["-z", "--debug", "--"].map(OsStr::new);
    let paths = paths.iter().map(OsString::as_os_str);
    let arguments: Vec<_> = options.into_iter().chain(paths).collect();
    let said = git(top, "ls-files", &arguments)?;
    let sizes = sizes(&said).into_iter();
    let same = sizes.filter(|(path, size)| {
        let found = fs::symlink_metadata(top.join(path));
        // git stores 32 bits of the size, and 0 if times alone cannot show a change.
        found.is_ok_and(|found| *size == 0 || found.len() & u64::from(u32::MAX) == *size)
    });
    Ok(same.map(|(path, _)| path).collect())
}

/// The paths and sizes in a list of `git ls-files -z --debug`; a path without a size that can be read is left out.
fn sizes(listed: &[u8]) -> BTreeMap<OsString, u64> {
    let mut sizes = BTreeMap::new();
    let mut rest = listed;
    while let Some(end) = rest.iter().position(|byte| *byte == 0) {
        let path = OsStr::from_bytes(&rest[..end]).to_owned();
        let lines = rest[end + 1..].split_inclusive(|byte| *byte == b'\n');
        let stat: Vec<_> = lines.take(STAT_LINES).collect();
        let length: usize = stat.iter().map(|line| line.len()).sum();
        rest = &rest[end + 1 + length..];
        if let Some(size) = stat.last().and_then(|line| size(line)) {
            sizes.insert(path, size);
        }
    }
    sizes
}

/// `size: N`, a tab and more
fn size(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?.trim_start();
    let (size, _) = line.strip_prefix("size: ")?.split_once('\t')?;
    size.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_sizes_of_any_path() {
        let stat = |size: &str| {
            format!("  ctime: 1:2\n  mtime: 1:2\n  dev: 1\tino: 2\n  uid: 0\tgid: 0\n{size}\n")
        };
        let listed = [
            "x\ny\0",
            &stat("  size: 3\tflags: 0"),
            "z\0",
            &stat("  length: 4\tflags: 0"),
            "size: 9\tflags\0",
            &stat("  size: 5\tflags: 8000"),
        ]
        .concat();
        let expected = [("x\ny", 3), ("size: 9\tflags", 5)];
        let expected = expected.map(|(path, size)| (path.into(), size));
        assert_eq!(sizes(listed.as_bytes()), expected.into());
        assert_eq!(sizes(b"x\0  ctime"), BTreeMap::new());
    }
}
