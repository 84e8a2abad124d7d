//! What keeps the program away from this process and from the launcher's token socket.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::Uid;

use super::error::ExecError;

/// The folders of the container that matter.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder with the launcher's socket and token file below, which the program must not enter.
    pub closed: PathBuf,
    /// The folder in memory for the files of secrets.
    pub memory: PathBuf,
}

impl Default for Place {
    /// The folders of Confidential Space.
    fn default() -> Self {
        Self {
            closed: "/run".into(),
            memory: "/dev/shm".into(),
        }
    }
}

/// Checks that this process can become another user: all protection follows from that.
pub(super) fn check_user(own: Uid) -> Result<(), ExecError> {
    match own.is_root() {
        true => Ok(()),
        false => Err(ExecError::NotRoot { uid: own.as_raw() }),
    }
}

/// Makes the memory of this process unreadable to all others, even to root in this container, and forbids core dumps.
///
/// # Errors
/// The kernel refuses.
pub fn protect_memory() -> Result<(), ExecError> {
    let protected = set_dumpable(false).and_then(|()| forbid_core_dumps());
    protected.map_err(|error| ExecError::Protect(error.into()))
}

/// Forbids core dumps. A limit of 0 does not stop those that the kernel pipes to a program, but 1 does (core(5)). The limit cannot be
/// raised to 1 where it is 0 already.
pub(super) fn forbid_core_dumps() -> nix::Result<()> {
    let limit = |bytes| setrlimit(Resource::RLIMIT_CORE, bytes, bytes);
    limit(1).or_else(|_| limit(0))
}

/// Lets only root enter a folder. The launcher's files below it are open to everyone and cannot be changed: they are in
/// another, read-only file system.
pub(super) fn close(folder: &Path) -> Result<(), ExecError> {
    let closed = fs::set_permissions(folder, Permissions::from_mode(0o700));
    closed.map_err(|source| ExecError::Folder {
        doing: "closing",
        path: folder.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use nix::sys::prctl::get_dumpable;
    use nix::sys::resource::getrlimit;

    use super::*;

    #[test]
    fn nobody_reads_the_memory() {
        let (_, before) = getrlimit(Resource::RLIMIT_CORE).unwrap();
        protect_memory().unwrap();
        assert_eq!(get_dumpable(), Ok(false));
        let limits = getrlimit(Resource::RLIMIT_CORE).unwrap();
        assert!(limits == (1, 1) || (before == 0 && limits == (0, 0)));
    }

    #[test]
    fn only_root_can_hide_the_token_socket() {
        assert!(check_user(Uid::from_raw(0)).is_ok());
        let refused = check_user(Uid::from_raw(65532)).unwrap_err();
        assert!(refused.to_string().contains("this process is user 65532"));
        assert!(refused.hint().contains("`user` of the image empty"));
    }
}
