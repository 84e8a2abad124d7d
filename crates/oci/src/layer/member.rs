use content::limits;

use super::EntryPath;
use super::entry::check_link;
use super::extension::Extensions;
use super::fault::at;
use crate::{Error, LayerFault};

/// One entry of a layer that somebody wrote.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Where in the image. A last part that starts with `.wh.` is a whiteout (OCI image
    /// specification, layer.md).
    pub path: EntryPath,
    /// What is there.
    pub kind: MemberKind,
    /// The mode bits of the header.
    pub mode: u32,
    /// The owner's number in the header.
    pub uid: u64,
    /// The group's number in the header.
    pub gid: u64,
    /// The time of the header in seconds since 1970.
    pub mtime: u64,
}

/// What an entry of somebody's layer is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MemberKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Bytes of content.
        size: u64,
    },
    /// A symbolic link; the target never climbs above the image's root.
    Symlink {
        /// Relative to the link, or absolute from the image's root.
        target: String,
    },
    /// Another name for a regular file.
    HardLink {
        /// The file.
        target: EntryPath,
    },
}

/// Refuses a header whose bytes after `devminor` some readers take for the front of the path, and some
/// for nothing or for something else: only POSIX has a prefix there (POSIX.1-2017, pax: ustar
/// interchange format), Python reads one from every header, and `star` ends it earlier and writes into
/// the last 12 bytes.
pub(crate) fn check_dialect(header: &tar::Header) -> Result<(), Error> {
    let bytes = header.as_bytes();
    let behind = match &bytes[257..265] {
        b"ustar\x0000" => &bytes[500..],
        other if other.starts_with(b"ustar\0") => return Err(at("", LayerFault::Header)),
        _ => &bytes[345..],
    };
    match behind.iter().all(|&byte| byte == 0) {
        true => Ok(()),
        false => Err(at("", LayerFault::Header)),
    }
}

/// Reads the header of an entry; `None` for the root directory, which every layer has anyway.
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
) -> Result<Option<Member>, LayerFault> {
    let name = String::from_utf8(name).map_err(|_| LayerFault::Encoding)?;
    let flag = flag(header, &name)?;
    let size = size(header, extensions)?;
    let Some(path) = EntryPath::from_archive(&name)? else {
        return match flag {
            b'5' if size == 0 => Ok(None),
            _ => Err(LayerFault::Path),
        };
    };
    let kind = match flag {
        b'0' => MemberKind::File { size },
        _ if size > 0 => return Err(LayerFault::Content { size }),
        b'5' => MemberKind::Directory,
        b'2' => symlink(&path, link_target(header, extensions)?)?,
        _ => hard_link(link_target(header, extensions)?)?,
    };
    let malformed = |_| LayerFault::Header;
    Ok(Some(Member {
        path,
        kind,
        mode: header.mode().map_err(malformed)?,
        uid: header.uid().map_err(malformed)?,
        gid: header.gid().map_err(malformed)?,
        mtime: header.mtime().map_err(malformed)?,
    }))
}

/// The type flag, with the spellings of the first tar programs brought to those of POSIX. A file
/// whose name ends in a slash was their directory, and is nobody's file.
fn flag(header: &tar::Header, name: &str) -> Result<u8, LayerFault> {
    match (header.entry_type().as_byte(), name.ends_with('/')) {
        (b'0' | 0, false) => Ok(b'0'),
        (0, true) => Ok(b'5'),
        (b'0', true) => Err(LayerFault::Path),
        (flag @ (b'1' | b'2' | b'5'), _) => Ok(flag),
        (flag, _) => Err(LayerFault::Kind {
            kind: char::from(flag),
        }),
    }
}

/// Sizes in binary are above any limit of ours, and readers disagree about their upper bytes.
fn size(header: &tar::Header, extensions: &Extensions) -> Result<u64, LayerFault> {
    let limit = limits::LAYER;
    let binary = header.as_old().size[0] & 0x80 != 0;
    let size = header.entry_size().map_err(|_| LayerFault::Header)?;
    if binary || size > limit {
        return Err(LayerFault::Size { limit });
    }
    match extensions.size() {
        Some(other) if other != size => Err(LayerFault::Extension),
        _ => Ok(size),
    }
}

fn link_target(header: &tar::Header, extensions: &Extensions) -> Result<String, LayerFault> {
    let target = extensions.link().map_or_else(
        || header.link_name_bytes().unwrap_or_default().into_owned(),
        <[u8]>::to_vec,
    );
    String::from_utf8(target).map_err(|_| LayerFault::Encoding)
}

fn symlink(path: &EntryPath, target: String) -> Result<MemberKind, LayerFault> {
    check_link(path, &target)?;
    Ok(MemberKind::Symlink { target })
}

fn hard_link(target: String) -> Result<MemberKind, LayerFault> {
    match EntryPath::from_archive(&target) {
        Ok(Some(target)) => Ok(MemberKind::HardLink { target }),
        _ => Err(LayerFault::Link { target }),
    }
}
