//! The formats of archives, which are told by their first bytes.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;

use content::LimitedReader;
use flate2::bufread::MultiGzDecoder;
use liblzma::read::XzDecoder;

use crate::inputs::unpack::{Entry, Fault, Unpacker};
use crate::inputs::zip::{self, Limits};
use crate::interrupt::Interrupt;

/// Maximum size of all files of an archive, in bytes.
const UNPACKED: u64 = 4 << 30;
/// Maximum number of files of a zip archive.
const ENTRIES: u64 = 1_000_000;
/// The first bytes of formats.
const GZIP: &[u8] = &[0x1f, 0x8b];
const XZ: &[u8] = b"\xfd7zXZ\0";
const ZIP: &[u8] = b"PK";
const OTHER: [(&[u8], &str); 2] = [(&[0x28, 0xb5, 0x2f, 0xfd], "zstd"), (b"BZh", "bzip2")];
/// The first bytes of programs and scripts.
const PROGRAMS: [&[u8]; 2] = [b"\x7fELF", b"#!"];
/// Where a tar archive has its own mark (POSIX, pax, "ustar Interchange Format").
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Unpacks an archive into an empty folder, without the first `strip` parts of each path. Entries with fewer parts are left out.
pub(super) fn unpack(
    bytes: &[u8],
    strip: usize,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<(), Fault> {
    let select = |parts: &[&OsStr]| (parts.len() > strip).then_some(strip);
    let mut unpacker = Unpacker::new(folder, interrupt, &select);
    let tar: Box<dyn Read + '_> = match bytes {
        _ if bytes.starts_with(GZIP) => Box::new(MultiGzDecoder::new(bytes)),
        _ if bytes.starts_with(ZIP) => return zip(bytes, &mut unpacker),
        _ if bytes.starts_with(XZ) => Box::new(XzDecoder::new_multi_decoder(bytes)),
        _ if bytes
            .get(TAR.0..)
            .is_some_and(|mark| mark.starts_with(TAR.1)) =>
        {
            Box::new(bytes)
        }
        _ => return Err(Fault::Wrong(unknown(bytes))),
    };
    unpacker.tar(LimitedReader::new(tar, UNPACKED))
}

/// Unpacks a zip archive. Archives need not name modes, so programs are told by their first bytes. There are no links.
fn zip(bytes: &[u8], unpacker: &mut Unpacker<'_>) -> Result<(), Fault> {
    let limits = Limits {
        entries: ENTRIES,
        unpacked: UNPACKED,
    };
    let mut fault = None;
    let read = zip::each_file(bytes, limits, &mut |path, content| {
        let mut head = Vec::new();
        content.take(4).read_to_end(&mut head)?;
        let entry = Entry::File {
            is_program: PROGRAMS.iter().any(|mark| head.starts_with(mark)),
            content: &mut head.chain(content),
        };
        unpacker.put(Path::new(path), entry).map_err(|found| {
            let message = found.to_string();
            fault = Some(found);
            io::Error::other(message)
        })
    });
    match (fault, read) {
        (Some(fault), _) => Err(fault),
        (None, read) => read.map_err(|error| Fault::Wrong(error.to_string())),
    }
}

