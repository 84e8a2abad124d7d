//! The Merkle tree of a log (RFC 6962), whose hashes are read in tiles of 256 (golang.org/x/mod/sumdb/tlog).

use std::cell::RefCell;
use std::collections::BTreeMap;

use content::{Digest, Hasher};

use super::Ask;

/// The levels of the tree that are between two levels of tiles.
const HEIGHT: u32 = 8;
/// The hashes of a whole tile.
const WIDTH: u64 = 1 << HEIGHT;
/// The bytes of a hash.
const HASH: usize = 32;

/// The tree over the first records of a log.
pub(super) struct Tree<'a> {
    size: u64,
    read: Ask<'a>,
    /// The tiles that were read, by level and number.
    tiles: RefCell<BTreeMap<(u32, u64), Vec<Digest>>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(size: u64, read: Ask<'a>) -> Self {
        Self {
            size,
            read,
            tiles: RefCell::default(),
        }
    }

    /// Whether the tree with this root has a record at an index.
    ///
    /// # Errors
    /// A tile cannot be read.
    pub(super) fn has(&self, root: &Digest, index: u64, record: &str) -> Result<bool, String> {
        if index >= self.size {
            return Ok(false);
        }
        let leaf = hash(0, &[record.as_bytes()]);
        Ok(self.root_with(0, self.size, index, leaf)? == *root)
    }

    /// The root of a part of the tree, if the record at `index` has the hash `leaf`.
    fn root_with(&self, from: u64, to: u64, index: u64, leaf: Digest) -> Result<Digest, String> {
        if to - from == 1 {
            return Ok(leaf);
        }
        let middle = from + half(to - from);
        let (left, right) = match index < middle {
            true => (
                self.root_with(from, middle, index, leaf)?,
                self.root(middle, to)?,
            ),
            false => (
                self.root(from, middle)?,
                self.root_with(middle, to, index, leaf)?,
            ),
        };
        Ok(node(&left, &right))
    }

    /// The root of a part of the tree.
    fn root(&self, from: u64, to: u64) -> Result<Digest, String> {
        let count = to - from;
        if count.is_power_of_two() && from.is_multiple_of(count) {
            return self.stored(count.trailing_zeros(), from / count);
        }
        let middle = from + half(count);
        Ok(node(&self.root(from, middle)?, &self.root(middle, to)?))
    }

    /// The hash with this number on this level.
    fn stored(&self, level: u32, number: u64) -> Result<Digest, String> {
        let above = level % HEIGHT;
        let first = number << above;
        let (tile, offset) = (first / WIDTH, first % WIDTH);
        let hashes = self.tile(level / HEIGHT, tile)?;
        let (from, to) = (offset as usize, (offset + (1 << above)) as usize);
        let part = hashes
            .get(from..to)
            .ok_or("a tile of the database is too short")?;
        let mut part = part.to_vec();
        while part.len() > 1 {
            part = part
                .chunks(2)
                .map(|pair| node(&pair[0], &pair[1]))
                .collect();
        }
        Ok(part[0])
    }

    fn tile(&self, level: u32, number: u64) -> Result<Vec<Digest>, String> {
        if let Some(known) = self.tiles.borrow().get(&(level, number)) {
            return Ok(known.clone());
        }
        let all = self.size.checked_shr(HEIGHT * level).unwrap_or_default();
        let width = all.saturating_sub(WIDTH * number).min(WIDTH);
        let whole = format!("tile/{HEIGHT}/{level}/{}", path_of(number));
        let limit = WIDTH * HASH as u64;
        let bytes = match width < WIDTH {
            // When a tile is complete, its parts may be removed.
            true => (self.read)(&format!("{whole}.p/{width}"), limit)
                .or_else(|_| (self.read)(&whole, limit)),
            false => (self.read)(&whole, limit),
        }?;
        let hashes = bytes.chunks_exact(HASH).take(width as usize);
        let hashes: Vec<_> = hashes
            .filter_map(|hash| hash.try_into().ok().map(Digest::from_bytes))
            .collect();
        self.tiles
            .borrow_mut()
            .insert((level, number), hashes.clone());
        Ok(hashes)
    }
}

/// The largest power of two below a number of at least 2.
fn half(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The number of a tile in its path: in groups of three digits, all but the last with an `x`.
fn path_of(mut number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    while number >= 1000 {
        number /= 1000;
        path = format!("x{:03}/{path}", number % 1000);
    }
    path
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(1, &[left.as_bytes(), right.as_bytes()])
}

fn hash(kind: u8, parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[kind]);
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// The hashes of a log with these records, in whole and partial tiles, by path.
#[cfg(test)]
pub(super) fn tiles(records: &[String]) -> (Digest, BTreeMap<String, Vec<u8>>) {
    let leaves = records.iter().map(|record| hash(0, &[record.as_bytes()]));
    let mut levels: Vec<Vec<Digest>> = vec![leaves.collect()];
    while let Some(last) = levels.last().filter(|last| last.len() > 1) {
        let whole = last.chunks_exact(2).map(|pair| node(&pair[0], &pair[1]));
        levels.push(whole.collect());
    }
    let mut files = BTreeMap::new();
    for (level, hashes) in levels.iter().enumerate().step_by(HEIGHT as usize) {
        for (number, tile) in hashes.chunks(WIDTH as usize).enumerate() {
            let bytes = tile.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let part = match tile.len() as u64 {
                WIDTH => String::new(),
                width => format!(".p/{width}"),
            };
            let (level, number) = (level / HEIGHT as usize, path_of(number as u64));
            files.insert(format!("tile/{HEIGHT}/{level}/{number}{part}"), bytes);
        }
    }
    (root_of(&levels[0]), files)
}

#[cfg(test)]
fn root_of(leaves: &[Digest]) -> Digest {
    match leaves {
        [one] => *one,
        several => {
            let (left, right) = several.split_at(half(several.len() as u64) as usize);
            node(&root_of(left), &root_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_tiles_are_in_groups() {
        for (number, path) in [
            (0, "000"),
            (67, "067"),
            (1234067, "x001/x234/067"),
            (259349, "x259/349"),
        ] {
            assert_eq!(path_of(number), path);
        }
        assert_eq!([2, 3, 4, 5, 256, 257].map(half), [1, 2, 2, 4, 128, 256]);
    }

    #[test]
    fn each_record_is_in_the_tree_at_its_place_only() {
        for count in [1, 2, 3, 255, 256, 257, 700] {
            let records: Vec<_> = (0..count)
                .map(|number| format!("record {number}\n"))
                .collect();
            let (root, files) = tiles(&records);
            let read = |path: &str, _| files.get(path).cloned().ok_or_else(|| path.to_owned());
            let tree = Tree::new(count, &read);
            for index in [0, 1, count / 2, count - 1] {
                let record = format!("record {index}\n");
                let expected = index < count;
                assert_eq!(
                    tree.has(&root, index, &record).unwrap(),
                    expected,
                    "{index} of {count}"
                );
                assert!(!tree.has(&root, index, "another").unwrap());
                assert!(!tree.has(&root, index + 1, &record).unwrap());
            }
        }
    }
}
