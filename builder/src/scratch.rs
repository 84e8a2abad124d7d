//! Room for what a build needs meanwhile, which does not stay even if the build was killed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

const PREFIX: &str = "build-";

/// A directory that is removed when this is dropped, or by the next build.
pub struct Scratch {
    directory: TempDir,
    _held: File,
}

impl Scratch {
    /// Makes a directory in `folder`, and removes those that nobody holds any more.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn new(folder: &Path) -> io::Result<Self> {
        // Nobody sweeps between another's making a directory and holding it.
        let making = File::open(folder)?;
        flock(&making, FlockOperation::LockExclusive)?;
        sweep(folder)?;
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
        let held = File::open(directory.path())?;
        flock(&held, FlockOperation::LockExclusive)?;
        Ok(Self {
            directory,
            _held: held,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        match remove_orphan(&entry.path()) {
            // Whoever held it has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

fn remove_orphan(path: &Path) -> io::Result<()> {
    let held = File::open(path)?;
    match flock(&held, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => fs::remove_dir_all(path),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_behind_is_removed_and_what_is_held_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("build-left");
        fs::create_dir_all(left.join("deep")).unwrap();
        fs::create_dir(folder.path().join("other")).unwrap();
        let one = Scratch::new(folder.path()).unwrap();
        let two = Scratch::new(folder.path()).unwrap();
        assert!(!left.exists() && one.path().exists() && two.path().exists());
        drop((one, two));
        let names = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<Vec<_>>(), ["other"]);
    }
}
