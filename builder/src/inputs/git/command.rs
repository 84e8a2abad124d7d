//! The files of a repository that a command needs: those that `Image.toml` names.

use std::collections::BTreeSet;

use super::closure::Closure;
use super::error::SourceError;
use super::path::{SourcePath, join};
use crate::lock;
use crate::spec::{self, CommandSpec, Origin, Spec};

/// The inputs of a command and the files of the image, or the whole folder `first` if there is no list of inputs.
///
/// # Errors
/// A path is not one of plain names.
pub(super) fn closure(
    spec: &Spec,
    command: &CommandSpec,
    first: &str,
) -> Result<Closure, SourceError> {
    let mut needed = Closure {
        folders: BTreeSet::new(),
        target_folders: BTreeSet::new(),
        files: BTreeSet::new(),
        inputs: BTreeSet::new(),
        cargo: None,
        go: None,
    };
    let Some(inputs) = &command.inputs else {
        needed.folders.insert(first.to_owned());
        return Ok(needed);
    };
    let sources = spec.files().filter_map(|file| match &file.origin {
        Origin::Source(path) | Origin::Tree(path) => Some(path.trim_start_matches('/')),
        _ => None,
    });
    for path in inputs.iter().map(String::as_str).chain(sources) {
        needed.inputs.insert(SourcePath::parse(&join(first, path))?);
    }
    for file in [spec::FILE, lock::FILE] {
        needed.files.insert(SourcePath::parse(&join(first, file))?);
    }
    Ok(needed)
}
