//! Maps of sparse files: which parts of a file are in the archive. The rest are holes, which are zeros (GNU tar
//! manual, storing sparse files).

use std::io::Read;

use super::block::{Block, Dialect, SIZE};
use super::number::{decimal, field};
use super::pax::{Records, SPARSE_MAP};
use crate::Error;
use crate::layer::fault::{self, Fault, unreadable, whole};

/// The largest map, in bytes.
const MAP_LIMIT: usize = 1 << 20;
/// The bytes of one pair of numbers in a header.
const PAIR: usize = 24;

/// A part of a file that is in the archive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Part {
    /// Where it begins in the file, in bytes.
    pub(super) offset: i64,
    /// Its length in bytes.
    pub(super) length: i64,
}

/// The parts in order, and the size of the file with its holes.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) parts: Vec<Part>,
    pub(super) size: u64,
}

impl Map {
    /// Refuses parts that overlap, are out of order or leave the file.
    fn checked(parts: Vec<Part>, size: i64) -> Result<Self, Fault> {
        let mut end = 0;
        for part in &parts {
            let next = part.offset.checked_add(part.length);
            match next {
                Some(next) if part.length >= 0 && part.offset >= end && next <= size => end = next,
                _ => return Err(fault::HEADER),
            }
        }
        let size = u64::try_from(size).map_err(|_| fault::HEADER)?;
        Ok(Self { parts, size })
    }
}

/// Reads the map in a header of GNU tar, and in the blocks that continue it.
pub(super) fn from_header(mut block: Block, input: &mut impl Read) -> Result<Map, Error> {
    if block.dialect().map_err(whole)? != Dialect::Gnu {
        return Err(whole(fault::HEADER));
    }
    let size = field(&block.0[483..495]).map_err(whole)?;
    let mut parts = Vec::new();
    let mut pairs = 386..386 + 4 * PAIR;
    let mut read = pairs.len();
    while read < MAP_LIMIT {
        let continues = block.0[pairs.end] > 0;
        for pair in block.0[pairs.clone()].chunks_exact(PAIR) {
            if pair[0] == 0 {
                break;
            }
            let part = |pair: &[u8]| -> Result<Part, Fault> {
                let (offset, length) = (field(&pair[..12])?, field(&pair[12..])?);
                Ok(Part { offset, length })
            };
            parts.push(part(pair).map_err(whole)?);
        }
        if !continues {
            return Map::checked(parts, size).map_err(whole);
        }
        input.read_exact(&mut block.0).map_err(unreadable)?;
        pairs = 0..21 * PAIR;
        read += SIZE;
    }
    Err(whole(too_long()))
}

/// Where the records of an extended header say that the map is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// In the records themselves: versions 0.0 and 0.1.
    Records,
    /// Before the content: version 1.0.
    Content,
}

/// Where the map is; `None` if the file is not sparse.
pub(super) fn place(records: &Records) -> Option<Place> {
    let value = |key: &[u8]| records.get(key).map_or(&b""[..], Vec::as_slice);
    match (value(b"GNU.sparse.major"), value(b"GNU.sparse.minor")) {
        (b"0", b"0" | b"1") => Some(Place::Records),
        (b"1", b"0") => Some(Place::Content),
        (b"", b"") if !value(SPARSE_MAP).is_empty() => Some(Place::Records),
        _ => None,
    }
}

/// Parses the map in the records.
pub(super) fn from_records(records: &Records, size: i64) -> Result<Map, Fault> {
    let value = |key: &[u8]| records.get(key).map_or(&b""[..], Vec::as_slice);
    let count = decimal(value(b"GNU.sparse.numblocks"))?;
    let text = value(SPARSE_MAP);
    let mut numbers = Vec::new();
    if !text.is_empty() {
        for number in text.split(|&byte| byte == b',') {
            numbers.push(decimal(number)?);
        }
    }
    if i64::try_from(numbers.len()).ok() != count.checked_mul(2) {
        return Err(fault::EXTENSION);
    }
    Map::checked(paired(&numbers), size)
}

/// Reads the map before the content: lines with decimal numbers, the first their number, padded to a whole block.
pub(super) fn from_content(content: &mut impl Read, size: i64) -> Result<Map, Error> {
    let mut lines = Lines::default();
    let count = lines.next(content)?;
    let count = usize::try_from(count).map_err(|_| whole(fault::EXTENSION))?;
    let mut numbers = Vec::new();
    for _ in 0..count.saturating_mul(2) {
        numbers.push(lines.next(content)?);
    }
    Map::checked(paired(&numbers), size).map_err(whole)
}

fn paired(numbers: &[i64]) -> Vec<Part> {
    let part = |pair: &[i64]| Part {
        offset: pair[0],
        length: pair[1],
    };
    numbers.chunks_exact(2).map(part).collect()
}

/// Lines with one number each. Whole blocks are read, and only as many as are needed.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    at: usize,
}

impl Lines {
    fn next(&mut self, content: &mut impl Read) -> Result<i64, Error> {
        let mut searched = self.at;
        loop {
            let rest = &self.bytes[searched..];
            if let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line = &self.bytes[self.at..searched + end];
                let number = decimal(line).map_err(whole);
                self.at = searched + end + 1;
                return number;
            }
            searched = self.bytes.len();
            if searched + SIZE > MAP_LIMIT {
                return Err(whole(too_long()));
            }
            self.bytes.resize(searched + SIZE, 0);
            content
                .read_exact(&mut self.bytes[searched..])
                .map_err(unreadable)?;
        }
    }
}

fn too_long() -> Fault {
    format!("map of a sparse file is larger than {MAP_LIMIT} bytes").into()
}
