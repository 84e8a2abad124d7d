//! Adds a section to a program in ELF (System V ABI, gABI 4, chapter 4), in 64 bits and little endian.

use std::fmt;

use object::elf::{FileHeader64, SHT_PROGBITS};
use object::read::elf::{FileHeader as _, SectionHeader as _};
use object::{LittleEndian, ReadRef as _};

/// Size of a section header, in bytes.
const SECTION: usize = 64;
/// Where the header has the offset of the section headers and their number.
const HEADERS_AT: usize = 40;
const COUNT_AT: usize = 60;
/// Where a section header has the type, the offset and the size of its section, and the alignment.
const TYPE_AT: usize = 4;
const OFFSET_AT: usize = 24;
const LENGTH_AT: usize = 32;
const ALIGNMENT_AT: usize = 48;
/// The first index that the header cannot hold.
const RESERVED: u16 = 0xff00;

/// Why no section can be added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The program is not in 64-bit little-endian ELF, or its section headers cannot be read.
    Unreadable,
    /// It already has a section with this name.
    Present,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unreadable => "expected ELF in 64 bits, little endian, with section headers",
            Self::Present => "expected no section of this name, found one",
        })
    }
}

/// Adds a section that is not loaded. The content, the longer list of names and the longer list of headers are appended, so
/// that nothing that the program is loaded from moves. The old lists stay in the file, without a reference to them.
///
/// # Errors
/// See [`Fault`].
pub fn add_section(program: &mut Vec<u8>, name: &str, content: &[u8]) -> Result<(), Fault> {
    let sections = Sections::read(program).ok_or(Fault::Unreadable)?;
    if sections.has(name).ok_or(Fault::Unreadable)? {
        return Err(Fault::Present);
    }
    sections
        .extend(program, name, content)
        .ok_or(Fault::Unreadable)
}

/// The list of sections.
struct Sections {
    /// The headers, as they are in the file.
    headers: Vec<u8>,
    /// The number of headers.
    count: u16,
    /// The index of the section with the names.
    index: u16,
    /// The names.
    names: Vec<u8>,
}

impl Sections {
    fn read(program: &[u8]) -> Option<Self> {
        let header = FileHeader64::<LittleEndian>::parse(program).ok()?;
        if !header.is_little_endian() {
            return None;
        }
        let (count, index) = (
            header.e_shnum.get(LittleEndian),
            header.e_shstrndx.get(LittleEndian).0,
        );
        if index >= count || count >= RESERVED - 1 {
            return None;
        }
        let all = header.section_headers(LittleEndian, program).ok()?;
        let names = all
            .get(usize::from(index))?
            .data(LittleEndian, program)
            .ok()?;
        // Otherwise the last name would go on with the one that is added. A program without names has none either.
        if names.last() != Some(&0) {
            return None;
        }
        let at = header.e_shoff.get(LittleEndian);
        let size = (usize::from(count) * SECTION) as u64;
        Some(Self {
            headers: program.read_bytes_at(at, size).ok()?.to_vec(),
            count,
            index,
            names: names.to_vec(),
        })
    }

    /// Whether a section has this name; `None` if one has a name outside the list.
    fn has(&self, name: &str) -> Option<bool> {
        let mut found = false;
        for header in self.headers.chunks_exact(SECTION) {
            let at = u32::from_le_bytes(header[..4].try_into().ok()?);
            let rest = self.names.get(usize::try_from(at).ok()?..)?;
            found |= rest.split(|byte| *byte == 0).next()? == name.as_bytes();
        }
        Some(found)
    }