fn unknown(bytes: &[u8]) -> String {
    let format = OTHER.iter().find(|(mark, _)| bytes.starts_with(mark));
    let found = format.map_or("another format", |(_, name)| name);
    format!("expected tar, tar.gz, tar.xz or zip, found {found}")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    use tar::EntryType::{self, Directory, Fifo, Link, Regular, Symlink};

    use super::*;
    use crate::inputs::archive::check;

    fn tar(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(*kind);
            header.set_mode(if path.contains("bin/") { 0o711 } else { 0o600 });
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            let is_link = matches!(kind, Symlink | Link);
            header.set_size(if is_link { 0 } else { text.len() as u64 });
            if is_link {
                header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text.as_bytes());
            }
            header.set_cksum();
            let content = if is_link { &b""[..] } else { text.as_bytes() };
            builder.append(&header, content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 0);
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn unpacked(bytes: &[u8], strip: usize) -> Result<tempfile::TempDir, String> {
        let folder = tempfile::tempdir().unwrap();
        unpack(bytes, strip, folder.path(), &Interrupt::default())
            .map_err(|fault| fault.to_string())?;
        check(folder.path())?;
        Ok(folder)
    }

    #[test]
    fn unpacks_each_format_without_leading_parts() {
        let entries = [
            ("go-1/", Directory, ""),
            ("go-1/README", Regular, "text"),
            ("go-1/pkg/", Directory, ""),
            ("go-1/bin/go", Regular, "program"),
            ("go-1/bin/gofmt", Link, "go-1/bin/go"),
            ("go-1/pkg/link", Symlink, "../bin/go"),
            ("go-1/pkg/dangling", Symlink, "none"),
        ];
        let plain = tar(&entries);
        for bytes in [gzip(&plain), xz(&plain), plain] {
            let folder = unpacked(&bytes, 1).unwrap();
            let at = |name: &str| folder.path().join(name);
            assert_eq!(fs::read(at("README")).unwrap(), b"text");
            assert_eq!(fs::read(at("pkg/link")).unwrap(), b"program");
            let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode("bin/gofmt"), mode("README")), (0o755, 0o644));
            let refused = unpacked(&bytes, 2).unwrap_err();
            assert_eq!(refused, "link link leads out of the archive");
            let none = unpacked(&bytes, 3).unwrap_err();
            assert!(none.contains("strip in Image.toml is too large"), "{none}");
        }
    }

    #[test]
    fn programs_of_zip_archives_can_be_executed() {
        let files: [(&str, &[u8]); 3] = [
            ("go@v1/bin/go", b"\x7fELF..."),
            ("go@v1/run", b"#!/bin/sh\n"),
            ("go@v1/README", b"x"),
        ];
        let bytes = zip::archive(&files);
        let folder = unpacked(&bytes, 1).unwrap();
        for (path, content) in files {
            let path = folder.path().join(path.trim_start_matches("go@v1/"));
            assert_eq!(fs::read(&path).unwrap(), content);
            let is_program = fs::metadata(&path).unwrap().permissions().mode() & 0o100 != 0;
            assert_eq!(is_program, content.len() > 1, "{path:?}");
        }
        let hostile = zip::archive(&[("../x", b"")]);
        let refused = unpacked(&hostile, 0).unwrap_err();
        assert!(
            refused.contains("expected a path of plain names"),
            "{refused}"
        );
        unpacked(&bytes[..bytes.len() / 2], 1).unwrap_err();
    }

    #[test]
    fn hostile_archives_are_refused() {
        for (entries, reason) in [
            (
                vec![("a/../../x", Regular, "")],
                "a/../../x leaves the root",
            ),
            (
                vec![("l", Symlink, "/etc"), ("l/x", Regular, "")],
                "/l is not a folder",
            ),
            (
                vec![("l", Symlink, "/etc/passwd")],
                "link l leads out of the archive",
            ),
            (
                vec![("a/l", Symlink, "../../x")],
                "link a/l leads out of the archive",
            ),
            (
                vec![("a/b/d", Symlink, "../.."), ("e", Symlink, "a/b/d/../x")],
                "link e leads out of the archive",
            ),
            (vec![("p", Fifo, "")], "/p is a Fifo"),
            (vec![("h", Link, "../x")], "../x leaves the root"),
            (
                vec![("l", Symlink, "l"), ("x", Regular, "")],
                "link l leads to itself",
            ),
        ] {
            let refused = unpacked(&tar(&entries), 0).unwrap_err();
            assert!(refused.ends_with(reason), "{entries:?}: {refused}");
        }
        for (bytes, found) in [
            (&[0x28, 0xb5, 0x2f, 0xfd][..], "found zstd"),
            (&b"<html>"[..], "found another format"),
            (b"", "found another format"),
        ] {
            let refused = unpacked(bytes, 0).unwrap_err();
            assert!(refused.ends_with(found), "{refused}");
        }
        let cut = gzip(&tar(&[("a", Regular, "text")]));
        unpacked(&cut[..cut.len() / 2], 0).unwrap_err();
    }
}
