//! Writes zstd without compression.

/// Maximum size of a block (RFC 8878, section 3.1.1.2.4).
const BLOCK: usize = 128 << 10;

/// `content` as one frame of zstd, in raw blocks and without a checksum.
pub fn zstd(content: &[u8]) -> Vec<u8> {
    // The magic, no optional fields, and a window of one block.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
    for block in content.chunks(BLOCK) {
        frame.extend(raw(block.len(), 0));
        frame.extend(block);
    }
    frame.extend(raw(0, 1));
    frame
}

/// The header of a raw block (section 3.1.1.2): `Last_Block`, `Block_Type` and `Block_Size`.
fn raw(size: usize, last: u8) -> [u8; 3] {
    let [low, middle, high, ..] = (size << 3).to_le_bytes();
    [low | last, middle, high]
}