    fn extend(mut self, program: &mut Vec<u8>, name: &str, content: &[u8]) -> Option<()> {
        let mut header = [0; SECTION];
        put(
            &mut header,
            0,
            &u32::try_from(self.names.len()).ok()?.to_le_bytes(),
        );
        put(&mut header, TYPE_AT, &SHT_PROGBITS.0.to_le_bytes());
        place(&mut header, program.len(), content.len());
        put(&mut header, ALIGNMENT_AT, &1_u64.to_le_bytes());
        program.extend(content);

        self.names.extend(name.bytes().chain([0]));
        let of_names = usize::from(self.index) * SECTION;
        place(
            &mut self.headers[of_names..],
            program.len(),
            self.names.len(),
        );
        program.extend(&self.names);

        self.headers.extend(header);
        program.resize(program.len().next_multiple_of(8), 0);
        let at = program.len() as u64;
        put(program, HEADERS_AT, &at.to_le_bytes());
        put(program, COUNT_AT, &(self.count + 1).to_le_bytes());
        program.extend(&self.headers);
        Some(())
    }
}

/// Writes offset and size of a section into its header.
fn place(header: &mut [u8], offset: usize, length: usize) {
    put(header, OFFSET_AT, &(offset as u64).to_le_bytes());
    put(header, LENGTH_AT, &(length as u64).to_le_bytes());
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    /// Where the header has the size of section headers, and the index of the section with their names; and its own size.
    const SIZE_AT: usize = 58;
    const NAMES_AT: usize = 62;
    const HEADER: usize = 64;

    fn word(bytes: &[u8], at: usize) -> usize {
        u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
    }

    /// A small program of this machine.
    fn small() -> Vec<u8> {
        std::fs::read("/bin/true").unwrap()
    }

    #[test]
    fn a_program_runs_as_before_and_has_the_section() {
        let before = small();
        let mut program = before.clone();
        add_section(&mut program, ".dep-v0", b"content").unwrap();
        // Only offset and number of the section headers differ.
        let differs = |at: &usize| program[*at] != before[*at];
        let changed: Vec<usize> = (0..before.len()).filter(differs).collect();
        assert!(
            changed
                .iter()
                .all(|at| (HEADERS_AT..HEADERS_AT + 8).contains(at) || *at == COUNT_AT)
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("true");
        std::fs::write(&path, &program).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Command::new(&path).status().unwrap().success());
        let sections = Sections::read(&program).unwrap();
        assert!(sections.has(".dep-v0").unwrap() && sections.has(".text").unwrap());
        let last = &sections.headers[sections.headers.len() - SECTION..];
        let at = word(last, OFFSET_AT);
        assert_eq!(program[at..at + word(last, LENGTH_AT)], *b"content");
    }

    #[test]
    fn a_section_is_not_added_twice() {
        let mut program = small();
        add_section(&mut program, ".dep-v0", b"").unwrap();
        let once = program.clone();
        let again = add_section(&mut program, ".dep-v0", b"other");
        assert_eq!((again, program), (Err(Fault::Present), once));
    }

    #[test]
    fn other_files_are_left_alone() {
        let program = small();
        let sections = Sections::read(&program).unwrap();
        let headers = word(&program, HEADERS_AT);
        let length_at = headers + usize::from(sections.index) * SECTION + LENGTH_AT;
        let changed = |at: usize, value: &[u8]| {
            let mut changed = program.clone();
            put(&mut changed, at, value);
            changed
        };
        for mut bytes in [
            Vec::new(),
            b"#!/bin/sh\n".to_vec(),
            program[..HEADER].to_vec(),
            changed(4, &[1]),
            changed(5, &[2]),
            changed(HEADERS_AT, &u64::MAX.to_le_bytes()),
            changed(COUNT_AT, &[0, 0]),
            changed(COUNT_AT, &[0xff, 0xff]),
            changed(NAMES_AT, &[0xff, 0xff]),
            changed(SIZE_AT, &[40]),
            // The last name has no end.
            changed(length_at, &(sections.names.len() as u64 - 1).to_le_bytes()),
        ] {
            let before = bytes.clone();
            let added = add_section(&mut bytes, ".dep-v0", b"content");
            assert_eq!((added, bytes), (Err(Fault::Unreadable), before));
        }
    }
}
