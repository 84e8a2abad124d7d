//! The sources of manifests: a commit for a build, the working tree for a lock.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use content::limits;

use super::committed::Committed;
use super::error::{SourceError, not_plain};
use super::path::SourcePath;

/// Files and folders by their paths in the repository.
pub(super) trait Files {
    /// The bytes of the file at `path`; `None` if it does not exist.
    fn file(&mut self, path: &SourcePath) -> Result<Option<Vec<u8>>, SourceError>;

    /// The names of the files in `folder`; `""` is the top folder of the repository.
    fn files_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError>;

    /// The names of the folders in `folder`.
    fn folders_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError>;
}

impl Files for Committed {
    fn file(&mut self, path: &SourcePath) -> Result<Option<Vec<u8>>, SourceError> {
        Self::file(self, path)
    }

    fn files_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError> {
        Self::files_in(self, folder)
    }

    fn folders_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError> {
        Self::folders_in(self, folder)
    }
}

/// A working tree, by its top folder.
#[derive(Clone, Debug)]
pub(super) struct WorkingTree(pub(super) PathBuf);

impl Files for WorkingTree {
    fn file(&mut self, path: &SourcePath) -> Result<Option<Vec<u8>>, SourceError> {
        let path = self.0.join(path);
        let Some(file) = present(&path, fs::File::open(&path))? else {
            return Ok(None);
        };
        let bytes = content::read_limited(file, limits::DOCUMENT);
        let bytes = bytes.map_err(|error| SourceError::at(&path)(io::Error::other(error)))?;
        Ok(Some(bytes))
    }

    fn files_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError> {
        self.names_in(folder, |kind| !kind.is_dir())
    }

    fn folders_in(&mut self, folder: &str) -> Result<Vec<String>, SourceError> {
        self.names_in(folder, |kind| kind.is_dir())
    }
}

/// git's folder in a repository, or a file with its path.
const GIT: &str = ".git";

impl WorkingTree {
    /// The working tree around `directory`, and the path of `directory` in it. Outside a repository, any folder above may be the
    /// root of the workspace.
    pub(super) fn around(directory: &Path) -> Result<(Self, String), SourceError> {
        let directory = directory
            .canonicalize()
            .map_err(SourceError::at(directory))?;
        let is_top = |above: &&Path| above.join(GIT).symlink_metadata().is_ok();
        let top = directory.ancestors().find(is_top);
        let top = top.or_else(|| directory.ancestors().last());
        let top = top.unwrap_or(&directory);
        let within = directory.strip_prefix(top).unwrap_or(Path::new(""));
        let within = within
            .to_str()
            .ok_or_else(|| not_plain(&within.to_string_lossy()))?;
        Ok((Self(top.to_owned()), within.to_owned()))
    }

    fn names_in(
        &self,
        folder: &str,
        is_wanted: impl Fn(FileType) -> bool,
    ) -> Result<Vec<String>, SourceError> {
        let path = self.0.join(folder);
        let mut names = Vec::new();
        for entry in present(&path, fs::read_dir(&path))?.into_iter().flatten() {
            let entry = entry.map_err(SourceError::at(&path))?;
            let kind = entry.file_type().map_err(SourceError::at(&path))?;
            // No manifest contains a name that is not text.
            if let (true, Ok(name)) = (is_wanted(kind), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn present<T>(path: &Path, opened: io::Result<T>) -> Result<Option<T>, SourceError> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(SourceError::at(path)(error)),
        },
    }
}
