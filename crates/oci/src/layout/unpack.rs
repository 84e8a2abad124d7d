use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use content::at::At;

use crate::Error;
use crate::layer::{self, Member, MemberKind};

/// Maximum number of files in an archive: an image has at most 1000 layers, 256 referrers and their blobs.
const FILES: usize = 20_000;

/// Unpacks an archive of a layout or of images, plain or in gzip or zstd, into the directory `dir`, which must be empty. Only
/// regular files are written. Returns the symbolic links, by path, with their targets.
///
/// # Errors
/// The archive is refused as a layer would be (see [`layer::read`]), has more than 20,000 files, or a file cannot be
/// written.
pub fn unpack(archive: impl Read, dir: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut links = BTreeMap::new();
    let mut files = 0;
    let read = layer::read(archive, |member, content| {
        files += 1;
        if files > FILES {
            let fault = format!("more than {FILES} entries");
            return Err(Error::invalid("reading archive", fault));
        }
        match &member.kind {
            MemberKind::File { .. } => write(dir, member, content),
            MemberKind::Symlink { target } => {
                links.insert(member.path.to_string(), target.clone());
                Ok(())
            }
            MemberKind::Directory | MemberKind::HardLink { .. } => Ok(()),
        }
    });
    read.map_err(of_archive)?;
    Ok(links)
}

/// The path is below `dir` (see [`layer::EntryPath`]), and no directory of it is a link, because none is written.
fn write(dir: &Path, member: &Member, content: &mut dyn Read) -> Result<(), Error> {
    let path = dir.join(member.path.as_str());
    let parent = path.parent().unwrap_or(dir);
    fs::create_dir_all(parent).map_err(At::writing(parent))?;
    let mut file = File::create_new(&path).map_err(At::writing(&path))?;
    let mut source = Source {
        content,
        failure: None,
    };
    let copied = io::copy(&mut source, &mut file);
    match (copied, source.failure) {
        (_, Some(failure)) => Err(layer::fault::unreadable(failure)),
        (Err(error), None) => Err(At::writing(&path)(error).into()),
        (Ok(_), None) => Ok(()),
    }
}

/// Remembers an error of the archive, which is not one of the file that is written.
struct Source<'a> {
    content: &'a mut dyn Read,
    failure: Option<io::Error>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.content.read(buffer).map_err(|error| {
            let kind = error.kind();
            // The copy reads again after this one.
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

/// The reader of layers names what it reads a layer.
fn of_archive(error: Error) -> Error {
    match error {
        Error::Invalid { doing, fault } => {
            Error::invalid(doing.replacen("reading layer", "reading archive", 1), fault)
        }
        Error::ReadLayer(source) => Error::content("archive")(source),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            let is_file = *kind == tar::EntryType::Regular;
            header.set_size(if is_file { text.len() as u64 } else { 0 });
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            if !is_file {
                header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text.as_bytes());
            }
            header.set_cksum();
            let content = if is_file { *text } else { "" };
            archive.append(&header, content.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn files_are_written_and_links_are_returned() {
        use tar::EntryType::{Directory, Link, Regular, Symlink};
        let dir = tempfile::tempdir().unwrap();
        let bytes = archive(&[
            ("./a/", Directory, ""),
            ("./a/one", Regular, "1"),
            ("b/two", Regular, "2"),
            ("b/link", Symlink, "two"),
            ("b/hard", Link, "b/two"),
        ]);
        let links = unpack(&bytes[..], dir.path()).unwrap();
        assert_eq!(links, BTreeMap::from([("b/link".into(), "two".into())]));
        let read = |path| fs::read(dir.path().join(path)).ok();
        assert_eq!(read("a/one").unwrap(), b"1");
        assert_eq!(read("b/two").unwrap(), b"2");
        assert_eq!((read("b/link"), read("b/hard")), (None, None));
    }

    #[test]
    fn nothing_is_written_outside_the_directory() {
        use tar::EntryType::{Block, Regular, Symlink};
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("dir");
        fs::create_dir(&dir).unwrap();
        for entries in [
            &[("../evil", Regular, "")][..],
            &[("a/../../evil", Regular, "")],
            &[("/../evil", Regular, "")],
            &[("a", Symlink, "../.."), ("a/evil", Regular, "")],
            &[("a", Symlink, "b"), ("a/evil", Regular, "")],
            &[("evil", Regular, "1"), ("evil", Regular, "2")],
            &[("evil", Block, "")],
        ] {
            let error = unpack(&archive(entries)[..], &dir).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with("reading archive: "), "{error}");
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
            let _ = fs::remove_file(dir.join("evil"));
        }
    }

    #[test]
    fn a_read_that_is_interrupted_is_repeated() {
        struct Interrupted(bool);
        impl Read for Interrupted {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                match std::mem::replace(&mut self.0, true) {
                    true => Ok(0),
                    false => Err(io::ErrorKind::Interrupted.into()),
                }
            }
        }
        let mut source = Source {
            content: &mut Interrupted(false),
            failure: None,
        };
        assert_eq!(io::copy(&mut source, &mut io::sink()).unwrap(), 0);
        assert!(source.failure.is_none());
    }

    #[test]
    fn an_archive_in_zstd_is_called_an_archive() {
        let dir = tempfile::tempdir().unwrap();
        let error = unpack(&b"\x28\xb5\x2f\xfd\0\xff"[..], dir.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading archive: window of 4123168604160 bytes in zstd is over the limit of 134217728"
        );
    }

    #[test]
    fn a_truncated_archive_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = archive(&[("file", tar::EntryType::Regular, "content")]);
        let error = unpack(&bytes[..515], dir.path()).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("reading archive"), "{error}");
    }
}
