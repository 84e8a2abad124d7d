//! Writes layers in format v1.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use content::at::At;
use content::{Digest, Hasher, limits};

use super::entry::{check_link, check_printable};
use super::fault::{self, Fault};
use super::gzip::StoredGzip;
use super::ustar::{self, Flag, Header};
use super::{Content, Entry, EntryPath, Executable, Kind};
use crate::Error;

/// The digests and the size of a layer that was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Written {
    /// The digest of the blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// The digest of the tar archive in it.
    pub diff_id: Digest,
}

/// Writes `entries` as one layer of format v1 (docs/format-v1.md): sorted by the bytes of their paths, with
/// missing parent directories added, with fixed owners, times and modes, in stored gzip. The bytes depend
/// only on paths, contents, executable bits and link targets.
///
/// # Errors
/// A path or target with a control character; two paths that are equal or differ only in case; a path below
/// a file or link; a link that leaves the root; more than [`limits::ENTRIES`] entries or [`limits::LAYER`]
/// bytes; a file that cannot be read; an error of `out`.
pub fn write(entries: impl IntoIterator<Item = Entry>, out: impl Write) -> Result<Written, Error> {
    let tree = sort(entries)?;
    let gzip = StoredGzip::new(Counted::new(out)).map_err(Error::WriteLayer)?;
    let mut archive = Archive {
        out: Counted::new(gzip),
        extensions: 0,
    };
    for (path, kind) in &tree {
        archive.append(path, kind)?;
    }
    archive.finish()
}

/// The entries by path, with all parents. Strings are ordered by their bytes, so a directory, whose path has
/// no trailing slash here, precedes its contents.
fn sort(entries: impl IntoIterator<Item = Entry>) -> Result<BTreeMap<EntryPath, Kind>, Error> {
    let mut tree = BTreeMap::new();
    for Entry { path, kind } in entries {
        check(&path, &kind).map_err(|fault| at(&path, fault))?;
        if tree.insert(path.clone(), kind).is_some() {
            return Err(at(&path, fault::DUPLICATE));
        }
    }
    add_parents(&mut tree)?;
    check_case(&tree)?;
    let limit = limits::ENTRIES;
    match tree.keys().nth(limit) {
        Some(path) => Err(at(path, fault::entries(limit))),
        None => Ok(tree),
    }
}

fn check(path: &EntryPath, kind: &Kind) -> Result<(), Fault> {
    check_printable(path.as_str())?;
    let Kind::Symlink { target } = kind else {
        return Ok(());
    };
    check_printable(target)?;
    check_link(path, target)
}

fn add_parents(tree: &mut BTreeMap<EntryPath, Kind>) -> Result<(), Error> {
    let listed: Vec<EntryPath> = tree.keys().cloned().collect();
    for path in listed {
        let mut next = path.parent();
        while let Some(parent) = next {
            next = parent.parent();
            if *tree.entry(parent).or_insert(Kind::Directory) != Kind::Directory {
                return Err(at(&path, fault::PARENT));
            }
        }
    }
    Ok(())
}

/// Refuses paths that differ only in case: on some file systems they would be one file.
fn check_case(tree: &BTreeMap<EntryPath, Kind>) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for path in tree.keys() {
        if let Some(other) = seen.insert(path.as_str().to_lowercase(), path) {
            let other = other.as_str();
            let fault = format!("path differs from {other:?} in case only");
            return Err(at(path, fault.into()));
        }
    }
    Ok(())
}

fn at(path: &EntryPath, fault: Fault) -> Error {
    fault::at(path.as_str(), fault)
}

struct Archive<W: Write> {
    out: Counted<StoredGzip<Counted<W>>>,
    /// Extended headers written so far.
    extensions: u64,
}

impl<W: Write> Archive<W> {
    fn append(&mut self, path: &EntryPath, kind: &Kind) -> Result<(), Error> {
        match kind {
            Kind::Directory => {
                let path = format!("{path}/");
                self.header(&path, Flag::Directory, 0o755, 0, "")
            }
            Kind::Symlink { target } => self.header(path.as_str(), Flag::Symlink, 0o777, 0, target),
            Kind::File {
                content,
                executable,
            } => self.file(path, content, *executable),
        }
    }

