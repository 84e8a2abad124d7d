//! Temporary folders. A folder is removed when its [`Scratch`] is dropped. If its process was killed,
//! it is removed when the next one is created in the same parent.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const PREFIX: &str = ".countersign-";
/// A file that is locked while the folder is in use. A folder that is not empty and lacks this file is
/// never removed, so this file is removed last.
const MARK: &str = ".in-use";
/// Maximum number of attempts to create a folder and lock it before another process removes it as abandoned.
const ATTEMPTS: u32 = 20;

/// A temporary folder.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _held: File,
}

impl Scratch {
    /// Creates a folder in the system's folder for temporary files. It holds only the lock file.
    ///
    /// # Errors
    /// The folder or its lock file cannot be created.
    pub fn new() -> io::Result<Self> {
        Self::below(&std::env::temp_dir())
    }

    /// Creates a folder in `parent`. It holds only the lock file. Abandoned folders in `parent` are
    /// removed first.
    ///
    /// # Errors
    /// The folder or its lock file cannot be created.
    pub fn below(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            if let Some(held) = hold(folder.path())? {
                // From here on, `Scratch` removes the folder, its lock file last: a folder without lock file would stay.
                let folder = folder.keep();
                return Ok(Self {
                    folder,
                    _held: held,
                });
            }
        }
        Err(io::Error::other(
            "other processes keep removing new folders",
        ))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If this fails or the process is killed half-way, the next `sweep` removes the rest.
        if let Ok(Some(folder)) = open_own(self.path()) {
            let _ = remove(self.path(), &within(&folder));
        }
    }
}

/// Opens a folder; `None` if it belongs to another user. All users can write to the folder for
/// temporary files: a folder of another user is never touched, and a symbolic link
/// is not followed.
fn open_own(folder: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(folder)?;
    let is_own = folder.metadata()?.uid() == rustix::process::geteuid().as_raw();
    Ok(is_own.then_some(folder))
}

/// A path to an open folder that remains valid if the folder is renamed (proc(5)).
fn within(folder: &File) -> PathBuf {
    format!("/proc/self/fd/{}", folder.as_raw_fd()).into()
}

/// Removes the folder at `path`, which is open as `folder`. Its lock file is removed last, and is kept if
/// anything else cannot be removed.
fn remove(path: &Path, folder: &Path) -> io::Result<()> {
    empty(folder)?;
    fs::remove_file(folder.join(MARK))?;
    fs::remove_dir(path)
}

/// Removes everything in a folder except its lock file.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == MARK {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Creates and locks the lock file of a new folder; `None` if another process has removed the folder.
fn hold(folder: &Path) -> io::Result<Option<File>> {
    match mark(&folder.join(MARK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        marked => marked,
    }
}

fn mark(path: &Path) -> io::Result<Option<File>> {
    let held = File::create_new(path)?;
    held.lock()?;
    let (ours, there) = (held.metadata()?, fs::metadata(path)?);
    Ok((ours.ino() == there.ino()).then_some(held))
}

/// Removes the abandoned folders in `parent`. Errors are ignored: no work depends on the removal.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = remove_abandoned(&entry.path());
        }
    }
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    let Some(folder) = open_own(path)? else {
        return Ok(());
    };
    let folder = within(&folder);
    if let Ok(Some(_held)) = abandoned(&folder) {
        return remove(path, &folder);
    }
    // This also removes an empty folder without a lock file, whose process ended just before it
    // created the file or just after it removed it.
    fs::remove_dir(path)
}

