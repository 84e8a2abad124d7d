//! The bytes of a layer: decompressed, digested and limited.

use std::io::{self, Read};

use content::{Digest, Hasher};
use flate2::read::MultiGzDecoder;

use super::fault::{self, unreadable, whole};
use crate::Error;

/// The first bytes of gzip.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Decompresses a blob. The first bytes show its compression.
pub(crate) fn decompress<'a>(mut blob: impl Read + 'a) -> Result<Box<dyn Read + 'a>, Error> {
    let mut magic = Vec::new();
    (&mut blob)
        .take(ZSTD.len() as u64)
        .read_to_end(&mut magic)
        .map_err(unreadable)?;
    if magic == ZSTD {
        return Err(Error::Compression);
    }
    let compressed = magic.starts_with(&GZIP);
    let blob = io::Cursor::new(magic).chain(blob);
    Ok(match compressed {
        true => Box::new(MultiGzDecoder::new(blob)),
        false => Box::new(blob),
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
