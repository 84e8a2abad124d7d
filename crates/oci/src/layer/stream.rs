//! The bytes of a layer: decompressed, digested and limited.

use std::io::{self, Read};

use content::{Digest, Hasher};
use flate2::read::MultiGzDecoder;

use super::fault::{self, unreadable, whole};
use super::zstd;
use crate::Error;

/// The first bytes of gzip (RFC 1952, 2.3.1: ID1 and ID2).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How many bytes show the compression.
const MAGIC: u64 = 4;

/// The compression of a blob.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Compression {
    /// None.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// zstd (RFC 8878).
    Zstd,
}

impl Compression {
    /// The compression that the first bytes of a blob show, by the rules of containerd and Docker.
    ///
    /// # Errors
    /// The blob cannot be read.
    pub fn of(blob: impl Read) -> io::Result<Self> {
        let mut first = Vec::new();
        blob.take(MAGIC).read_to_end(&mut first)?;
        Ok(Self::shown_by(&first))
    }

    fn shown_by(first: &[u8]) -> Self {
        match <[u8; MAGIC as usize]>::try_from(first) {
            Ok(magic) if zstd::is_magic(magic) => Self::Zstd,
            _ if first.starts_with(&GZIP) => Self::Gzip,
            _ => Self::Plain,
        }
    }
}

/// Decompresses a blob. The first bytes show its compression.
pub(crate) fn decompress<'a>(mut blob: impl Read + 'a) -> Result<Box<dyn Read + 'a>, Error> {
    let mut first = Vec::new();
    let start = (&mut blob).take(MAGIC).read_to_end(&mut first);
    start.map_err(unreadable)?;
    let compression = Compression::shown_by(&first);
    let blob = io::Cursor::new(first).chain(blob);
    Ok(match compression {
        Compression::Plain => Box::new(blob),
        Compression::Gzip => Box::new(MultiGzDecoder::new(blob)),
        Compression::Zstd => Box::new(zstd::Frames::new(blob)),
    })
}

/// Computes the digest of the archive and limits its size.
pub(crate) struct Metered<R> {
    inner: R,
    hasher: Hasher,
    left: u64,
    limit: u64,
}

impl<R: Read> Metered<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
            left: limit,
            limit,
        }
    }

    /// Reads to the end of the input, whatever follows the archive.
    pub(crate) fn finish_after_end(mut self) -> Result<Digest, Error> {
        io::copy(&mut self, &mut io::sink()).map_err(unreadable)?;
        Ok(self.hasher.finish())
    }

    /// Reads to the end of the input. Only zeros may follow the archive.
    pub(crate) fn finish(mut self) -> Result<Digest, Error> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = self.read(&mut buffer).map_err(unreadable)?;
            if count == 0 {
                return Ok(self.hasher.finish());
            }
            if buffer[..count].iter().any(|&byte| byte != 0) {
                return Err(whole(fault::TRAILING));
            }
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let limit = self.limit;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(fault::size(limit)))?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
