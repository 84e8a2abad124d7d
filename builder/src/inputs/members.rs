//! The members of a tar archive. Extended headers are read within a limit: the reader of `tar` reads them whole, and a few bytes
//! of gzip unpack to gigabytes.

use std::ffi::OsStr;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use tar::{Archive, Entries, Entry, PaxExtensions};

/// Maximum size of an extended header, in bytes, as in Go's `archive/tar`.
const EXTENDED: u64 = 1 << 20;

/// The members of an archive, in its order.
pub(in crate::inputs) struct Members<'a, R: Read>(Entries<'a, R>);

/// A member, with what extended headers say of it.
pub(in crate::inputs) struct Member<'a, R: Read> {
    /// Its path, which may lead anywhere.
    pub(in crate::inputs) path: PathBuf,
    /// The target of a link.
    pub(in crate::inputs) target: Option<PathBuf>,
    /// Its header and content.
    pub(in crate::inputs) entry: Entry<'a, R>,
}

impl<'a, R: Read> Members<'a, R> {
    /// The members of an archive that was not read yet.
    ///
    /// # Errors
    /// It was read.
    pub(in crate::inputs) fn of(archive: &'a mut Archive<R>) -> io::Result<Self> {
        Ok(Self(archive.entries()?.raw(true)))
    }

    /// The members of an archive that was not read yet. Contents that are not asked for are skipped without reading.
    ///
    /// # Errors
    /// It was read.
    pub(in crate::inputs) fn seekable(archive: &'a mut Archive<R>) -> io::Result<Self>
    where
        R: Seek,
    {
        Ok(Self(archive.entries_with_seek()?.raw(true)))
    }

    fn next_member(&mut self) -> io::Result<Option<Member<'a, R>>> {
        let mut extended = Extended::default();
        for entry in &mut self.0 {
            let mut entry = entry?;
            if !extended.takes(&mut entry)? {
                return extended.applied_to(entry).map(Some);
            }
        }
        match extended.is_empty() {
            true => Ok(None),
            false => Err(wrong("the archive ends after an extended header")),
        }
    }
}

impl<'a, R: Read> Iterator for Members<'a, R> {
    type Item = io::Result<Member<'a, R>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_member().transpose()
    }
}

/// The contents of extended headers before a member.
#[derive(Default)]
struct Extended {
    /// The path, by GNU.
    path: Option<Vec<u8>>,
    /// The target of a link, by GNU.
    target: Option<Vec<u8>>,
    /// The records of POSIX.
    records: Option<Vec<u8>>,
}

impl Extended {
    fn is_empty(&self) -> bool {
        self.path.is_none() && self.target.is_none() && self.records.is_none()
    }

    /// Reads an entry that is an extended header of the next member.
    fn takes(&mut self, entry: &mut Entry<'_, impl Read>) -> io::Result<bool> {
        let header = entry.header();
        if header.as_gnu().is_none() && header.as_ustar().is_none() {
            return Ok(false);
        }
        let kind = header.entry_type();
        let part = match kind {
            tar::EntryType::GNULongName => &mut self.path,
            tar::EntryType::GNULongLink => &mut self.target,
            tar::EntryType::XHeader => &mut self.records,
            _ => return Ok(false),
        };
        if part.is_some() {
            return Err(wrong("two extended headers of one kind for one member"));
        }
        let bytes = content::read_limited(entry, EXTENDED).map_err(|error| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("extended header: {error}"),
            )
        })?;
        *part = Some(bytes);
        Ok(true)
    }

    fn applied_to<R: Read>(self, entry: Entry<'_, R>) -> io::Result<Member<'_, R>> {
        let record = |key: &[u8]| {
            let records = PaxExtensions::new(self.records.as_deref()?);
            let mut records = records.map_while(Result::ok);
            let found = records.find(|record| record.key_bytes() == key)?;
            Some(found.value_bytes().to_vec())
        };
        let written = record(b"size").map(|size| String::from_utf8_lossy(&size).parse().ok());
        // Only a size that the header cannot have needs a record, and is beyond every limit.
        if written.is_some_and(|size| size != Some(entry.size())) {
            return Err(wrong("an extended header has another size than the header"));
        }
        let own = || entry.path_bytes().into_owned();
        let path = self.path.map(terminated).or_else(|| record(b"path"));
        let target = self.target.map(terminated).or_else(|| record(b"linkpath"));
        let target = target.or_else(|| entry.link_name_bytes().map(|name| name.into_owned()));
        Ok(Member {
            path: to_path(&path.unwrap_or_else(own)),
            target: target.as_deref().map(to_path),
            entry,
        })
    }
}