    fn file(&mut self, path: &EntryPath, content: &Content, exec: Executable) -> Result<(), Error> {
        let mode = match exec {
            Executable::Yes => 0o755,
            Executable::No => 0o644,
        };
        match content {
            Content::Bytes(bytes) => {
                let size = bytes.len() as u64;
                self.header(path.as_str(), Flag::File, mode, size, "")?;
                self.put(bytes)?;
                self.put(ustar::padding(size))
            }
            Content::File(source) => {
                let (file, size) = open(path, source)?;
                self.header(path.as_str(), Flag::File, mode, size, "")?;
                self.copy(path, source, file, size)?;
                self.put(ustar::padding(size))
            }
        }
    }

    fn header(
        &mut self,
        path: &str,
        flag: Flag,
        mode: u64,
        size: u64,
        target: &str,
    ) -> Result<(), Error> {
        let records = extension(path, target);
        if !records.is_empty() {
            self.extend(&records)?;
        }
        let header = Header {
            path: path.as_bytes(),
            flag,
            mode,
            size,
            target: target.as_bytes(),
        };
        self.put(&header.to_bytes())
    }

    /// Writes an extended header for the next entry. Its own name has no meaning, so it is a number.
    fn extend(&mut self, records: &[u8]) -> Result<(), Error> {
        let name = format!("PaxHeaders/{}", self.extensions);
        self.extensions += 1;
        let header = Header {
            path: name.as_bytes(),
            flag: Flag::Extension,
            mode: 0o644,
            size: records.len() as u64,
            target: b"",
        };
        self.put(&header.to_bytes())?;
        self.put(records)?;
        self.put(ustar::padding(records.len() as u64))
    }

    /// Copies exactly the `size` bytes that the header declares.
    fn copy(
        &mut self,
        path: &EntryPath,
        source: &Path,
        mut file: File,
        size: u64,
    ) -> Result<(), Error> {
        let mut buffer = vec![0; 1 << 16];
        let mut seen = 0;
        loop {
            let count = file.read(&mut buffer).map_err(At::reading(source))?;
            seen += count as u64;
            match (count, seen == size) {
                (0, true) => return Ok(()),
                (0, false) => return Err(at(path, fault::CHANGED)),
                _ if seen > size => return Err(at(path, fault::CHANGED)),
                _ => self.put(&buffer[..count])?,
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(Error::WriteLayer)?;
        let limit = limits::LAYER;
        if self.out.size > limit {
            return Err(fault::whole(fault::size(limit)));
        }
        Ok(())
    }

    /// Ends the archive with two blocks of zeros and no further padding.
    fn finish(mut self) -> Result<Written, Error> {
        self.put(&[0; 2 * ustar::BLOCK])?;
        let Counted {
            inner: gzip,
            hasher,
            ..
        } = self.out;
        let mut blob = gzip.finish().map_err(Error::WriteLayer)?;
        blob.inner.flush().map_err(Error::WriteLayer)?;
        Ok(Written {
            digest: blob.hasher.finish(),
            size: blob.size,
            diff_id: hasher.finish(),
        })
    }
}

/// The records of an extended header, sorted by key; empty if none is needed.
fn extension(path: &str, target: &str) -> Vec<u8> {
    let mut records = Vec::new();
    if !ustar::target_fits(target.as_bytes()) {
        records.extend(ustar::record("linkpath", target));
    }
    if ustar::split(path.as_bytes()).is_none() {
        records.extend(ustar::record("path", path));
    }
    records
}

fn open(path: &EntryPath, source: &Path) -> Result<(File, u64), Error> {
    let file = File::open(source).map_err(At::reading(source))?;
    let metadata = file.metadata().map_err(At::reading(source))?;
    if !metadata.is_file() {
        return Err(at(path, fault::CHANGED));
    }
    Ok((file, metadata.len()))
}

/// Computes the digest and the size of what is written.
struct Counted<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W> Counted<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
            size: 0,
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
