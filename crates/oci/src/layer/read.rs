//! Reads layers that any tool wrote, and refuses archives that readers interpret differently.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::io::{self, Read};

use content::{Digest, limits};

use super::EntryPath;
use super::extension::Extensions;
use super::fault::{self, Fault, at, unreadable, whole};
use super::member::{self, Member, MemberKind};
use super::stream::{Metered, decompress};
use crate::Error;

/// Reads a layer, plain or in gzip or zstd, and passes every entry and its content to `visit`. Returns the diff ID:
/// the digest of the uncompressed archive. What `visit` receives has not been checked against a digest; it
/// must not be used before this function returns.
///
/// Archives that Go's `archive/tar` (which container runtimes use), GNU tar and Python's `tarfile` read
/// differently are refused: paths that leave the root or appear twice, entries below links or files, links
/// that leave the root, devices and pipes, sparse files, headers of mixed dialects, headers that contradict
/// or displace each other, and bytes after the end of the archive.
///
/// # Errors
/// One of these; more than [`limits::ENTRIES`] entries or [`limits::LAYER`] bytes; a window of
/// more than 128 MiB in zstd; an error of `blob` or `visit`.
pub fn read<E: From<Error>>(
    blob: impl Read,
    visit: impl FnMut(&Member, &mut dyn Read) -> Result<(), E>,
) -> Result<Digest, E> {
    let bounds = Bounds {
        size: limits::LAYER,
        entries: limits::ENTRIES,
    };
    read_within(&bounds, blob, visit)
}

struct Bounds {
    /// Maximum size of the archive, in bytes.
    size: u64,
    /// The maximum number of paths, including directories that are not listed.
    entries: usize,
}

fn read_within<E: From<Error>>(
    bounds: &Bounds,
    blob: impl Read,
    visit: impl FnMut(&Member, &mut dyn Read) -> Result<(), E>,
) -> Result<Digest, E> {
    let plain = decompress(blob)?;
    let mut archive = tar::Archive::new(Metered::new(plain, bounds.size));
    walk(&mut archive, bounds, visit)?;
    Ok(archive.into_inner().finish()?)
}

fn walk<R: Read, E: From<Error>>(
    archive: &mut tar::Archive<R>,
    bounds: &Bounds,
    mut visit: impl FnMut(&Member, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut seen = Seen::default();
    let mut extensions = Extensions::default();
    for entry in archive.entries().map_err(unreadable)?.raw(true) {
        let mut entry = entry.map_err(unreadable)?;
        member::check_dialect(entry.header())?;
        if extensions.collect(&mut entry)? {
            continue;
        }
        let Some(member) = member::read(entry.header(), std::mem::take(&mut extensions))? else {
            continue;
        };
        seen.add(&member, bounds.entries)?;
        let mut content = Exactly::new(&mut entry, &member);
        visit(&member, &mut content)?;
        content.finish()?;
    }
    Ok(extensions.check_used()?)
}

/// The paths read so far, by digest, so that long paths need no more memory than short ones.
#[derive(Default)]
pub(super) struct Seen(HashMap<Digest, Place>);

#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    /// A directory that is not listed but contains an entry.
    Implied,
    Directory,
    Leaf,
}

impl Seen {
    pub(super) fn add(&mut self, member: &Member, limit: usize) -> Result<(), Error> {
        let place = match member.kind {
            MemberKind::Directory => Place::Directory,
            _ => Place::Leaf,
        };
        self.put(&member.path, place)
            .and_then(|()| self.imply_parents(&member.path))
            .map_err(|fault| at(member.path.as_str(), fault))?;
        if self.0.len() > limit {
            return Err(whole(fault::entries(limit)));
        }
        Ok(())
    }

    fn put(&mut self, path: &EntryPath, place: Place) -> Result<(), Fault> {
        match self.0.entry(Digest::of(path.as_str().as_bytes())) {
            Slot::Vacant(slot) => {
                slot.insert(place);
            }
            Slot::Occupied(mut slot) => {
                if (*slot.get(), place) != (Place::Implied, Place::Directory) {
                    return Err(fault::DUPLICATE);
                }
                slot.insert(place);
            }
        }
        Ok(())
    }

    /// Adds the parents of a path, up to the first that is known: its own parents are known too.
    fn imply_parents(&mut self, path: &EntryPath) -> Result<(), Fault> {
        let mut next = path.parent();
        while let Some(parent) = next {
            match self.0.entry(Digest::of(parent.as_str().as_bytes())) {
                Slot::Occupied(slot) if *slot.get() == Place::Leaf => {
                    return Err(fault::PARENT);
                }
                Slot::Occupied(_) => return Ok(()),
                Slot::Vacant(slot) => slot.insert(Place::Implied),
            };
            next = parent.parent();
        }
        Ok(())
    }
}

/// The content of one entry. An early end is an error, because the archive is truncated.
struct Exactly<'a, R> {
    inner: &'a mut R,
    left: u64,
}

impl<'a, R: Read> Exactly<'a, R> {
    fn new(inner: &'a mut R, member: &Member) -> Self {
        let left = match member.kind {
            MemberKind::File { size } => size,
            _ => 0,
        };
        Self { inner, left }
    }

    /// Reads the rest of the content.
    fn finish(mut self) -> Result<(), Error> {
        io::copy(&mut self, &mut io::sink())
            .map(drop)
            .map_err(unreadable)
    }
}

impl<R: Read> Read for Exactly<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |n| n.min(buffer.len()));
        let count = self.inner.read(&mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{self, Content, Entry, Executable, Kind};

    /// A layer of 3 files in 2 directories: 5 paths, 3 blocks of content and 2 at the end.
    fn blob() -> Vec<u8> {
        let file = |path: &str| Entry {
            path: path.parse().unwrap(),
            kind: Kind::File {
                content: Content::Bytes(vec![1; 9]),
                executable: Executable::No,
            },
        };
        let mut blob = Vec::new();
        layer::write(["a/1", "a/2", "b/3"].map(file), &mut blob).unwrap();
        blob
    }

    fn read(blob: &[u8], size: u64, entries: usize) -> Result<Digest, Error> {
        let bounds = Bounds { size, entries };
        read_within(&bounds, blob, |_, _| Ok(()))
    }

    #[test]
    fn limits_are_exact() {
        let size = 10 * 512;
        let fault = |result| match result {
            Err(Error::Invalid { fault, .. }) => fault,
            other => panic!("{other:?}"),
        };
        let gzip = blob();
        let mut plain = Vec::new();
        let archive = decompress(&gzip[..]).unwrap().read_to_end(&mut plain);
        assert_eq!(archive.unwrap() as u64, size);
        for blob in [&gzip, &plain, &testkit::zstd(&plain)] {
            assert!(read(blob, size, 5).is_ok());
            assert_eq!(
                fault(read(blob, size - 1, 5)),
                "more than 5119 bytes unpacked"
            );
            assert_eq!(fault(read(blob, size, 4)), "more than 4 entries");
        }
    }
}
