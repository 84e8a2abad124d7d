//! Programs with a list of crates.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A program in ELF, of one section with this name and content.
pub fn program(section: &str, content: &[u8]) -> Vec<u8> {
    let names = format!("\0{section}\0.shstrtab\0");
    let content_at = 64;
    let names_at = content_at + content.len();
    let headers_at = names_at + names.len();
    // The header: 64 bits, little endian, an executable for x86-64 with three section headers, the last one with names.
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    for half in [2_u16, 62] {
        out.extend(half.to_le_bytes());
    }
    out.extend(1_u32.to_le_bytes());
    for word in [0, 0, headers_at as u64] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 0, 64, 3, 2] {
        out.extend(half.to_le_bytes());
    }
    out.extend(content);
    out.extend(names.as_bytes());
    out.extend([0; 64]);
    for (name, kind, at, size) in [
        (1, 1_u32, content_at, content.len()),
        (section.len() + 2, 3, names_at, names.len()),
    ] {
        out.extend(u32::try_from(name).unwrap().to_le_bytes());
        out.extend(kind.to_le_bytes());
        for word in [0, 0, at, size] {
            out.extend((word as u64).to_le_bytes());
        }
        out.extend([0; 8]);
        for word in [1_u64, 0] {
            out.extend(word.to_le_bytes());
        }
    }
    out
}

/// A text, compressed with zlib.
pub fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
