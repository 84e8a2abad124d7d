//! Computes both digests of a layer, and writes it, on other threads than the one that reads its files.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use content::{Digest, Hasher, limits};

use super::fault;
use super::gzip::StoredGzip;
use crate::Error;

/// Size of the blocks that threads exchange, in bytes. With as many as a stored block of gzip has, each becomes one.
const BLOCK: usize = 65_535;
/// Blocks that may wait for a thread.
const WAITING: usize = 4;

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

type Block = Arc<Vec<u8>>;

/// Writes the archive that `fill` makes into `out`, in stored gzip.
///
/// # Errors
/// Those of `fill` and of `out`; an archive of more than [`limits::LAYER`] bytes.
pub(super) fn write<W: Write + Send>(
    out: W,
    fill: impl FnOnce(&mut Archive) -> Result<(), Error>,
) -> Result<Written, Error> {
    thread::scope(|scope| {
        let (to_digest, of_archive) = sync_channel(WAITING);
        let (to_blob, of_blob) = sync_channel(WAITING);
        let diff_id = scope.spawn(move || digest(&of_archive));
        let blob = scope.spawn(move || blob(&of_blob, out));
        let mut archive = Archive::to([to_digest, to_blob]);
        let filled = fill(&mut archive).and_then(|()| archive.send());
        // The threads end when no more blocks can come.
        drop(archive);
        let diff_id = joined(diff_id);
        // If the blob could not be written, `fill` was only told that it is over.
        let (digest, size) = joined(blob).map_err(Error::WriteLayer)?;
        filled.map(|()| Written {
            digest,
            size,
            diff_id,
        })
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    let result = thread.join();
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn digest(blocks: &Receiver<Block>) -> Digest {
    let mut hasher = Hasher::new();
    blocks.iter().for_each(|block| hasher.update(&block));
    hasher.finish()
}

/// Writes the blob. Returns its digest and size.
fn blob(blocks: &Receiver<Block>, out: impl Write) -> io::Result<(Digest, u64)> {
    let mut gzip = StoredGzip::new(Counted::new(out))?;
    for block in blocks {
        gzip.write_all(&block)?;
    }
    let mut blob = gzip.finish()?;
    blob.flush()?;
    Ok((blob.hasher.finish(), blob.size))
}

/// The archive that is being written.
pub(super) struct Archive {
    block: Vec<u8>,
    threads: [SyncSender<Block>; 2],
    size: u64,
}

impl Archive {
    fn to(threads: [SyncSender<Block>; 2]) -> Self {
        Self {
            block: Vec::with_capacity(BLOCK),
            threads,
            size: 0,
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The archive has more than [`limits::LAYER`] bytes, or cannot be written.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.grow(bytes.len() as u64)?;
        while !bytes.is_empty() {
            let count = bytes.len().min(self.room()?);
            self.block.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Appends the next `size` bytes of a file. Returns how many it had.
    ///
    /// # Errors
    /// As [`Self::put`]; the inner error is that of the file.
    pub(super) fn copy(&mut self, file: &mut File, size: u64) -> Result<io::Result<u64>, Error> {
        self.grow(size)?;
        let mut left = size;
        while left > 0 {
            let count = left.min(self.room()? as u64);
            // Into the block itself, which has this capacity.
            match (&mut *file).take(count).read_to_end(&mut self.block) {
                Ok(0) => break,
                Ok(count) => left -= count as u64,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(size - left))
    }

    fn grow(&mut self, count: u64) -> Result<(), Error> {
        let limit = limits::LAYER;
        self.size = self.size.saturating_add(count);
        match self.size > limit {
            true => Err(fault::whole(fault::size(limit))),
            false => Ok(()),
        }
    }

    /// How many bytes fit into the block; at least one.
    fn room(&mut self) -> Result<usize, Error> {
        if self.block.len() == BLOCK {
            self.send()?;
        }
        Ok(BLOCK - self.block.len())
    }

    /// Gives the block to both threads.
    fn send(&mut self) -> Result<(), Error> {
        let next = Vec::with_capacity(BLOCK);
        let block = Arc::new(std::mem::replace(&mut self.block, next));
        for thread in &self.threads {
            let sent = thread.send(Arc::clone(&block));
            sent.map_err(|_| Error::WriteLayer(io::ErrorKind::BrokenPipe.into()))?;
        }
        Ok(())
    }
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
