//! The projects whose locks name inputs of a store: the directories that were locked or built with it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::Digest;

use super::{Store, StoreError};
use crate::lock;

/// Maximum length of a path, in bytes (Linux, `PATH_MAX`).
const PATH: u64 = 4096;
/// The folder with a file for each project, which contains its path.
pub(super) const PROJECTS: &str = "projects";

impl Store {
    /// Remembers a project, the directory of an `Image.lock`, for [`Store::projects`].
    ///
    /// # Errors
    /// It does not exist, or the store cannot be written.
    pub(crate) fn remember(&self, directory: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::at(directory, source);
        let path = fs::canonicalize(directory).map_err(failed)?;
        let file = self.project(&path);
        // Another process that reads it never finds a part.
        let scratch = self.scratch()?;
        let making = scratch.path().join("project");
        fs::write(&making, path.as_os_str().as_bytes())
            .map_err(|source| StoreError::at(&making, source))?;
        fs::rename(&making, &file).map_err(|source| StoreError::at(&file, source))
    }

    /// The remembered projects that still have a lock, in the order of their paths. The others are forgotten.
    ///
    /// # Errors
    /// The store cannot be used, or a project cannot be read.
    pub(crate) fn projects(&self) -> Result<Vec<PathBuf>, StoreError> {
        let folder = self.folder.join(PROJECTS);
        let failed = |source| StoreError::at(&folder, source);
        let mut projects = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            let bytes = crate::at::read(&file, PATH)?;
            let project = PathBuf::from(OsString::from_vec(bytes));
            if self.project(&project) != file {
                return Err(damaged(&file).into());
            }
            match fs::symlink_metadata(project.join(lock::FILE)) {
                Ok(_) => projects.push(project),
                Err(error) if is_absence(&error) => fs::remove_file(&file).map_err(failed)?,
                Err(source) => return Err(StoreError::at(&project, source)),
            }
        }
        projects.sort();
        Ok(projects)
    }

    fn project(&self, path: &Path) -> PathBuf {
        let name = Digest::of(path.as_os_str().as_bytes());
        self.folder.join(PROJECTS).join(name.hex())
    }
}

/// The file of a project is not whole: an earlier version of this program could be killed while it wrote it.
fn damaged(file: &Path) -> Hinted {
    let file = file.display();
    Hinted::new(format_args!(
        "reading {file}: expected the path of a project, found a part of it or another"
    ))
    .hinting("remove the file, and build or lock the project again, so that its inputs are kept")
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::store;
    use super::*;

    #[test]
    fn a_project_without_a_lock_is_forgotten() {
        let (_folder, store) = store();
        let place = tempfile::tempdir().unwrap();
        let projects = ["b", "a", "c"].map(|name| place.path().join(name));
        for project in &projects {
            fs::create_dir(project).unwrap();
            fs::write(project.join(lock::FILE), "").unwrap();
            store.remember(project).unwrap();
            store.remember(&project.join(".")).unwrap();
        }
        fs::remove_dir_all(&projects[2]).unwrap();
        let [b, a, _] = projects;
        assert_eq!(store.projects().unwrap(), [a, b.clone()]);
        fs::remove_file(b.join(lock::FILE)).unwrap();
        assert_eq!(store.projects().unwrap().len(), 1);
        assert_eq!(
            fs::read_dir(store.folder.join(PROJECTS)).unwrap().count(),
            1
        );
        assert!(store.remember(&b.join("nowhere")).is_err());
    }

    #[test]
    fn a_part_of_a_path_is_not_a_project() {
        let (_folder, store) = store();
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join(lock::FILE), "").unwrap();
        store.remember(place.path()).unwrap();
        assert_eq!(fs::read_dir(store.coming()).unwrap().count(), 0);
        let file = store.project(&place.path().canonicalize().unwrap());
        for part in ["", "/"] {
            fs::write(&file, part).unwrap();
            let error = store.projects().unwrap_err();
            assert!(error.to_string().contains("found a part of it"), "{error}");
            assert!(error.hint().is_some() && file.exists());
        }
    }
}
