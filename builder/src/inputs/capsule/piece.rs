//! Pieces of files, which are read without a position that others share.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use tar::{Archive, EntryType};

use crate::inputs::members::Members;

/// Maximum number of entries of all archives of a capsule.
pub(super) const ENTRIES: usize = 1_000_000;

/// A piece of a file.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    file: Arc<File>,
    start: u64,
    size: u64,
    /// What was read of it.
    position: u64,
}

impl Piece {
    /// A whole file.
    ///
    /// # Errors
    /// Its size cannot be determined.
    pub(super) fn whole(file: File) -> io::Result<Self> {
        Ok(Self {
            size: file.metadata()?.len(),
            file: Arc::new(file),
            start: 0,
            position: 0,
        })
    }

    /// The number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Calls `take` with each regular file of a tar archive. `left` is how many more entries the capsule may have.
    ///
    /// # Errors
    /// The archive is damaged, or has more entries, or something else than files and folders.
    pub(super) fn each_file(
        &self,
        left: &mut usize,
        mut take: impl FnMut(PathBuf, Self),
    ) -> io::Result<()> {
        let mut archive = Archive::new(self.clone());
        for member in Members::seekable(&mut archive)? {
            let member = member?;
            let fewer = left.checked_sub(1);
            *left = fewer
                .ok_or_else(|| wrong(format!("the capsule has more than {ENTRIES} entries")))?;
            match member.entry.header().entry_type() {
                EntryType::Regular => {}
                EntryType::Directory => continue,
                kind => {
                    let path = member.path.display();
                    return Err(wrong(format!("{path} is a {kind:?}")));
                }
            }
            let (at, size) = (member.entry.raw_file_position(), member.entry.size());
            if at.checked_add(size).is_none_or(|end| end > self.size) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let piece = Self {
                file: self.file.clone(),
                start: self.start + at,
                size,
                position: 0,
            };
            take(member.path, piece);
        }
        Ok(())
    }
}

impl Read for Piece {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.position);
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let at = self.start + self.position;
        let count = self.file.read_at(&mut buffer[..most], at)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Piece {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn wrong(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive() -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in [("a", &b"one"[..]), ("b", &[7; 2000]), ("c", b"")] {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn piece(bytes: &[u8]) -> Piece {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        Piece::whole(file).unwrap()
    }

    fn files(piece: &Piece) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        piece.each_file(&mut { ENTRIES }, |path, mut piece| {
            let mut bytes = Vec::new();
            piece.read_to_end(&mut bytes).unwrap();
            files.push((path.display().to_string(), bytes));
        })?;
        Ok(files)
    }

    #[test]
    fn files_of_an_archive_in_an_archive_are_found() {
        let inner = archive();
        let mut outer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(inner.len() as u64);
        header.set_mode(0o644);
        outer.append_data(&mut header, "x", &inner[..]).unwrap();
        let outer = piece(&outer.into_inner().unwrap());
        let mut found = Vec::new();
        outer
            .each_file(&mut { ENTRIES }, |_, piece| found = files(&piece).unwrap())
            .unwrap();
        let expected = [
            ("a".to_owned(), b"one".to_vec()),
            ("b".to_owned(), vec![7; 2000]),
            ("c".to_owned(), Vec::new()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn all_archives_together_have_a_limit() {
        let (one, mut left) = (piece(&archive()), 5);
        one.each_file(&mut left, |_, _| {}).unwrap();
        let mut count = 0;
        let refused = one.each_file(&mut left, |_, _| count += 1).unwrap_err();
        assert!(refused.to_string().contains("more than"), "{refused}");
        assert_eq!(count, 2);
    }

    #[test]
    fn a_truncated_archive_is_refused() {
        let bytes = archive();
        for end in [513, 1300, 2500] {
            files(&piece(&bytes[..end])).unwrap_err();
        }
    }
}
