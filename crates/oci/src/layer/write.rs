//! Writes layers in formats v1 and v2.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use content::at::At;
use content::limits;

use super::entry::{check_link, check_mode, check_printable};
use super::fault::{self, Fault};
use super::pipeline::{self, Archive, Written};
use super::ustar::{self, Flag, Header};
use super::{Attributed, Attributes, Content, Entry, EntryPath, Executable, Kind, Owner};
use crate::Error;

type Tree = BTreeMap<EntryPath, (Kind, Attributes)>;

/// Writes `entries` as one layer of format v1 (docs/format-v1.md), or v2 (docs/format-v2.md) if an entry has attributes:
/// sorted by the bytes of their paths, with missing parent directories added, with fixed owners, times and modes, in
/// stored gzip. The bytes depend only on paths, contents, executable bits, link targets and attributes.
///
/// # Errors
/// A path or target with a control character; two paths that are equal or differ only in case; a path below
/// a file or link; a link that leaves the root; a mode that the entry cannot have; more than [`limits::ENTRIES`]
/// entries or [`limits::LAYER`] bytes; a file that cannot be read; an error of `out`.
pub fn write<E: Into<Attributed>>(
    entries: impl IntoIterator<Item = E>,
    out: impl Write + Send,
) -> Result<Written, Error> {
    let tree = sort(entries)?;
    pipeline::write(out, |archive| {
        let mut writer = Writer {
            archive,
            extensions: 0,
        };
        for (path, (kind, attributes)) in &tree {
            writer.append(path, kind, attributes)?;
        }
        // The archive ends with two blocks of zeros and no further padding.
        archive.put(&[0; 2 * ustar::BLOCK])
    })
}

/// The entries by path, with all parents. Strings are ordered by their bytes, so a directory, whose path has
/// no trailing slash here, precedes its contents.
fn sort<E: Into<Attributed>>(entries: impl IntoIterator<Item = E>) -> Result<Tree, Error> {
    let mut tree = BTreeMap::new();
    for entry in entries {
        let Attributed { entry, attributes } = entry.into();
        let Entry { path, kind } = entry;
        let checked = check(&path, &kind).and_then(|()| check_mode(&kind, attributes.mode));
        checked.map_err(|fault| at(&path, fault))?;
        if tree.insert(path.clone(), (kind, attributes)).is_some() {
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

fn add_parents(tree: &mut Tree) -> Result<(), Error> {
    let listed: Vec<EntryPath> = tree.keys().cloned().collect();
    for path in listed {
        let mut next = path.parent();
        while let Some(parent) = next {
            next = parent.parent();
            let added = || (Kind::Directory, Attributes::default());
            if tree.entry(parent).or_insert_with(added).0 != Kind::Directory {
                return Err(at(&path, fault::PARENT));
            }
        }
    }
    Ok(())
}

/// Refuses paths that differ only in case: on some file systems they would be one file.
fn check_case(tree: &Tree) -> Result<(), Error> {
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

struct Writer<'a> {
    archive: &'a mut Archive,
    /// Extended headers written so far.
    extensions: u64,
}

impl Writer<'_> {
    fn append(
        &mut self,
        path: &EntryPath,
        kind: &Kind,
        attributes: &Attributes,
    ) -> Result<(), Error> {
        let own = attributes.mode.map(|mode| u64::from(mode.bits()));
        let header = |flag, mode, size| Header {
            path: path.as_str().as_bytes(),
            flag,
            mode: own.unwrap_or(mode),
            owner: attributes.owner,
            size,
            target: b"",
        };
        match kind {
            Kind::Directory => {
                let path = format!("{path}/");
                self.header(&Header {
                    path: path.as_bytes(),
                    ..header(Flag::Directory, 0o755, 0)
                })
            }
            Kind::Symlink { target } => self.header(&Header {
                target: target.as_bytes(),
                ..header(Flag::Symlink, 0o777, 0)
            }),
            Kind::File {
                content,
                executable,
            } => {
                let mode = match executable {
                    Executable::Yes => 0o755,
                    Executable::No => 0o644,
                };
                self.file(path, content, |size| header(Flag::File, mode, size))
            }
        }
    }

    fn file<'p>(
        &mut self,
        path: &EntryPath,
        content: &Content,
        header: impl FnOnce(u64) -> Header<'p>,
    ) -> Result<(), Error> {
        let size = match content {
            Content::Bytes(bytes) => {
                let size = bytes.len() as u64;
                self.header(&header(size))?;
                self.archive.put(bytes)?;
                size
            }
            Content::File(source) => {
                let (mut file, size) = open(path, source)?;
                self.header(&header(size))?;
                self.copy(path, source, &mut file, size)?;
                size
            }
        };
        self.archive.put(ustar::padding(size))
    }

    fn header(&mut self, header: &Header<'_>) -> Result<(), Error> {
        let records = extension(header.path, header.target);
        if !records.is_empty() {
            self.extend(&records)?;
        }
        self.archive.put(&header.to_bytes())
    }

    /// Writes an extended header for the next entry. Its own name has no meaning, so it is a number.
    fn extend(&mut self, records: &[u8]) -> Result<(), Error> {
        let name = format!("PaxHeaders/{}", self.extensions);
        self.extensions += 1;
        let header = Header {
            path: name.as_bytes(),
            flag: Flag::Extension,
            mode: 0o644,
            owner: Owner::default(),
            size: records.len() as u64,
            target: b"",
        };
        self.archive.put(&header.to_bytes())?;
        self.archive.put(records)?;
        self.archive.put(ustar::padding(records.len() as u64))
    }

    /// Copies exactly the `size` bytes that the header declares.
    fn copy(
        &mut self,
        path: &EntryPath,
        source: &Path,
        file: &mut File,
        size: u64,
    ) -> Result<(), Error> {
        let copied = self
            .archive
            .copy(file, size)?
            .map_err(At::reading(source))?;
        let further = file.read(&mut [0]).map_err(At::reading(source))?;
        match copied == size && further == 0 {
            true => Ok(()),
            false => Err(at(path, fault::CHANGED)),
        }
    }
}

/// The records of an extended header, sorted by key; empty if none is needed.
fn extension(path: &[u8], target: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    if !ustar::target_fits(target) {
        records.extend(ustar::record("linkpath", target));
    }
    if ustar::split(path).is_none() {
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
