//! Computes both digests of a layer, and writes it, on other threads than the one that reads its files.

use std::collections::VecDeque;
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
/// Size of the pieces in which the blob is written, in bytes: whole pages of memory.
const PIECE: usize = 256 << 10;
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
    /// Always of [`BLOCK`] bytes.
    block: Vec<u8>,
    /// How many bytes of the block are used.
    used: usize,
    threads: [SyncSender<Block>; 2],
    /// Blocks that threads have or had, oldest first.
    sent: VecDeque<Block>,
    size: u64,
}

/// Whether a file had as many bytes as were declared.
pub(super) enum Length {
    AsDeclared,
    Other,
}

impl Archive {
    fn to(threads: [SyncSender<Block>; 2]) -> Self {
        Self {
            block: vec![0; BLOCK],
            used: 0,
            threads,
            sent: VecDeque::new(),
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
            let room = self.room()?;
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            self.used += now.len();
            bytes = later;
        }
        Ok(())
    }

    /// Appends a file of `size` bytes. If it has another length, the archive must not be used.
    ///
    /// # Errors
    /// As [`Self::put`]; the inner error is that of the file.
    pub(super) fn copy(&mut self, file: &mut File, size: u64) -> Result<io::Result<Length>, Error> {
        self.grow(size)?;
        let mut left = size;
        loop {
            let room = self.room()?;
            // One byte more than is left shows that the file ends there, without another call.
            let most = usize::try_from(left + 1).map_or(room.len(), |most| most.min(room.len()));
            let count = match read(file, &mut room[..most]) {
                Ok(count) => count,
                Err(error) => return Ok(Err(error)),
            };
            if count as u64 > left || (count == 0 && left > 0) {
                return Ok(Ok(Length::Other));
            }
            self.used += count;
            left -= count as u64;
            if left == 0 && count < most {
                return Ok(Ok(Length::AsDeclared));
            }
        }
    }

    fn grow(&mut self, count: u64) -> Result<(), Error> {
        let limit = limits::LAYER;
        self.size = self.size.saturating_add(count);
        match self.size > limit {
            true => Err(fault::whole(fault::size(limit))),
            false => Ok(()),
        }
    }

    /// The rest of the block, of at least one byte.
    fn room(&mut self) -> Result<&mut [u8], Error> {
        if self.used == BLOCK {
            self.send()?;
        }
        Ok(&mut self.block[self.used..])
    }

    /// Gives the block to both threads.
    fn send(&mut self) -> Result<(), Error> {
        let next = self.unused();
        let mut block = std::mem::replace(&mut self.block, next);
        block.truncate(self.used);
        self.used = 0;
        let block = Arc::new(block);
        for thread in &self.threads {
            let sent = thread.send(Arc::clone(&block));
            sent.map_err(|_| Error::WriteLayer(io::ErrorKind::BrokenPipe.into()))?;
        }
        self.sent.push_back(block);
        Ok(())
    }

    /// A block that both threads are done with. There are as many blocks as can wait for threads.
    fn unused(&mut self) -> Vec<u8> {
        match self.sent.pop_front().map(Arc::try_unwrap) {
            Some(Ok(block)) if block.len() == BLOCK => return block,
            Some(Err(waiting)) => self.sent.push_front(waiting),
            _ => {}
        }
        vec![0; BLOCK]
    }
}

/// Reads once, again if a signal interrupts it.
fn read(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Computes the digest and the size of what is written, and writes it in large pieces: file systems copy whole pages in half
/// the time that they take for bytes from the middle of a page on.
struct Counted<W> {
    inner: W,
    piece: Vec<u8>,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Counted<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            piece: Vec::with_capacity(PIECE),
            hasher: Hasher::new(),
            size: 0,
        }
    }

    fn write_piece(&mut self) -> io::Result<()> {
        self.inner.write_all(&self.piece)?;
        self.hasher.update(&self.piece);
        self.size += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..count]);
        if self.piece.len() == PIECE {
            self.write_piece()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_piece()?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;

    use super::*;

    /// What is written if the file of `content` is declared to have `size` bytes; `None` if it has another length.
    fn copied(before: usize, content: &[u8], size: usize) -> Option<Digest> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        let mut length = Length::Other;
        let written = write(io::sink(), |archive| {
            archive.put(&vec![7; before])?;
            length = archive.copy(&mut file, size as u64)?.unwrap();
            Ok(())
        });
        matches!(length, Length::AsDeclared).then(|| written.unwrap().diff_id)
    }

    #[test]
    fn a_file_has_the_length_that_was_declared() {
        for before in [0, 512, BLOCK - 1] {
            for size in [
                0,
                1,
                512,
                BLOCK - 513,
                BLOCK - 512,
                BLOCK,
                BLOCK + 1,
                20 * BLOCK,
            ] {
                let content: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
                let expected = Digest::of(&[&vec![7; before], &content[..]].concat());
                assert_eq!(
                    copied(before, &content, size),
                    Some(expected),
                    "{before} {size}"
                );
                assert_eq!(copied(before, &content, size + 1), None, "{before} {size}");
                if size > 0 {
                    assert_eq!(copied(before, &content, size - 1), None, "{before} {size}");
                }
            }
        }
    }
}
