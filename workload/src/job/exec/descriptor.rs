//! Secrets as open descriptors.

use std::fs::{File, Permissions};
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, fchown};

use nix::fcntl::{FcntlArg, FdFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::user::User;

/// A file in memory without a name, which no one can change any more. It stays open in programs that this process starts.
pub(super) struct Descriptor(OwnedFd);

impl Descriptor {
    /// A file with these bytes, which `user` can read.
    pub(super) fn of(secret: &[u8], user: User) -> io::Result<Self> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let mut file = File::from(memfd_create("secret", flags)?);
        file.write_all(secret)?;
        file.rewind()?;
        file.set_permissions(Permissions::from_mode(0o400))?;
        fchown(&file, Some(user.uid), Some(user.gid))?;
        let seals = SealFlag::F_SEAL_WRITE
            | SealFlag::F_SEAL_GROW
            | SealFlag::F_SEAL_SHRINK
            | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(Self(file.into()))
    }

    /// The number of the descriptor.
    pub(super) fn number(&self) -> String {
        self.0.as_raw_fd().to_string()
    }
}
