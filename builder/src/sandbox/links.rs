//! What linkers read: the object files and archives of the build root that are in a program, whether a linker read them there or in
//! an archive that a compiler copied them to. Linkers write which files they read; what was copied is recognised by its content.

mod objects;
mod rule;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use super::mounts::TOP;
use super::plan::{Plan, Traces};

/// The folder below which everything but the build root and archives is.
const OWN: &str = "/build";

/// The object files and archives that linkers read, without those that were made in the sandbox and those of the source.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Traced {
    /// For each product, those of the links that made it; `None` if it is the output of no link.
    pub products: Vec<Option<BTreeSet<PathBuf>>>,
    /// Those of all links.
    pub all: BTreeSet<PathBuf>,
}

/// What linkers read, if they were traced.
///
/// # Errors
/// What they wrote cannot be read, or is too large.
pub(super) fn trace(plan: &Plan) -> Result<Traced, String> {
    let Some(traces) = &plan.traces else {
        return Ok(Traced::default());
    };
    let links = rule::read(&traces.folder)?;
    let inputs: BTreeSet<&PathBuf> = links.iter().flat_map(|link| &link.inputs).collect();
    let inputs = origins(&inputs, plan, traces)?;
    let files: Vec<BTreeSet<PathBuf>> = links
        .iter()
        .map(|link| {
            let found = link.inputs.iter().filter_map(|path| inputs.get(path));
            found.flatten().cloned().collect()
        })
        .collect();
    let made = |product: &PathBuf| {
        let mut made: Option<BTreeSet<PathBuf>> = None;
        for (link, files) in links.iter().zip(&files) {
            if is_same(&link.output, product).map_err(|error| at(&link.output, &error))? {
                made.get_or_insert_default().extend(files.iter().cloned());
            }
        }
        Ok::<_, String>(made)
    };
    Ok(Traced {
        products: plan.products.iter().map(made).collect::<Result<_, _>>()?,
        all: files.iter().flatten().cloned().collect(),
    })
}

/// For each input of a link the files that it is or has copies of. Other inputs than object files and archives have none.
fn origins(
    inputs: &BTreeSet<&PathBuf>,
    plan: &Plan,
    traces: &Traces,
) -> Result<BTreeMap<PathBuf, BTreeSet<PathBuf>>, String> {
    let mut origins = BTreeMap::new();
    let mut copies = BTreeMap::new();
    for input in inputs {
        // Programs may remove what they linked.
        let Some(file) = found(input, traces).map_err(|error| at(input, &error))? else {
            continue;
        };
        let pieces = objects::pieces(&file).map_err(|error| at(&file, &error))?;
        let Some(pieces) = pieces else {
            continue;
        };
        let mut files = BTreeSet::new();
        if !is_below(&file, &plan.writable) && !file.starts_with(OWN) {
            files.insert(file.clone());
        }
        if !is_below(&file, TOP.map(|top| Path::new("/").join(top))) {
            copies.insert((*input).clone(), (file, pieces));
        }
        origins.insert((*input).clone(), files);
    }
    let originals = objects::originals(&copies, &folders());
    for (input, copied) in originals.map_err(|error| error.to_string())? {
        origins.entry(input).or_default().extend(copied);
    }
    Ok(origins)
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// The file without links in its path; `None` if it exists no more.
fn found(input: &Path, traces: &Traces) -> io::Result<Option<PathBuf>> {
    if let Some(found) = existing(fs::canonicalize(input))? {
        return Ok(Some(found));
    }
    match (&traces.libraries, input.file_name()) {
        (Some(folder), Some(name)) => existing(fs::canonicalize(folder.join(name))),
        _ => Ok(None),
    }
}

/// What was found; `None` if there is nothing at the path.
fn existing<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match found {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        found => found.map(Some),
    }
}

fn is_below(file: &Path, folders: impl IntoIterator<Item = impl AsRef<Path>>) -> bool {
    let mut folders = folders.into_iter();
    folders.any(|folder| file.starts_with(folder))
}

/// The folders of the build root with object files and archives.
fn folders() -> Vec<PathBuf> {
    let tops = TOP.iter().filter(|top| top.starts_with("lib"));
    let folders = tops.flat_map(|top| [format!("/{top}"), format!("/usr/{top}")]);
    folders.map(PathBuf::from).collect()
}

/// Whether two paths are of one file, or of files with the same content. What does not exist, or is no file, has none.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let files = [existing(fs::metadata(one))?, existing(fs::metadata(other))?];
    let [Some(left), Some(right)] = files.map(|found| found.filter(fs::Metadata::is_file)) else {
        return Ok(false);
    };
    if (left.dev(), left.ino()) == (right.dev(), right.ino()) {
        return Ok(true);
    }
    Ok(left.len() == right.len() && digest(one)? == digest(other)?)
}

fn digest(path: &Path) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_does_not_exist_is_told_from_what_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "a").unwrap();
        fs::write(path("b"), "a").unwrap();
        fs::write(path("c"), "c").unwrap();
        symlink("circle", path("circle")).unwrap();
        let same = |one: &str, other: &str| is_same(&path(one), &path(other));
        assert!(same("a", "b").unwrap() && same("c", "c").unwrap());
        for other in ["c", "gone", "a/below", ""] {
            assert!(!same("a", other).unwrap(), "{other}");
        }
        same("circle", "a").unwrap_err();
        let mut traces = Traces {
            folder: path(""),
            libraries: None,
        };
        assert_eq!(found(&path("gone"), &traces).unwrap(), None);
        found(&path("circle"), &traces).unwrap_err();
        traces.libraries = Some(folder.path().to_owned());
        let moved = found(Path::new("/nowhere/a"), &traces).unwrap();
        assert_eq!(moved, Some(path("a").canonicalize().unwrap()));
    }
}
