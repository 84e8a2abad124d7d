//! The object files in an archive, and an object file itself.

use std::fs::File;
use std::io::{self, Read as _};

use object::ReadCache;
use object::elf::ET_REL;
use object::read::archive::ArchiveFile;

/// The beginnings of archives, and of those that name their members only (ar(5); GNU binutils, "ar").
const ARCHIVES: [&[u8]; 2] = [b"!<arch>\n", b"!<thin>\n"];
/// Where the header of ELF has the type.
const TYPE_AT: usize = 16;
/// Most members of an archive that are read.
const MEMBERS: usize = 1_000_000;

/// Largest archive that is read, in bytes: its tables are read whole.
const ARCHIVE: u64 = 4 << 30;

/// A part of a file, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Piece {
    /// Where it begins.
    pub offset: u64,
    /// Its size.
    pub size: u64,
}

/// The object file that a file is, or the members of the archive that it is, up to one that cannot be read; `None` if it is
/// neither. Programs and shared libraries are neither.
///
/// # Errors
/// The file cannot be read, or is an archive of more than 4 GiB.
pub fn pieces(file: &File) -> io::Result<Option<Vec<Piece>>> {
    let mut head = Vec::new();
    file.take(18).read_to_end(&mut head)?;
    let size = file.metadata()?.len();
    if ARCHIVES.iter().any(|magic| head.starts_with(magic)) {
        return match size {
            0..=ARCHIVE => Ok(Some(members(file))),
            _ => Err(io::Error::other("the archive is larger than 4 GiB")),
        };
    }
    let is_object = head.starts_with(b"\x7fELF") && {
        // In either byte order: other types with these two bytes are of no system.
        let kind = head.get(TYPE_AT..).unwrap_or_default();
        [ET_REL.0.to_le_bytes(), ET_REL.0.to_be_bytes()]
            .iter()
            .any(|kind_of| kind == kind_of)
    };
    Ok(is_object.then(|| vec![Piece { offset: 0, size }]))
}

fn members(file: &File) -> Vec<Piece> {
    let cache = ReadCache::new(file);
    let Ok(archive) = ArchiveFile::parse(&cache) else {
        return Vec::new();
    };
    let members = archive.members().take(MEMBERS).map_while(Result::ok);
    let members = members.filter(|member| !member.is_thin());
    members
        .map(|member| {
            let (offset, size) = member.file_range();
            Piece { offset, size }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    /// An archive with these members, with one name that is too long for its header.
    fn archive(members: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"!<arch>\n".to_vec();
        let mut add = |name: &str, content: &[u8]| {
            bytes.extend(format!("{name:<16}{:<32}{:<10}`\n", "0", content.len()).bytes());
            bytes.extend(content);
            bytes.resize(bytes.len().next_multiple_of(2), b'\n');
        };
        add("/", &[0; 4]);
        add("//", b"a-name-of-more-than-sixteen.o/\n");
        for member in members {
            add("/0", member);
        }
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        let file = File::open(&path).unwrap();
        let found = pieces(&file).unwrap()?.into_iter().map(|piece| {
            let mut content = vec![0; piece.size as usize];
            file.read_exact_at(&mut content, piece.offset).unwrap();
            content
        });
        Some(found.collect())
    }

    #[test]
    fn an_archive_has_its_members_without_the_lists_of_names() {
        let whole = archive(&[b"odd", b"even"]);
        let expected = [b"odd".to_vec(), b"even".to_vec()];
        assert_eq!(of(&whole).unwrap(), expected);
        assert_eq!(of(&whole[..whole.len() - 30]).unwrap(), expected[..1]);
        assert_eq!(of(b"!<arch>\n"), Some(Vec::new()));
    }

    #[test]
    fn only_object_files_are_pieces_of_themselves() {
        let program = fs::read("/bin/true").unwrap();
        assert_eq!(of(&program), None);
        assert_eq!(of(b"/* GNU ld script */"), None);
        let mut object = program.clone();
        object[TYPE_AT] = 1;
        assert_eq!(of(&object), Some(vec![object]));
    }
}
