use std::collections::BTreeSet;

use object::elf::{
    DT_NEEDED, DT_STRTAB, FileHeader32, FileHeader64, PF_W, PT_DYNAMIC, PT_LOAD, SHF_ALLOC,
    SHT_NOTE,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, ReadRef as _};

/// Most entries of the dynamic section that are read.
const ENTRIES: usize = 4096;
/// Longest name of a library, in bytes.
const NAME: usize = 256;

/// A program or library.
pub struct Program<'a> {
    bytes: &'a [u8],
    segments: Vec<Segment>,
    sections: Vec<Section>,
    /// The names of the sections.
    names: &'a [u8],
    /// The tags and values of the dynamic section.
    dynamic: Vec<(i64, u64)>,
}

/// Bytes of a program, and the address that they have in memory.
pub struct Data<'a> {
    /// The address of the first byte.
    pub address: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A part of the file that is loaded into memory, or is about that.
struct Segment {
    is_loaded: bool,
    is_writable: bool,
    offset: u64,
    address: u64,
    size: u64,
}

impl Segment {
    /// Where an address is in it.
    fn within(&self, address: u64) -> Option<u64> {
        let within = address.checked_sub(self.address)?;
        (within < self.size).then_some(within)
    }
}

struct Section {
    /// Where its name is.
    name: u32,
    /// Whether it is code or data of the program, and not about it.
    is_content: bool,
    offset: u64,
    address: u64,
    size: u64,
}

impl<'a> Program<'a> {
    /// The program, if the bytes begin as one. Tables that are not in the file, or have entries of another size than the
    /// specification's, are empty.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"\x7fELF")?;
        match (rest.first()?, rest.get(1)?) {
            (1, 1 | 2) => Self::read::<FileHeader32<Endianness>>(bytes),
            (2, 1 | 2) => Self::read::<FileHeader64<Endianness>>(bytes),
            _ => None,
        }
    }

    fn read<E: FileHeader<Endian = Endianness>>(bytes: &'a [u8]) -> Option<Self> {
        // Without a look at the version of the format, as the system does not look either.
        let header: &E = bytes.read_at(0).ok()?;
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, bytes).unwrap_or_default();
        let sections = header.section_headers(endian, bytes).unwrap_or_default();
        let named = header.section_strings_index(endian, bytes).ok();
        let named = named.and_then(|index| sections.get(index.0));
        let names = named.and_then(|section| section.data(endian, bytes).ok());
        let dynamic = segments.iter().find(|one| one.p_type(endian) == PT_DYNAMIC);
        let dynamic = dynamic.and_then(|one| one.dynamic(endian, bytes).ok().flatten());
        let dynamic = dynamic.unwrap_or_default().iter().take(ENTRIES);
        Some(Self {
            bytes,
            segments: segments
                .iter()
                .map(|one| Segment {
                    is_loaded: one.p_type(endian) == PT_LOAD,
                    is_writable: one.p_flags(endian).contains(PF_W),
                    offset: one.p_offset(endian).into(),
                    address: one.p_vaddr(endian).into(),
                    size: one.p_filesz(endian).into(),
                })
                .collect(),
            sections: sections
                .iter()
                .map(|one| Section {
                    name: one.sh_name(endian),
                    is_content: one.sh_flags(endian).contains(SHF_ALLOC)
                        && one.sh_type(endian) != SHT_NOTE,
                    offset: one.sh_offset(endian).into(),
                    address: one.sh_addr(endian).into(),
                    size: one.sh_size(endian).into(),
                })
                .collect(),
            names: names.unwrap_or_default(),
            dynamic: dynamic
                .map(|entry| (entry.tag(endian).0, entry.val(endian)))
                .collect(),
        })
    }

    /// The first section of this name, up to the end of the segment that it is in, and its size.
    pub fn section(&self, name: &str) -> Option<(Data<'a>, usize)> {
        let is_named = |section: &&Section| {
            let found = usize::try_from(section.name).ok();
            let found = found.and_then(|at| self.names.get(at..));
            let rest = found.and_then(|found| found.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| rest.first().is_none_or(|end| *end == 0))
        };
        let section = self.sections.iter().find(is_named)?;
        let (address, size) = (section.address, section.size);
        let bytes = self
            .at(address)
            .or_else(|| self.range(section.offset, size))?;
        Some((Data { address, bytes }, usize::try_from(size).ok()?))
    }

    /// Whether it has code or data. Compilers make object files without any, and then of different sources the same.
    pub fn has_content(&self) -> bool {
        let mut sections = self.sections.iter();
        sections.any(|section| section.is_content && section.size > 0)
    }

    /// The segments that the program may write to.
    pub fn writable(&self) -> impl Iterator<Item = Data<'a>> {
        let written = self
            .segments
            .iter()
            .filter(|one| one.is_loaded && one.is_writable);
        written.filter_map(|one| {
            let bytes = self.range(one.offset, one.size)?;
            Some(Data {
                address: one.address,
                bytes,
            })
        })
    }

    /// The shared libraries that it needs (gABI 5, "Dynamic Section"); nothing if one has an invalid name.
    pub fn needed(&self) -> BTreeSet<String> {
        self.libraries().unwrap_or_default()
    }

    fn libraries(&self) -> Option<BTreeSet<String>> {
        let mut entries = self.dynamic.iter();
        let (_, strings) = entries.find(|(tag, _)| *tag == DT_STRTAB.0)?;
        let strings = self.loaded_at(*strings)?;
        let needed = self.dynamic.iter().filter(|(tag, _)| *tag == DT_NEEDED.0);
        needed
            .map(|(_, offset)| name(strings.get(usize::try_from(*offset).ok()?..)?))
            .collect()
    }

    /// The bytes from an address to the end of the first segment that has it.
    fn at(&self, address: u64) -> Option<&'a [u8]> {
        self.segments.iter().find_map(|one| {
            let within = one.within(address)?;
            self.range(one.offset.checked_add(within)?, one.size - within)
        })
    }

    /// The bytes from an address in what is loaded to the end of the file.
    fn loaded_at(&self, address: u64) -> Option<&'a [u8]> {
        let mut loaded = self.segments.iter().filter(|one| one.is_loaded);
        loaded.find_map(|one| {
            let at = one.offset.checked_add(one.within(address)?)?;
            self.bytes.get(usize::try_from(at).ok()?..)
        })
    }

    /// Bytes of the file.
    fn range(&self, offset: u64, size: u64) -> Option<&'a [u8]> {
        self.bytes.read_bytes_at(offset, size).ok()
    }
}

