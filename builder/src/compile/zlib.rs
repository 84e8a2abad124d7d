//! Writes zlib with fixed bytes for fixed content (RFC 1950).

/// The header (RFC 1950, 2.2): deflate with a window of 32 KiB, the fastest level, no dictionary.
const HEADER: [u8; 2] = [0x78, 0x01];
/// Maximum size of one stored block, in bytes (RFC 1951, 3.2.4: LEN has 16 bits).
const BLOCK: usize = 65_535;
/// The modulus of Adler-32 (RFC 1950, 8.2).
const MODULUS: u32 = 65_521;

/// The content in stored blocks, without compression: the bytes do not depend on a compressor.
pub(super) fn stored(content: &[u8]) -> Vec<u8> {
    let mut out = HEADER.to_vec();
    let count = content.len().div_ceil(BLOCK).max(1);
    for index in 0..count {
        let block = &content[index * BLOCK..content.len().min((index + 1) * BLOCK)];
        // BFINAL and BTYPE 00. A block has at most BLOCK bytes, the largest value of these two bytes.
        out.push(u8::from(index + 1 == count));
        let size = (block.len() as u16).to_le_bytes();
        out.extend([size[0], size[1], !size[0], !size[1]]);
        out.extend(block);
    }
    out.extend(adler32(content).to_be_bytes());
    out
}

fn adler32(content: &[u8]) -> u32 {
    let sums = content.iter().fold((1, 0), |(first, second), byte| {
        let first = (first + u32::from(*byte)) % MODULUS;
        (first, (second + first) % MODULUS)
    });
    sums.1 << 16 | sums.0
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::*;

    #[test]
    fn every_byte_is_fixed() {
        let expected = b"\x78\x01\x01\x03\0\xfc\xffabc\x02\x4d\x01\x27";
        assert_eq!(stored(b"abc"), expected);
    }

    #[test]
    fn another_implementation_reads_it() {
        for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 200_000] {
            let content: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
            let mut back = Vec::new();
            let stored = stored(&content);
            ZlibDecoder::new(&stored[..])
                .read_to_end(&mut back)
                .unwrap();
            assert_eq!(back, content);
        }
    }
}
