//! Which files of a repository are needed depends on the kind of build that `Image.toml` names.

use console::hint::Hinted;
use content::limits;

use super::closure::{self, Closure};
use super::command;
use super::error::SourceError;
use super::go;
use super::manifests::Files;
use super::path::{SourcePath, join};
use crate::spec::{self, BuildSpec, Spec};
use crate::untrusted::{self, shown};

/// The files and folders that are needed to build the folder `first`.
///
/// # Errors
/// `Image.toml` is invalid, a manifest is missing or invalid, or a path leads out of the repository.
pub(super) fn closure(files: &mut dyn Files, first: &str) -> Result<Closure, SourceError> {
    let path = join(first, spec::FILE);
    // If it is missing or too large, that is said when it is read.
    let bytes = files.file(&SourcePath::parse(&path)?)?;
    let Some(bytes) = bytes.filter(|bytes| bytes.len() as u64 <= limits::DOCUMENT) else {
        return closure::closure(files, first);
    };
    let text = String::from_utf8_lossy(&bytes);
    let spec = Spec::parse(&text).map_err(|error| {
        let (path, said) = (shown(&path), untrusted::toml(&error));
        Hinted::new(format_args!("parsing {path}: {said}")).hinting(spec::EXAMPLE)
    })?;
    let mut needed = match &spec.build {
        BuildSpec::Cargo(_) => closure::closure(files, first),
        BuildSpec::Go(_) => go::closure(files, first),
        BuildSpec::Command(command) => command::closure(&spec, command, first),
    }?;
    // If one is missing, that is said when it is read.
    for wheels in spec.images.iter().flat_map(|image| &image.parts.wheels) {
        let path = SourcePath::parse(&join(first, &wheels.requirements))?;
        needed.files.insert(path);
    }
    Ok(needed)
}
