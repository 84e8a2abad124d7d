//! The shared libraries that modules in C need (System V ABI, gABI 5, "Dynamic Section"), and the Debian packages that have those
//! which wheels for every Linux may take from the system (PEP 513 and PEP 600).

use std::collections::BTreeSet;

/// Class and byte order after the magic number: 64 bits, little endian.
const IDENTITY: &[u8] = b"\x7fELF\x02\x01";
/// Where the header has the offset of the program headers, their size and number.
const SEGMENTS_AT: usize = 32;
const SIZE_AT: usize = 54;
const COUNT_AT: usize = 56;
/// Size of an entry of the dynamic section, in bytes.
const ENTRY: usize = 16;
/// The types of segments and entries that are read.
const LOAD: u64 = 1;
const DYNAMIC: u64 = 2;
const NEEDED: u64 = 1;
const STRINGS: u64 = 5;
/// Most entries that are read.
const ENTRIES: usize = 4096;
/// Longest name of a library, in bytes.
const NAME: usize = 256;

/// Libraries and their packages.
const PACKAGES: [(&str, &str); 17] = [
    ("libGL.so.1", "libgl1"),
    ("libICE.so.6", "libice6"),
    ("libSM.so.6", "libsm6"),
    ("libX11.so.6", "libx11-6"),
    ("libXext.so.6", "libxext6"),
    ("libXrender.so.1", "libxrender1"),
    ("libatomic.so.1", "libatomic1"),
    ("libcrypt.so.1", "libcrypt1"),
    ("libexpat.so.1", "libexpat1"),
    ("libgcc_s.so.1", "libgcc-s1"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libgobject-2.0.so.0", "libglib2.0-0"),
    ("libgomp.so.1", "libgomp1"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
    ("libstdc++.so.6", "libstdc++6"),
    ("libuuid.so.1", "libuuid1"),
    ("libz.so.1", "zlib1g"),
];

/// The package that has a library, if wheels may need it from the system.
pub(super) fn package(library: &str) -> Option<&'static str> {
    let found = PACKAGES.iter().find(|(name, _)| *name == library);
    found.map(|(_, package)| *package)
}

/// The libraries that a shared library needs; nothing if the bytes are not one.
pub(super) fn needed(bytes: &[u8]) -> BTreeSet<String> {
    read(bytes).unwrap_or_default()
}

/// A part of memory: its address, its place in the file, and its size.
struct Segment {
    kind: u64,
    at: u64,
    address: u64,
    size: u64,
}

fn read(bytes: &[u8]) -> Option<BTreeSet<String>> {
    if !bytes.starts_with(IDENTITY) {
        return None;
    }
    let segments = segments(bytes)?;
    let dynamic = segments.iter().find(|one| one.kind == DYNAMIC)?;
    let entries = part(bytes, dynamic.at, dynamic.size)?;
    let entries = entries.chunks_exact(ENTRY).take(ENTRIES);
    let entries = entries.map(|entry| (number(entry, 0, 8), number(entry, 8, 8)));
    let entries: Vec<_> = entries
        .map(|(tag, value)| Some((tag?, value?)))
        .collect::<Option<_>>()?;
    let (_, strings) = entries.iter().find(|(tag, _)| *tag == STRINGS)?;
    let strings = place(&segments, *strings)?;
    let needed = entries.iter().filter(|(tag, _)| *tag == NEEDED);
    needed
        .map(|(_, offset)| name(bytes, strings.checked_add(*offset)?))
        .collect()
}

fn segments(bytes: &[u8]) -> Option<Vec<Segment>> {
    let start = number(bytes, SEGMENTS_AT, 8)?;
    let (size, count) = (number(bytes, SIZE_AT, 2)?, number(bytes, COUNT_AT, 2)?);
    let headers = part(bytes, start, size.checked_mul(count)?)?;
    let headers = headers.chunks_exact(usize::try_from(size).ok().filter(|size| *size > 0)?);
    headers
        .map(|header| {
            Some(Segment {
                kind: number(header, 0, 4)?,
                at: number(header, 8, 8)?,
                address: number(header, 16, 8)?,
                size: number(header, 32, 8)?,
            })
        })
        .collect()
}

/// The place in the file of an address in memory.
fn place(segments: &[Segment], address: u64) -> Option<u64> {
    let mut loaded = segments.iter().filter(|one| one.kind == LOAD);
    loaded.find_map(|one| {
        let within = address.checked_sub(one.address)?;
        (within < one.size).then(|| one.at.checked_add(within))?
    })
}

fn name(bytes: &[u8], at: u64) -> Option<String> {
    let rest = bytes.get(usize::try_from(at).ok()?..)?;
    let rest = &rest[..rest.len().min(NAME)];
    let end = rest.iter().position(|byte| *byte == 0)?;
    String::from_utf8(rest[..end].to_vec()).ok()
}

fn part(bytes: &[u8], at: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    bytes.get(start..end)
}

/// A number of up to eight bytes.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    let mut number = [0; 8];
    number[..size].copy_from_slice(bytes);
    Some(u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library at the address 0x1000 that needs the given ones.
    fn library(names: &[&str]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut dynamic = Vec::new();
        let mut add = |tag: u64, value: u64| {
            dynamic.extend(tag.to_le_bytes());
            dynamic.extend(value.to_le_bytes());
        };
        for name in names {
            add(NEEDED, strings.len() as u64);
            strings.extend(name.bytes().chain([0]));
        }
        let size = (names.len() + 1) * ENTRY;
        let (dynamic_at, strings_at) = (64 + 2 * 56, 64 + 2 * 56 + size);
        add(STRINGS, 0x1000 + strings_at as u64);
        let mut bytes = IDENTITY.to_vec();
        bytes.resize(64, 0);
        bytes[SEGMENTS_AT] = 64;
        bytes[SIZE_AT] = 56;
        bytes[COUNT_AT] = 2;
        let whole = strings_at + strings.len();
        for (kind, at, address, size) in [
            (LOAD, 0, 0x1000, whole),
            (DYNAMIC, dynamic_at, 0x1000 + dynamic_at, size),
        ] {
            let mut header = kind.to_le_bytes().to_vec();
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

    #[test]
    fn needed_libraries_are_read() {
        let bytes = library(&["libstdc++.so.6", "libc.so.6"]);
        let needed = needed(&bytes);
        let needed: Vec<_> = needed.iter().map(String::as_str).collect();
        assert_eq!(needed, ["libc.so.6", "libstdc++.so.6"]);
        assert_eq!(package(needed[1]), Some("libstdc++6"));
        assert_eq!(package(needed[0]), None);
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
}
