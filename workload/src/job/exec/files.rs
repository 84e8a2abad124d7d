//! Secrets as files in memory.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown, fchown};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use super::error::ExecError;
use super::user::User;

/// The folder with the files of secrets, in the folder in memory.
pub const FOLDER: &str = "countersign";

/// A folder in memory that only one user can enter. It is removed when this is dropped.
pub(super) struct Folder {
    path: PathBuf,
    user: User,
}

impl Folder {
    /// Makes the folder, which does not exist yet, for `user`.
    pub(super) fn make(memory: &Path, user: User) -> Result<Self, ExecError> {
        let path = memory.join(FOLDER);
        let failed = |source| ExecError::Folder {
            doing: "making",
            path: path.clone(),
            source,
        };
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(failed)?;
        let folder = Self { path, user };
        let owned = chown(&folder.path, Some(user.uid), Some(user.gid));
        owned.map_err(|source| ExecError::Folder {
            doing: "giving away",
            path: folder.path.clone(),
            source,
        })?;
        Ok(folder)
    }

    /// Writes a secret to a new file, which only the user can read.
    pub(super) fn write(&self, name: &str, secret: &[u8]) -> Result<(), ExecError> {
        self.write_new(name, secret)
            .map_err(|source| ExecError::Secret {
                name: name.to_owned(),
                source,
            })
    }

    fn write_new(&self, name: &str, secret: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        // A new file is never that of a link (O_EXCL); the flag says so once more.
        options.write(true).create_new(true).mode(0o400);
        options.custom_flags(OFlag::O_NOFOLLOW.bits());
        let mut file = options.open(self.path.join(name))?;
        file.write_all(secret)?;
        fchown(&file, Some(self.user.uid), Some(self.user.gid))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The container ends with this process, and its memory with it.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Checks that files in `folder` never reach a disk.
pub(super) fn check_memory(folder: &Path) -> Result<(), ExecError> {
    let found = statfs(folder).map_err(|error| ExecError::Folder {
        doing: "looking at",
        path: folder.to_owned(),
        source: error.into(),
    })?;
    match found.filesystem_type() == TMPFS_MAGIC {
        true => Ok(()),
        false => Err(ExecError::NotInMemory {
            path: folder.to_owned(),
        }),
    }
}
