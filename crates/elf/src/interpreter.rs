use std::fs::File;

use object::elf::{FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef as _};

/// Longest path of an interpreter, in bytes.
const PATH: u64 = 4096;
/// Most segments of a program that is read.
const SEGMENTS: u16 = 256;

/// The path of the program that loads a program of 64 bits (gABI 5, `PT_INTERP`); `None` if it names none, or cannot be read.
pub fn interpreter(program: &File) -> Option<String> {
    let cache = ReadCache::new(program);
    let header = FileHeader64::<Endianness>::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    if header.e_phnum(endian) > SEGMENTS {
        return None;
    }
    let segments = header.program_headers(endian, &cache).ok()?;
    let segment = segments
        .iter()
        .find(|one| one.p_type(endian) == PT_INTERP)?;
    let (offset, size) = segment.file_range(endian);
    let path = (&cache).read_bytes_at(offset, size.min(PATH)).ok()?;
    let path = path.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_interpreter() {
        let of = |path: &str| interpreter(&File::open(path).unwrap());
        assert_eq!(
            of("/bin/true").as_deref(),
            Some("/lib64/ld-linux-x86-64.so.2")
        );
        assert_eq!(of(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")), None);
    }
}
