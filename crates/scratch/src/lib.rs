//! Folders for what is needed meanwhile. One goes when it is dropped, and if its process was killed,
//! as soon as another one is made beside it.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const PREFIX: &str = ".countersign-";
/// Held locked by whoever uses the folder. A folder with anything in it but without this file is not
/// ours to remove; so it is the last that goes.
const MARK: &str = ".in-use";
/// Attempts to make a folder that nobody takes for an abandoned one before it is held.
const ATTEMPTS: u32 = 20;

/// A folder that does not stay.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _held: File,
}

impl Scratch {
    /// An empty folder, but for the mark, among the temporary files of the system.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::below(&std::env::temp_dir())
    }

    /// An empty folder, but for the mark, in `parent`. Those that nobody holds any more are removed.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn below(parent: &Path) -> io::Result<Self> {
        sweep(parent);
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            if let Some(held) = hold(folder.path())? {
                // From here on it goes only as a whole: without its mark nothing would remove the rest.
                let folder = folder.keep();
                return Ok(Self {
                    folder,
                    _held: held,
                });
            }
        }
        Err(io::Error::other("others keep removing what is made here"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What ends half-way, or fails, leaves what the next one can sweep.
        if let Ok(Some(folder)) = open_own(self.path()) {
            let _ = remove(self.path(), &within(&folder));
        }
    }
}

/// A folder of our own. The folder of temporary files is everybody's: what others put there is not
/// ours to look into, whatever its name, and a link leads to what they choose.
fn open_own(folder: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(folder)?;
    let is_own = folder.metadata()?.uid() == rustix::process::geteuid().as_raw();
    Ok(is_own.then_some(folder))
}

/// A path to an open folder that stays with it, wherever its name is moved meanwhile (proc(5)).
fn within(folder: &File) -> PathBuf {
    format!("/proc/self/fd/{}", folder.as_raw_fd()).into()
}

/// Removes the folder at `path`, which is open as `folder`. Its mark goes last, and stays if something else does.
fn remove(path: &Path, folder: &Path) -> io::Result<()> {
    empty(folder)?;
    fs::remove_file(folder.join(MARK))?;
    fs::remove_dir(path)
}

/// Removes all but the mark.
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

/// Marks a new folder as used; `None` if someone who sweeps was faster.
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

/// What cannot be removed stays: nobody's work depends on it.
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
    // Also one that was ended just before it was marked, or after its mark was gone.
    fs::remove_dir(path)
}

/// The lock of a folder that nobody else holds.
fn abandoned(folder: &Path) -> io::Result<Option<File>> {
    // A link or a pipe of that name is no mark.
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
    fn goes_when_dropped() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::below(parent.path()).unwrap();
        fs::create_dir_all(scratch.path().join("deep/er")).unwrap();
        drop(scratch);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_left_behind_goes_and_what_is_held_or_not_ours_stays() {
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
    fn the_mark_is_the_last_that_goes() {
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

    /// Runs itself again as a process that may open few files.
    #[test]
    fn what_cannot_be_removed_keeps_its_mark() {
        const PARENT: &str = "SCRATCH_TEST_PARENT";
        let name = "tests::what_cannot_be_removed_keeps_its_mark";
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
        // As soon as another one is made beside it.
        drop(Scratch::below(parent.path()).unwrap());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_others_put_there_stays() {
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

    /// Somebody else puts a link where our folder was, while it is being emptied.
    #[test]
    fn a_moved_folder_leads_nowhere_else() {
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
    fn many_at_once_take_nothing_from_each_other() {
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
