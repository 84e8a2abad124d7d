//! Extended headers of POSIX (POSIX.1-2017, pax: extended header).

use std::collections::BTreeMap;

use super::Entry;
use super::number::{decimal, time};
use crate::layer::fault::{self, Fault};
use crate::layer::record;

/// The records of an extended header by key. The last of several with one key applies.
pub(super) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The map of a sparse file, as numbers separated by commas (GNU tar manual, PAX format, version 0.1).
pub(super) const SPARSE_MAP: &[u8] = b"GNU.sparse.map";

/// Parses records `LENGTH KEY=VALUE\n`. The pairs of offset and length in which version 0.0 of sparse files has its
/// map are joined, as version 0.1 has it.
pub(super) fn records(mut bytes: &[u8]) -> Result<Records, Fault> {
    let mut records = Records::new();
    let mut map: Vec<&[u8]> = Vec::new();
    while !bytes.is_empty() {
        let ((key, value), rest) = record::split(bytes).ok_or(fault::EXTENSION)?;
        bytes = rest;
        match key {
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let is_offset = key == b"GNU.sparse.offset";
                if map.len().is_multiple_of(2) != is_offset || value.contains(&b',') {
                    return Err(fault::EXTENSION);
                }
                map.push(value);
            }
            _ => {
                records.insert(key.to_vec(), value.to_vec());
            }
        }
    }
    if !map.is_empty() {
        records.insert(SPARSE_MAP.to_vec(), map.join(&b','));
    }
    Ok(records)
}

/// Applies records to the entry that follows them, and returns the size of what follows if they change it. An empty
/// value keeps the header's.
pub(super) fn apply(entry: &mut Entry, records: Records) -> Result<Option<i64>, Fault> {
    let mut size = None;
    for (key, value) in records.iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_slice() {
            b"path" => entry.name.clone_from(value),
            b"linkpath" => entry.link.clone_from(value),
            b"uid" => entry.uid = decimal(value)?,
            b"gid" => entry.gid = decimal(value)?,
            b"mtime" => entry.mtime = time(value)?,
            b"atime" | b"ctime" => drop(time(value)?),
            b"size" => size = Some(decimal(value)?),
            _ => {}
        }
    }
    entry.records = records;
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_records_applies() {
        let records = records(b"10 path=a\n10 path=b\n9 b=c=\nd\n").unwrap();
        assert_eq!(records[&b"path"[..]], b"b");
        assert_eq!(records[&b"b"[..]], b"c=\nd");
    }

    #[test]
    fn refuses_malformed_records() {
        for bytes in [
            &b"10 path=a"[..],
            b"11 path=a\n",
            b"8 path=a\n",
            b"0 path=a\n",
            b"-1 path=a\n",
            b"99999999999999999999 path=a\n",
            b"10 patha=\n\n",
            b"7 =aa\n\n",
            b"11 path=a\0\n",
            b" ",
        ] {
            assert!(records(bytes).is_err(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn joins_the_pairs_of_a_sparse_map() {
        let (offset, length) = ("23 GNU.sparse.offset=0\n", "25 GNU.sparse.numbytes=5\n");
        let joined = records(format!("{offset}{length}").as_bytes()).unwrap();
        assert_eq!(joined[SPARSE_MAP], b"0,5");
        assert!(records(format!("{length}{offset}").as_bytes()).is_err());
        assert!(records(format!("{offset}{offset}").as_bytes()).is_err());
    }
}