/// A name of GNU without the NUL at its end.
fn terminated(mut name: Vec<u8>) -> Vec<u8> {
    name.pop_if(|last| *last == 0);
    name
}

fn to_path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

fn wrong(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_path("short").unwrap();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(size);
        header.set_cksum();
        header
    }

    fn paths(bytes: impl Read) -> Result<Vec<(PathBuf, Option<PathBuf>)>, String> {
        let mut archive = Archive::new(bytes);
        let members = Members::of(&mut archive).unwrap();
        let named = members.map(|member| member.map(|member| (member.path, member.target)));
        let named: io::Result<_> = named.collect();
        named.map_err(|error| error.to_string())
    }

    /// An archive with extended headers, and a file after them if there is one.
    fn archive(extended: &[(EntryType, &[u8])], file: Option<&[u8]>) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (kind, content) in extended {
            let header = header(*kind, content.len() as u64);
            archive.append(&header, *content).unwrap();
        }
        match file {
            Some(file) => {
                let header = header(EntryType::Regular, file.len() as u64);
                archive.append(&header, file).unwrap();
                archive.into_inner().unwrap()
            }
            None => archive.get_ref().clone(),
        }
    }

    #[test]
    fn names_are_those_of_extended_headers() {
        use EntryType::{GNULongLink, GNULongName, XHeader};
        let named = |extended: &[(EntryType, &[u8])]| {
            let found = paths(&archive(extended, Some(b"text"))[..]).unwrap();
            let [(path, target)] = &found[..] else {
                panic!("{found:?}");
            };
            (path.display().to_string(), target.clone())
        };
        let records = b"10 path=b\n14 linkpath=c\n10 size=4\n";
        let c = Some(PathBuf::from("c"));
        assert_eq!(named(&[]), ("short".to_owned(), None));
        assert_eq!(named(&[(XHeader, records)]), ("b".to_owned(), c.clone()));
        let gnu: [(_, &[u8]); 2] = [(GNULongName, b"long\0"), (GNULongLink, b"c")];
        assert_eq!(named(&gnu), ("long".to_owned(), c.clone()));
        let both = [gnu[0], (XHeader, &records[..])];
        assert_eq!(named(&both), ("long".to_owned(), c));
    }

    #[test]
    fn headers_that_readers_would_read_in_several_ways_are_refused() {
        use EntryType::{GNULongName, XHeader};
        let long: (_, &[u8]) = (GNULongName, b"long");
        let size: (_, &[u8]) = (XHeader, b"10 size=5\n");
        for (extended, file, reason) in [
            (vec![long, long], Some(&b"text"[..]), "two extended headers"),
            (vec![size], Some(b"text"), "has another size"),
            (vec![long], None, "the archive ends"),
        ] {
            let refused = paths(&archive(&extended, file)[..]).unwrap_err();
            assert!(refused.contains(reason), "{reason}: {refused}");
        }
    }

    #[test]
    fn a_large_extended_header_is_refused_before_it_is_read() {
        /// Zeros, of which few may be read.
        struct Zeros(u64);
        impl Read for Zeros {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(buffer.len() as u64).unwrap();
                buffer.fill(0);
                Ok(buffer.len())
            }
        }
        for kind in [
            EntryType::GNULongName,
            EntryType::GNULongLink,
            EntryType::XHeader,
        ] {
            let header = header(kind, 3 << 30);
            let bytes = header.as_bytes().chain(Zeros(2 * EXTENDED));
            let refused = paths(bytes).unwrap_err();
            assert!(refused.starts_with("extended header: "), "{refused}");
        }
    }
}
