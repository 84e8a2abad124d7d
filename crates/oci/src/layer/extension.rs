//! Extended headers of an archive, of POSIX (pax) and GNU.

use std::io::Read;

use content::{ReadError, read_limited};

use super::fault::{self, Fault, unreadable, whole};
use super::record::{self, Record};
use crate::Error;

/// Maximum size of one extended header, in bytes: two paths, and what a writer adds about times and owners.
const LIMIT: u64 = 1 << 20;

/// The properties that extended headers, of POSIX (pax) or GNU, give to the entry that follows them.
#[derive(Default)]
pub(crate) struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    /// The type flags of the headers whose entry has not been read yet.
    pending: Vec<u8>,
}

impl Extensions {
    pub(crate) fn path(&self) -> Option<&[u8]> {
        self.path.as_deref()
    }

    pub(crate) fn link(&self) -> Option<&[u8]> {
        self.link.as_deref()
    }

    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// Parses `entry` if it is an extended header. Returns whether it is one.
    pub(crate) fn collect<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<bool, Error> {
        let flag = entry.header().entry_type().as_byte();
        if !matches!(flag, b'x' | b'g' | b'L' | b'K') {
            return Ok(false);
        }
        self.check_order(flag).map_err(whole)?;
        let bytes = read(entry)?;
        match flag {
            b'x' => self.take_records(&bytes),
            b'g' => check_global(&bytes),
            b'L' => keep(&mut self.path, record::text(&bytes)),
            _ => keep(&mut self.link, record::text(&bytes)),
        }
        .map_err(whole)?;
        Ok(true)
    }

    /// Refuses two headers of one type before an entry, and a header before a global one. Readers disagree on
    /// which of two headers applies. Go treats a global header as a separate entry, and drops the headers before it.
    fn check_order(&mut self, flag: u8) -> Result<(), Fault> {
        match flag {
            b'g' if self.pending.is_empty() => Ok(()),
            b'x' | b'L' | b'K' if !self.pending.contains(&flag) => {
                self.pending.push(flag);
                Ok(())
            }
            _ => Err(fault::EXTENSION),
        }
    }

    /// Refuses an extended header without an entry after it.
    pub(crate) fn check_used(&self) -> Result<(), Error> {
        match self.pending.is_empty() {
            true => Ok(()),
            false => Err(whole(fault::EXTENSION)),
        }
    }

    fn take_records(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        for (key, value) in records(bytes)? {
            match key {
                b"path" => keep(&mut self.path, value)?,
                b"linkpath" => keep(&mut self.link, value)?,
                b"size" => keep(&mut self.size, number(value)?)?,
                _ => check_harmless(key)?,
            }
        }
        Ok(())
    }
}

fn read<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Vec<u8>, Error> {
    let size = entry.header().entry_size().map_err(unreadable)?;
    let too_large = || {
        let fault = format!("extended header is larger than {LIMIT} bytes");
        whole(fault.into())
    };
    if size > LIMIT {
        return Err(too_large());
    }
    let bytes = read_limited(entry, LIMIT).map_err(|error| match error {
        ReadError::Io(error) => unreadable(error),
        ReadError::Limit { .. } => too_large(),
        check => Error::ReadLayer(check),
    })?;
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err(whole(fault::EXTENSION)),
    }
}

/// Stores a value, and refuses a second one: readers disagree on which of two applies.
fn keep<T>(slot: &mut Option<T>, value: impl Into<T>) -> Result<(), Fault> {
    match slot.replace(value.into()) {
        Some(_) => Err(fault::EXTENSION),
        None => Ok(()),
    }
}

/// Refuses a global header that changes entries: some readers apply it to every entry and some to none.
fn check_global(bytes: &[u8]) -> Result<(), Fault> {
    for (key, _) in records(bytes)? {
        if matches!(key, b"path" | b"linkpath" | b"size") {
            return Err(fault::EXTENSION);
        }
        check_harmless(key)?;
    }
    Ok(())
}

/// Refuses keys that change how an entry is read: readers that do not support sparse files see other
/// contents.
fn check_harmless(key: &[u8]) -> Result<(), Fault> {
    match key.starts_with(b"GNU.sparse.") || key == b"hdrcharset" {
        true => Err(fault::EXTENSION),
        false => Ok(()),
    }
}

fn number(value: &[u8]) -> Result<u64, Fault> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(fault::EXTENSION)
}

/// Parses records. Go, unlike other readers, accepts a sign before the length. An empty value deletes an earlier record.
fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, Fault> {
    let mut records = Vec::new();
    while let Some(first) = bytes.first() {
        let (record, rest) = record::split(bytes).ok_or(fault::EXTENSION)?;
        if !first.is_ascii_digit() || record.1.is_empty() {
            return Err(fault::EXTENSION);
        }
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records() {
        let read = records(b"10 path=a\n9 b=c=\nd\n").unwrap();
        assert_eq!(read, [(&b"path"[..], &b"a"[..]), (b"b", b"c=\nd")]);
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
            b"10 patha=\n",
            b"7 =aa\n\n",
            b"11 path=a\0\n",
            b"12 uname=a\0\n",
            b"+10 path=a\n",
            b"8 a\0b=c\n",
            b" ",
        ] {
            let shown = bytes.escape_ascii();
            assert_eq!(records(bytes), Err(fault::EXTENSION), "{shown}");
        }
    }

    #[test]
    fn refuses_two_paths_and_sparse_files() {
        let take = |bytes: &[u8]| Extensions::default().take_records(bytes);
        assert_eq!(take(b"10 path=a\n13 mtime=1.5\n"), Ok(()));
        let refused = Err(fault::EXTENSION);
        assert_eq!(take(b"10 path=a\n10 path=b\n"), refused);
        assert_eq!(take(b"24 GNU.sparse.major=1\n"), refused);
        assert_eq!(check_global(b"10 path=a\n"), refused);
        assert_eq!(check_global(b"11 comment\n"), refused);
        assert_eq!(check_global(b"13 comment=a\n"), Ok(()));
    }
}
