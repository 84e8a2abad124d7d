use std::io::{self, Read};

use content::{Digest, Hasher, limits};

use super::Entry;
use super::block::{Block, SIZE};
use super::escape::Escapes;
use super::number::decimal;
use super::pax::{self, Records};
use super::sparse::{self, Map, Place};
use crate::Error;
use crate::layer::fault::{self, Fault, unreadable, whole};
use crate::layer::record::text;
use crate::layer::stream::{self, Metered};

/// Maximum size of one extended header, in bytes, as in Go.
const EXTENSION_LIMIT: u64 = 1 << 20;
/// How many bytes of holes are digested in one archive: a small archive can have very many.
const HOLES: u64 = 1 << 30;

/// Reads an archive, plain or in gzip or zstd, and passes its entries to `visit`. Returns the digest of the uncompressed
/// archive, with what follows its end.
///
/// A global extended header is an entry of type `g`; like Go, this function does not apply it to others.
///
/// # Errors
/// The archive is truncated or Go refuses a header; an entry is outside the root or leads through a link that leaves
/// it; there are more than [`limits::ENTRIES`] entries, [`limits::NAMES_TOTAL`] bytes of names or
/// [`limits::LAYER`] bytes; a window in zstd has more than 128 MiB; an error of `blob` or `visit`.
pub fn read<E: From<Error>>(
    blob: impl Read,
    mut visit: impl FnMut(Entry) -> Result<(), E>,
) -> Result<Digest, E> {
    let mut reader = Reader {
        input: Metered::new(stream::decompress(blob)?, limits::LAYER),
        left: 0,
        padding: 0,
        holes: HOLES,
    };
    let mut escapes = Escapes::default();
    while let Some(entry) = reader.next()? {
        escapes.check(&entry)?;
        visit(entry)?;
    }
    Ok(reader.input.finish_after_end()?)
}

/// Passes the bytes of an archive, plain or in gzip or zstd, to `visit`.
///
/// # Errors
/// There are more than [`limits::LAYER`] bytes, a window in zstd has more than 128 MiB, or `blob` cannot be read.
pub fn decompress(blob: impl Read, visit: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let mut archive = Metered::new(stream::decompress(blob)?, limits::LAYER);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match archive.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(()),
            count => visit(&buffer[..count]),
        }
    }
}

struct Reader<R> {
    input: Metered<R>,
    /// Bytes of the present entry that were not read yet.
    left: u64,
    /// Bytes after it, up to a whole block.
    padding: usize,
    /// Bytes of holes that may still be digested.
    holes: u64,
}

/// What the headers before an entry say of it.
#[derive(Default)]
struct Before {
    records: Records,
    name: Vec<u8>,
    link: Vec<u8>,
}