/// The lock file of an abandoned folder, locked; `None` if another process holds the lock.
fn abandoned(folder: &Path) -> io::Result<Option<File>> {
    // A symbolic link or a pipe of that name is not a lock file.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mark = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(folder.join(MARK))?;
    if !mark.metadata()?.is_file() {
        return Ok(None);
    }
    match mark.try_lock() {
        Ok(()) => Ok(Some(mark)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_removed_when_dropped() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::below(parent.path()).unwrap();
        fs::create_dir_all(scratch.path().join("deep/er")).unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_abandoned_folders_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let held = Scratch::below(parent.path()).unwrap();
        let left = parent.path().join(".countersign-left");
        let foreign = parent.path().join(".countersign-checkout");
        let piped = parent.path().join(".countersign-pipe");
        let bare = parent.path().join(".countersign-bare");
        fs::create_dir(&bare).unwrap();
        let other = parent.path().join("other");
        for folder in [&left, &foreign, &piped, &other] {
            fs::create_dir_all(folder.join("deep")).unwrap();
        }
        fs::write(left.join(MARK), "").unwrap();
        fs::write(other.join(MARK), "").unwrap();
        std::os::unix::fs::symlink("/dev/zero", foreign.join(MARK)).unwrap();
        let pipe = std::process::Command::new("mkfifo")
            .arg(piped.join(MARK))
            .status();
        assert!(pipe.unwrap().success());
        let _another = Scratch::below(parent.path()).unwrap();
        assert!(!left.exists() && !bare.exists());
        assert!(held.path().exists() && foreign.exists() && piped.exists() && other.exists());
    }

    #[test]
    fn the_lock_file_is_kept_when_a_folder_is_emptied() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("folder");
        fs::create_dir_all(folder.join("deep/er")).unwrap();
        for file in [MARK, "a", "z"] {
            fs::write(folder.join(file), "").unwrap();
        }
        std::os::unix::fs::symlink(parent.path(), folder.join("link")).unwrap();
        empty(&folder).unwrap();
        let left = fs::read_dir(&folder).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [MARK]);
    }

    /// Runs the test program again with a limit of few open files.
    #[test]
    fn a_folder_that_cannot_be_removed_keeps_its_lock_file() {
        const PARENT: &str = "SCRATCH_TEST_PARENT";
        let name = "tests::a_folder_that_cannot_be_removed_keeps_its_lock_file";
        if let Some(parent) = std::env::var_os(PARENT) {
            let scratch = Scratch::below(Path::new(&parent)).unwrap();
            let deep = scratch.path().join(["deep"; 64].join("/"));
            fs::create_dir_all(deep).unwrap();
            let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
            limit.current = Some(32);
            rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
            return;
        }
        let parent = tempfile::tempdir().unwrap();
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]).env(PARENT, parent.path());
        assert!(again.output().unwrap().status.success());
        let left: Vec<_> = fs::read_dir(parent.path()).unwrap().flatten().collect();
        assert!(left.len() == 1 && left[0].path().join(MARK).exists());
        // It is removed when the next folder is created in the same parent.
        drop(Scratch::below(parent.path()).unwrap());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn folders_of_other_users_and_links_are_kept() {
        let (parent, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in [MARK, "kept"] {
            fs::write(other.path().join(name), "").unwrap();
        }
        let link = parent.path().join(".countersign-link");
        std::os::unix::fs::symlink(other.path(), &link).unwrap();
        let foreign = parent.path().join(".countersign-foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join(MARK), "").unwrap();
        // Only root can give a folder away.
        let is_foreign = std::os::unix::fs::chown(&foreign, Some(65534), None).is_ok();
        drop(Scratch::below(parent.path()).unwrap());
        assert!(other.path().join("kept").exists() && link.is_symlink());
        assert_eq!(foreign.exists(), is_foreign);
    }

    /// An attacker replaces a folder with a symbolic link while it is being emptied.
    #[test]
    fn a_replaced_folder_is_not_followed() {
        let (parent, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (place, moved) = (parent.path().join("place"), parent.path().join("moved"));
        fs::create_dir(&place).unwrap();
        for folder in [place.as_path(), other.path()] {
            fs::write(folder.join("file"), "").unwrap();
        }
        let folder = open_own(&place).unwrap().unwrap();
        fs::rename(&place, &moved).unwrap();
        std::os::unix::fs::symlink(other.path(), &place).unwrap();
        empty(&within(&folder)).unwrap();
        assert!(other.path().join("file").exists() && !moved.join("file").exists());
    }

    #[test]
    fn concurrent_processes_keep_their_folders() {
        let parent = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let scratch = Scratch::below(parent.path()).unwrap();
                        let file = scratch.path().join("file");
                        fs::write(&file, "mine").unwrap();
                        assert_eq!(fs::read(&file).unwrap(), b"mine");
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
