//! Writes gzip with fixed bytes for fixed content.

use std::io::{self, Write};

use flate2::Crc;

/// The header (RFC 1952, 2.3.1): magic, deflate, no flags, no time, no extra flags, unknown operating
/// system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Maximum size of one stored block, in bytes (RFC 1951, 3.2.4: LEN has 16 bits).
const BLOCK: usize = 65_535;
/// Size of the header of a stored block, in bytes: BFINAL and BTYPE, LEN, NLEN.
const BLOCK_HEADER: usize = 5;
/// The first byte of a stored block: BFINAL and BTYPE 00.
const MORE: u8 = 0;
const LAST: u8 = 1;

/// Writes gzip with stored blocks, without compression. Every reader accepts it, and its bytes depend only
/// on the content, not on a compressor or on the sizes of the writes.
pub(crate) struct StoredGzip<W> {
    out: W,
    /// The next block, after room for its header.
    block: Vec<u8>,
    crc: Crc,
}

impl<W: Write> StoredGzip<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&HEADER)?;
        let mut block = Vec::with_capacity(BLOCK_HEADER + BLOCK);
        block.resize(BLOCK_HEADER, 0);
        Ok(Self {
            out,
            block,
            crc: Crc::new(),
        })
    }

    /// Writes the rest as the last block, then CRC-32 and size modulo 2^32 (RFC 1952, 2.3.1).
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.write_block(LAST)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }

    fn write_block(&mut self, first: u8) -> io::Result<()> {
        // A block has at most BLOCK bytes, the largest value of these two bytes.
        let [low, high] = (self.len() as u16).to_le_bytes();
        self.block[..BLOCK_HEADER].copy_from_slice(&[first, low, high, !low, !high]);
        self.out.write_all(&self.block)?;
        self.block.truncate(BLOCK_HEADER);
        Ok(())
    }

    /// Bytes of content in the block.
    fn len(&self) -> usize {
        self.block.len() - BLOCK_HEADER
    }
}

impl<W: Write> Write for StoredGzip<W> {
    /// A full block is not written before more content arrives, since it may be the last.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.len() == BLOCK {
            self.write_block(MORE)?;
        }
        let count = bytes.len().min(BLOCK - self.len());
        self.block.extend_from_slice(&bytes[..count]);
        self.crc.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn gzip(pieces: &[&[u8]]) -> Vec<u8> {
        let mut gzip = StoredGzip::new(Vec::new()).unwrap();
        for piece in pieces {
            gzip.write_all(piece).unwrap();
        }
        gzip.finish().unwrap()
    }

    #[test]
    fn every_byte_is_fixed() {
        let expected =
            b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x03\0\xfc\xffabc\xc2\x41\x24\x35\x03\0\0\0";
        assert_eq!(gzip(&[b"abc"]), expected);
        assert_eq!(gzip(&[b"a", b"", b"bc"]), expected);
        let nothing = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\0\0\xff\xff\0\0\0\0\0\0\0\0";
        assert_eq!(gzip(&[]), nothing);
    }

    #[test]
    fn all_blocks_but_the_last_are_full() {
        for size in [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 200_000] {
            let content: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
            let zipped = gzip(&[&content[..size / 3], &content[size / 3..]]);
            assert_eq!(zipped.len(), size + 5 * size.div_ceil(BLOCK) + 18);
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&zipped[..])
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, content);
        }
    }
}