impl<R: Read> Reader<R> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let mut before = Before::default();
        loop {
            let Some(block) = self.header()? else {
                return Ok(None);
            };
            let (entry, size) = block.entry().map_err(whole)?;
            self.begin(&entry, size)?;
            match entry.flag {
                b'x' => before.records = pax::records(&self.extension()?).map_err(whole)?,
                b'g' => return self.global(entry).map(Some),
                b'L' => before.name = text(&self.extension()?).to_vec(),
                b'K' => before.link = text(&self.extension()?).to_vec(),
                _ => return self.entry(block, entry, size, before).map(Some),
            }
        }
    }

    /// The next header; `None` at the end of the archive: two blocks of zeros, or the end of the input after one,
    /// after none, or in the padding of the last entry.
    fn header(&mut self) -> Result<Option<Block>, Error> {
        self.skip()?;
        let mut padding = [0; SIZE];
        if self.fill(&mut padding[..self.padding])? < self.padding {
            return Ok(None);
        }
        self.padding = 0;
        let Some(block) = self.block()? else {
            return Ok(None);
        };
        if !block.is_zero() {
            return Ok(Some(block));
        }
        match self.block()? {
            Some(second) if !second.is_zero() => Err(whole(fault::HEADER)),
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<Block>, Error> {
        let mut block = Block([0; SIZE]);
        match self.fill(&mut block.0)? {
            0 => Ok(None),
            SIZE => Ok(Some(block)),
            _ => Err(truncated()),
        }
    }

    /// Fills the buffer as far as the input reaches.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let most = buffer.len() as u64;
        let mut buffer = io::Cursor::new(buffer);
        let count = io::copy(&mut (&mut self.input).take(most), &mut buffer).map_err(unreadable)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Skips what is left of the present entry.
    fn skip(&mut self) -> Result<(), Error> {
        let mut rest = (&mut self.input).take(self.left);
        let count = io::copy(&mut rest, &mut io::sink()).map_err(unreadable)?;
        if count < self.left {
            return Err(truncated());
        }
        self.left = 0;
        Ok(())
    }

    /// Begins the content of an entry.
    fn begin(&mut self, entry: &Entry, size: i64) -> Result<(), Error> {
        let size = match entry.is_header_only() {
            true => 0,
            false => u64::try_from(size).map_err(|_| whole(fault::HEADER))?,
        };
        self.left = size;
        self.padding = (size.wrapping_neg() % SIZE as u64) as usize;
        Ok(())
    }

    /// A global extended header as an entry: nothing but its name and records.
    fn global(&mut self, header: Entry) -> Result<Entry, Error> {
        let records = pax::records(&self.extension()?).map_err(whole)?;
        let path = records.get(&b"path"[..]).filter(|path| !path.is_empty());
        Ok(Entry {
            name: path.cloned().unwrap_or(header.name),
            flag: header.flag,
            records,
            ..Entry::default()
        })
    }

    /// The content of an extended header.
    fn extension(&mut self) -> Result<Vec<u8>, Error> {
        if self.left > EXTENSION_LIMIT {
            let fault = format!("extended header is larger than {EXTENSION_LIMIT} bytes");
            return Err(whole(fault.into()));
        }
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// The rest of the entry's content, which fails if the input ends before it.
    fn content(&mut self) -> Content<'_, R> {
        Content(self)
    }

    /// An entry with all that the headers before it say, and its content's digest.
    fn entry(
        &mut self,
        block: Block,
        mut entry: Entry,
        size: i64,
        before: Before,
    ) -> Result<Entry, Error> {
        let size = pax::apply(&mut entry, before.records)
            .map_err(whole)?
            .unwrap_or(size);
        for (new, old) in [
            (before.name, &mut entry.name),
            (before.link, &mut entry.link),
        ] {
            if !new.is_empty() {
                *old = new;
            }
        }
        if entry.flag == 0 {
            entry.flag = if entry.name.ends_with(b"/") {
                b'5'
            } else {
                b'0'
            };
        }
        // A negative size is refused here for entries with content only, as in Go.
        self.begin(&entry, size)?;
        entry.size = u64::try_from(size).unwrap_or_default();
        match self.map(block, &mut entry, size)? {
            Some(_) if entry.is_header_only() => return Err(whole(fault::HEADER)),
            Some(map) => {
                entry.size = map.size;
                entry.digest = self.sparse_digest(&map)?;
            }
            None if self.left > 0 => entry.digest = Some(self.digest()?),
            None => {}
        }
        Ok(entry)
    }

    /// The map, if the entry is a sparse file in one of the four forms.
    fn map(&mut self, block: Block, entry: &mut Entry, size: i64) -> Result<Option<Map>, Error> {
        if entry.flag == b'S' {
            return sparse::from_header(block, &mut self.input).map(Some);
        }
        let Some(place) = sparse::place(&entry.records) else {
            return Ok(None);
        };
        let value = |key: &[u8]| entry.records.get(key).filter(|value| !value.is_empty());
        let written = value(b"GNU.sparse.size").or_else(|| value(b"GNU.sparse.realsize"));
        let size = written
            .map_or(Ok(size), |text| decimal(text))
            .map_err(whole)?;
        if let Some(name) = value(b"GNU.sparse.name").cloned() {
            entry.name = name;
        }
        match place {
            Place::Content => sparse::from_content(&mut self.content(), size).map(Some),
            Place::Records => sparse::from_records(&entry.records, size)
                .map(Some)
                .map_err(whole),
        }
    }

    fn digest(&mut self) -> Result<Digest, Error> {
        let mut hasher = Hasher::new();
        io::copy(&mut self.content(), &mut hasher).map_err(unreadable)?;
        Ok(hasher.finish())
    }

    /// Reads the parts, which must be exactly what the archive has, and digests them with the holes between them.
    fn sparse_digest(&mut self, map: &Map) -> Result<Option<Digest>, Error> {
        let stored: i64 = map.parts.iter().map(|part| part.length).sum();
        if u64::try_from(stored).ok() != Some(self.left) {
            return Err(whole(SPARSE));
        }
        let holes = map.size.saturating_sub(self.left);
        let Some(rest) = self.holes.checked_sub(holes) else {
            self.skip()?;
            return Ok(None);
        };
        self.holes = rest;
        let (mut hasher, mut at) = (Hasher::new(), 0);
        for part in &map.parts {
            let (offset, length) = (part.offset.unsigned_abs(), part.length.unsigned_abs());
            zeros(&mut hasher, offset - at);
            io::copy(&mut self.content().take(length), &mut hasher).map_err(unreadable)?;
            at = offset + length;
        }
        zeros(&mut hasher, map.size - at);
        Ok((map.size > 0).then(|| hasher.finish()))
    }
}

const SPARSE: Fault = fault::of("content of a sparse file differs from its map");

fn zeros(hasher: &mut Hasher, count: u64) {
    // Writing to a hasher does not fail.
    let _ = io::copy(&mut io::repeat(0).take(count), hasher);
}

fn truncated() -> Error {
    unreadable(io::ErrorKind::UnexpectedEof.into())
}

/// The rest of an entry's content. An early end is an error, because the archive is truncated.
struct Content<'a, R>(&'a mut Reader<R>);

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.0.left).map_or(buffer.len(), |n| n.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        match self.0.input.read(&mut buffer[..most])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.0.left -= count as u64;
                Ok(count)
            }
        }
    }
}
