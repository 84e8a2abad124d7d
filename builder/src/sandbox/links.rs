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
    let inputs = origins(&inputs, plan, traces).map_err(|error| error.to_string())?;
    let files: Vec<BTreeSet<PathBuf>> = links
        .iter()
        .map(|link| {
            let found = link.inputs.iter().filter_map(|path| inputs.get(path));
            found.flatten().cloned().collect()
        })
        .collect();
    let made = |product: &PathBuf| {
        let all = links.iter().zip(&files);
        let by = all.filter(|(link, _)| is_same(&link.output, product).unwrap_or(false));
        by.map(|(_, files)| files.clone())
            .reduce(|all, more| all.union(&more).cloned().collect())
    };
    Ok(Traced {
        products: plan.products.iter().map(made).collect(),
        all: files.iter().flatten().cloned().collect(),
    })
}

/// For each input of a link the files that it is or has copies of. Other inputs than object files and archives have none.
fn origins(
    inputs: &BTreeSet<&PathBuf>,
    plan: &Plan,
    traces: &Traces,
) -> io::Result<BTreeMap<PathBuf, BTreeSet<PathBuf>>> {
    let mut origins = BTreeMap::new();
    let mut copies = BTreeMap::new();
    for input in inputs {
        // Programs may remove what they linked.
        let Some(file) = found(input, traces) else {
            continue;
        };
        let Some(pieces) = objects::pieces(&file)? else {
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
    for (input, copied) in objects::originals(&copies, &folders())? {
        origins.entry(input).or_default().extend(copied);
    }
    Ok(origins)
}

/// The file without links in its path; `None` if it exists no more.
fn found(input: &Path, traces: &Traces) -> Option<PathBuf> {
    let moved = || {
        let (folder, name) = (traces.libraries.as_ref()?, input.file_name()?);
        fs::canonicalize(folder.join(name)).ok()
    };
    fs::canonicalize(input).ok().or_else(moved)
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

/// Whether two paths are of one file, or of files with the same content.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let [left, right] = [fs::metadata(one)?, fs::metadata(other)?];
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