/// Text that ends with a zero byte.
fn name(bytes: &[u8]) -> Option<String> {
    let bytes = &bytes[..bytes.len().min(NAME)];
    let end = bytes.iter().position(|byte| *byte == 0)?;
    String::from_utf8(bytes[..end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library at the address 0x1000 that needs the given ones.
    fn library(names: &[&str]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut dynamic = Vec::new();
        let mut add = |tag: i64, value: u64| {
            dynamic.extend(tag.to_le_bytes());
            dynamic.extend(value.to_le_bytes());
        };
        for name in names {
            add(DT_NEEDED.0, strings.len() as u64);
            strings.extend(name.bytes().chain([0]));
        }
        let size = (names.len() + 1) * 16;
        let (dynamic_at, strings_at) = (64 + 2 * 56, 64 + 2 * 56 + size);
        add(DT_STRTAB.0, 0x1000 + strings_at as u64);
        let mut bytes = b"\x7fELF\x02\x01".to_vec();
        bytes.resize(64, 0);
        // The offset of the program headers, their size and number.
        (bytes[32], bytes[54], bytes[56]) = (64, 56, 2);
        let whole = strings_at + strings.len();
        for (kind, at, address, size) in [
            (PT_LOAD, 0, 0x1000, whole),
            (PT_DYNAMIC, dynamic_at, 0x1000 + dynamic_at, size),
        ] {
            let mut header = u64::from(kind.0).to_le_bytes().to_vec();
            header.extend((at as u64).to_le_bytes());
            header.extend((address as u64).to_le_bytes());
            header.extend([0; 8]);
            header.extend((size as u64).to_le_bytes());
            header.resize(56, 0);
            bytes.extend(header);
        }
        bytes.extend(dynamic);
        bytes.extend(strings);
        bytes
    }

    fn needed(bytes: &[u8]) -> BTreeSet<String> {
        Program::parse(bytes).map_or(BTreeSet::new(), |program| program.needed())
    }

    #[test]
    fn needed_libraries_are_read() {
        let needed = needed(&library(&["libstdc++.so.6", "libc.so.6"]));
        let needed: Vec<_> = needed.iter().map(String::as_str).collect();
        assert_eq!(needed, ["libc.so.6", "libstdc++.so.6"]);
    }

    #[test]
    fn damaged_libraries_need_nothing_or_something() {
        let whole = library(&["libz.so.1"]);
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = needed(&damaged);
            assert!(needed(&whole[..at]).is_empty(), "{at}");
        }
        assert!(needed(b"#!/bin/sh").is_empty());
    }

    #[test]
    fn headers_that_nothing_checks_when_a_program_starts_hide_no_section() {
        let whole = std::fs::read("/bin/true").unwrap();
        let text = |bytes: &[u8]| {
            Program::parse(bytes)?
                .section(".text")
                .map(|(data, _)| data.address)
        };
        let address = text(&whole).unwrap();
        let mut versioned = whole.clone();
        versioned[6] = 0;
        assert_eq!(text(&versioned), Some(address));
        // The section headers at an odd offset.
        let at = u64::from_le_bytes(whole[40..48].try_into().unwrap()) as usize;
        let mut moved = whole.clone();
        moved.resize((whole.len() + 1).next_multiple_of(2) + 1, 0);
        let odd = moved.len() as u64;
        moved[40..48].copy_from_slice(&odd.to_le_bytes());
        moved.extend(&whole[at..]);
        assert_eq!(text(&moved), Some(address));
        assert_eq!(text(&moved[..at]), None);
    }
}
