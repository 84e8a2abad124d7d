//! What a store records about unpacked folders and archives: their sizes and digests, and when they were last used.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

/// Extension of the record of an unpacked folder, which is next to the folder. It contains the size in bytes, and its
/// modification time is the time of the last use.
const RECORD: &str = "used";
/// Extension of the file with the digest of an unpacked folder, which is next to the folder.
const DIGEST: &str = "digest";
/// Records that a folder was unpacked, and its size.
pub(super) fn note(place: &Path) -> io::Result<()> {
    fs::write(record(place), size_of(place)?.to_string())
}

/// Records that an archive or an unpacked folder is used now. If that fails, for example in the store of another user,
/// it is only removed earlier.
pub(super) fn touch(place: &Path) {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let now = Timestamps {
        last_access: now,
        last_modification: now,
    };
    let _ = utimensat(CWD, place, &now, AtFlags::SYMLINK_NOFOLLOW);
}

pub(super) fn record(place: &Path) -> PathBuf {
    place.with_extension(RECORD)
}

pub(super) fn digest_record(place: &Path) -> PathBuf {
    place.with_extension(DIGEST)
}

/// Bytes of a file, or of all files below a folder.
pub(super) fn size_of(place: &Path) -> io::Result<u64> {
    let found = fs::symlink_metadata(place)?;
    if !found.is_dir() {
        return Ok(found.len());
    }
    let below = fs::read_dir(place)?.map(|entry| size_of(&entry?.path()));
    below.sum()
}
