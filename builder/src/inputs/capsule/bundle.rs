//! Layers with many small inputs: a tar archive, whose members are named by their digests in hex, and sorted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use content::{CheckedReader, Digest, Hasher};
use oci::Descriptor;
use tar::{Builder, EntryType, Header};

use super::opened::BUNDLE;
use crate::at::At;
use crate::error::Error;
use crate::interrupt::Interrupt;

/// Where the bytes of an input are.
pub(in crate::inputs) enum Source {
    /// In a file, of which so many are expected.
    File(PathBuf, u64),
    /// Here.
    Bytes(Vec<u8>),
}

/// Writes the layer to a new file.
///
/// # Errors
/// An input cannot be read or has other bytes, the file cannot be written, or the work was interrupted.
pub(super) fn write(
    members: &BTreeMap<Digest, Source>,
    path: &Path,
    interrupt: &Interrupt,
) -> Result<Descriptor, Error> {
    let file = File::create_new(path).map_err(At::writing(path))?;
    let mut archive = Builder::new(Hashing::new(BufWriter::new(file)));
    for (digest, source) in members {
        interrupt.check()?;
        match source {
            Source::File(from, size) => {
                append_file(&mut archive, &digest.hex(), from, *digest, *size)?
            }
            Source::Bytes(bytes) => {
                let header = header(&digest.hex(), bytes.len() as u64);
                let appended = header.and_then(|header| archive.append(&header, &bytes[..]));
                appended.map_err(At::writing(path))?;
            }
        }
    }
    let mut written = archive.into_inner().map_err(At::writing(path))?;
    written.inner.flush().map_err(At::writing(path))?;
    let (digest, size) = (written.hasher.finish(), written.size);
    Ok(Descriptor::new(BUNDLE, digest, size))
}

/// Adds a file, which must have this digest and size.
///
/// # Errors
/// It cannot be read or has other bytes, or the archive cannot be written.
pub(super) fn append_file(
    archive: &mut Builder<impl Write>,
    name: &str,
    from: &Path,
    digest: Digest,
    size: u64,
) -> Result<(), Error> {
    let file = content::open_regular(from).map_err(At::reading(from))?;
    let header = header(name, size).map_err(At::reading(from))?;
    let checked = CheckedReader::new(file, digest, size);
    Ok(archive
        .append(&header, checked)
        .map_err(At::doing("packing", from))?)
}

/// A header of format ustar, in which only name and size differ.
pub(super) fn header(name: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

struct Hashing<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
            size: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
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
