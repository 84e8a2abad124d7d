use content::limits;

use super::EntryPath;
use super::entry::check_link;
use super::extension::Extensions;
use super::fault::{self, Fault, at, whole};
use crate::Error;

/// One entry of a layer that any tool wrote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// The path in the image. If its last part starts with `.wh.`, the entry is a whiteout (OCI image
    /// specification, layer.md).
    pub path: EntryPath,
    /// The type, with its size or target.
    pub kind: MemberKind,
    /// The mode bits of the header.
    pub mode: u32,
    /// The user ID in the header.
    pub uid: u64,
    /// The group ID in the header.
    pub gid: u64,
    /// The modification time in the header, in Unix seconds.
    pub mtime: u64,
}

/// The type of a [`Member`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MemberKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// The size of the content in bytes.
        size: u64,
    },
    /// A symbolic link. The target does not leave the image's root.
    Symlink {
        /// The target: relative to the link, or absolute from the image's root.
        target: String,
    },
    /// Another name for a regular file.
    HardLink {
        /// The path of the file.
        target: EntryPath,
    },
}

/// Refuses a header whose bytes after `devminor` are not read in the same way by all readers: only POSIX
/// defines a prefix of the path there (POSIX.1-2017, pax: ustar interchange format), Python reads a prefix
/// from every header, and `star` has a shorter prefix and uses the last 12 bytes.
pub(crate) fn check_dialect(header: &tar::Header) -> Result<(), Error> {
    let bytes = header.as_bytes();
    let behind = match &bytes[257..265] {
        b"ustar\x0000" => &bytes[500..],
        other if other.starts_with(b"ustar\0") => return Err(whole(fault::HEADER)),
        _ => &bytes[345..],
    };
    match behind.iter().all(|&byte| byte == 0) {
        true => Ok(()),
        false => Err(whole(fault::HEADER)),
    }
}

/// Parses the header of an entry; `None` for the root directory, which every layer has.
pub(crate) fn read(header: &tar::Header, extensions: Extensions) -> Result<Option<Member>, Error> {
    let name = extensions
        .path()
        .map_or_else(|| header.path_bytes().into_owned(), <[u8]>::to_vec);
    let lossy = String::from_utf8_lossy(&name).into_owned();
    parse(header, &extensions, name).map_err(|fault| at(&lossy, fault))
}

fn parse(
    header: &tar::Header,
    extensions: &Extensions,
    name: Vec<u8>,
) -> Result<Option<Member>, Fault> {
    let name = String::from_utf8(name).map_err(|_| fault::ENCODING)?;
    let flag = flag(header, &name)?;
    let size = size(header, extensions)?;
    let Some(path) = EntryPath::from_archive(&name)? else {
        return match flag {
            b'5' if size == 0 => Ok(None),
            _ => Err(fault::PATH),
        };
    };
    let kind = match flag {
        b'0' => MemberKind::File { size },
        _ if size > 0 => {
            let fault = format!("{size} bytes of content in an entry that is not a file");
            return Err(fault.into());
        }
        b'5' => MemberKind::Directory,
        b'2' => symlink(&path, link_target(header, extensions)?)?,
        _ => hard_link(link_target(header, extensions)?)?,
    };
    let malformed = |_| fault::HEADER;
    Ok(Some(Member {
        path,
        kind,
        mode: header.mode().map_err(malformed)?,
        uid: header.uid().map_err(malformed)?,
        gid: header.gid().map_err(malformed)?,
        mtime: header.mtime().map_err(malformed)?,
    }))
}

/// The type flag, with the flags of the oldest tar programs converted to those of POSIX. In their archives
/// a file whose name ends in a slash is a directory; with the flag of a file it is refused.
fn flag(header: &tar::Header, name: &str) -> Result<u8, Fault> {
    match (header.entry_type().as_byte(), name.ends_with('/')) {
        (b'0' | 0, false) => Ok(b'0'),
        (0, true) => Ok(b'5'),
        (b'0', true) => Err(fault::PATH),
        (flag @ (b'1' | b'2' | b'5'), _) => Ok(flag),
        (flag, _) => Err(format!(
            "type {:?} is not a file, directory or link",
            char::from(flag)
        )
        .into()),
    }
}

/// The size of an entry. Sizes in binary are refused: they exceed every limit, and readers disagree on
/// their upper bytes.
fn size(header: &tar::Header, extensions: &Extensions) -> Result<u64, Fault> {
    let limit = limits::LAYER;
    let binary = header.as_old().size[0] & 0x80 != 0;
    let size = header.entry_size().map_err(|_| fault::HEADER)?;
    if binary || size > limit {
        return Err(fault::size(limit));
    }
    match extensions.size() {
        Some(other) if other != size => Err(fault::EXTENSION),
        _ => Ok(size),
    }
}

fn link_target(header: &tar::Header, extensions: &Extensions) -> Result<String, Fault> {
    let target = extensions.link().map_or_else(
        || header.link_name_bytes().unwrap_or_default().into_owned(),
        <[u8]>::to_vec,
    );
    String::from_utf8(target).map_err(|_| fault::ENCODING)
}

fn symlink(path: &EntryPath, target: String) -> Result<MemberKind, Fault> {
    check_link(path, &target)?;
    Ok(MemberKind::Symlink { target })
}

fn hard_link(target: String) -> Result<MemberKind, Fault> {
    match EntryPath::from_archive(&target) {
        Ok(Some(target)) => Ok(MemberKind::HardLink { target }),
        _ => Err(fault::link(&target)),
    }
}
