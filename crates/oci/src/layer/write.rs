//! Writes layers in formats v1 and v2.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Write;
use std::path::Path;

use content::at::At;
use content::limits;

use super::entry::{check_link, check_mode, check_printable};
use super::fault::{self, Fault};
use super::pipeline::{self, Archive, Length, Written};
use super::ustar::{self, Flag, Header};
use super::{Attributed, Attributes, Content, Entry, EntryPath, Executable, Kind, Owner};
use crate::Error;

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
    let entries = sort(entries)?;
    pipeline::write(out, |archive| {
        let mut writer = Writer {
            archive,
            extensions: 0,
        };
        for Attributed { entry, attributes } in &entries {
            writer.append(&entry.path, &entry.kind, attributes)?;
        }
        // The archive ends with two blocks of zeros and no further padding.
        archive.put(&[0; 2 * ustar::BLOCK])
    })
}

/// The entries, sorted, with all parents. Strings are ordered by their bytes, so a directory, whose path has
/// no trailing slash here, precedes its contents.
fn sort<E: Into<Attributed>>(
    entries: impl IntoIterator<Item = E>,
) -> Result<Vec<Attributed>, Error> {
    let mut entries: Vec<Attributed> = entries.into_iter().map(Into::into).collect();
    for Attributed { entry, attributes } in &entries {
        let checked = check(&entry.path, &entry.kind);
        let checked = checked.and_then(|()| check_mode(&entry.kind, attributes.mode));
        checked.map_err(|fault| at(&entry.path, fault))?;
    }
    by_path(&mut entries);
    let mut pairs = entries.windows(2);
    if let Some(pair) = pairs.find(|pair| pair[0].entry.path == pair[1].entry.path) {
        return Err(at(&pair[0].entry.path, fault::DUPLICATE));
    }
    add_parents(&mut entries)?;
    check_case(&entries)?;
    let limit = limits::ENTRIES;
    match entries.get(limit) {
        Some(Attributed { entry, .. }) => Err(at(&entry.path, fault::entries(limit))),
        None => Ok(entries),
    }
}

fn by_path(entries: &mut [Attributed]) {
    entries.sort_unstable_by(|one, other| one.entry.path.cmp(&other.entry.path));
}

/// Finds an entry among sorted ones.
fn find<'a>(entries: &'a [Attributed], path: &str) -> Option<&'a Entry> {
    let place = entries.binary_search_by(|found| found.entry.path.as_str().cmp(path));
    place.ok().map(|place| &entries[place].entry)
}

fn check(path: &EntryPath, kind: &Kind) -> Result<(), Fault> {
    check_printable(path.as_str())?;
    let Kind::Symlink { target } = kind else {
        return Ok(());
    };
    check_printable(target)?;
    check_link(path, target)
}

fn add_parents(entries: &mut Vec<Attributed>) -> Result<(), Error> {
    let mut missing = BTreeSet::new();
    let mut last = None;
    for Attributed { entry, .. } in entries.iter() {
        // Most entries are in the directory of the one before.
        let nearest = entry.path.parents().next();
        if std::mem::replace(&mut last, nearest) == nearest {
            continue;
        }
        for parent in entry.path.parents() {
            match find(entries, parent).map(|parent| &parent.kind) {
                // Its own parents are looked for in its turn.
                Some(Kind::Directory) => break,
                Some(_) => return Err(at(&entry.path, fault::PARENT)),
                None if missing.insert(parent) => {}
                None => break,
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let added = missing.into_iter().map(|path| Entry {
        path: EntryPath::of_parent(path),
        kind: Kind::Directory,
    });
    let added: Vec<Attributed> = added.map(Into::into).collect();
    entries.extend(added);
    by_path(entries);
    Ok(())
}

/// Refuses paths that differ only in case: on some file systems they would be one file. At least one of two such paths is
/// not in lower case.
fn check_case(entries: &[Attributed]) -> Result<(), Error> {
    let mut seen: HashMap<String, &EntryPath> = HashMap::new();
    for Attributed { entry, .. } in entries {
        let path = &entry.path;
        let lower = path.as_str().to_lowercase();
        if lower == path.as_str() {
            continue;
        }
        let other = find(entries, &lower).map(|other| &other.path);
        if let Some(other) = other.or(seen.get(&lower).copied()) {
            let (first, second) = (path.min(other), path.max(other));
            let fault = format!("path differs from {:?} in case only", first.as_str());
            return Err(at(second, fault.into()));
        }
        seen.insert(lower, path);
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
        let copied = self.archive.copy(file, size)?;
        match copied.map_err(At::reading(source))? {
            Length::AsDeclared => Ok(()),
            Length::Other => Err(at(path, fault::CHANGED)),
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
