//! Reads zip archives: of Go modules, of Go's toolchain and of Python packages. All are untrusted.

use std::collections::BTreeSet;
use std::io::{self, Read};

use content::LimitedReader;
use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, EntryMode, ZipArchive};

use crate::untrusted::shown;

/// Maximum length of a path, in bytes (Linux, `PATH_MAX`).
const PATH: usize = 4096;
/// Maximum number of names in a path.
const DEPTH: usize = 64;

/// Limits on an archive.
#[derive(Clone, Copy, Debug)]
pub(in crate::inputs) struct Limits {
    /// The number of entries.
    pub(in crate::inputs) entries: u64,
    /// The size of all files together, in bytes.
    pub(in crate::inputs) unpacked: u64,
}

/// A file of an archive.
#[derive(Clone, Copy, Debug)]
pub(in crate::inputs) struct Found<'a> {
    /// The path.
    pub(in crate::inputs) path: &'a str,
    /// What the program that made the archive says of it.
    pub(in crate::inputs) mode: Mode,
}

/// What an archive says of a file, beside its content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::inputs) enum Mode {
    /// Nothing.
    Plain,
    /// It can be executed.
    Program,
    /// It is a symbolic link, and its content is the target.
    Link,
}

/// Receives a file and its content.
pub(in crate::inputs) type TakeFound<'a> =
    &'a mut dyn FnMut(Found<'_>, &mut dyn Read) -> io::Result<()>;

/// Receives the path of a file and its content.
pub(in crate::inputs) type Take<'a> = &'a mut dyn FnMut(&str, &mut dyn Read) -> io::Result<()>;

/// Calls `take` with each file of an archive, in its order. Sizes and checksums of files are checked if they are read to their
/// ends. Entries that are folders are left out.
///
/// # Errors
/// The bytes are not such an archive, a path is not one of plain names, two files have one path, an entry is encrypted or
/// compressed by another method than DEFLATE, a path is too long or deep, a limit is reached, or an error of `take`.
pub(in crate::inputs) fn each_file(bytes: &[u8], limits: Limits, take: Take<'_>) -> io::Result<()> {
    each(bytes, limits, &mut |found, content| {
        take(found.path, content)
    })
}

/// As [`each_file`], with the mode of each file.
///
/// # Errors
/// As [`each_file`].
pub(in crate::inputs) fn each(bytes: &[u8], limits: Limits, take: TakeFound<'_>) -> io::Result<()> {
    let archive = ZipArchive::from_slice(bytes).map_err(io::Error::other)?;
    if archive.entries_hint() > limits.entries {
        return Err(fault(format_args!("more than {} entries", limits.entries)));
    }
    let mut left = limits.unpacked;
    let mut count = 0;
    let mut seen = BTreeSet::new();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(io::Error::other)? {
        count += 1;
        if count > archive.entries_hint() {
            return Err(fault("it has more entries than it says"));
        }
        let path = String::from_utf8(entry.file_path().as_bytes().to_vec());
        let path = path.map_err(|_| fault("a path is not UTF-8"))?;
        if path.ends_with('/') {
            continue;
        }
        let at = |reason: io::Error| io::Error::other(format!("{}: {reason}", shown(&path)));
        check(&path).map_err(at)?;
        if !seen.insert(path.clone()) {
            return Err(at(fault("two entries have this path")));
        }
        let found = archive
            .get_entry(entry.wayfinder())
            .map_err(io::Error::other);
        let found = found.map_err(at)?;
        let content: Box<dyn Read> = match entry.compression_method() {
            CompressionMethod::STORE => Box::new(found.data()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(found.data())),
            _ => return Err(at(fault("expected DEFLATE or no compression"))),
        };
        let mut limited = LimitedReader::new(content, left);
        let mode = mode(entry.mode());
        let one = Found { path: &path, mode };
        take(one, &mut found.verifying_reader(&mut limited)).map_err(at)?;
        left = limited.left();
    }
    match count == archive.entries_hint() {
        true => Ok(()),
        false => Err(fault("it has fewer entries than it says")),
    }
}

fn mode(mode: EntryMode) -> Mode {
    match mode.permissions() & 0o111 {
        _ if mode.is_symlink() => Mode::Link,
        0 => Mode::Plain,
        _ => Mode::Program,
    }
}

/// Checks that a path stays below the folder that it is unpacked to.
fn check(path: &str) -> io::Result<()> {
    if path.len() > PATH || path.split('/').count() > DEPTH {
        return Err(fault(format_args!(
            "expected a path of at most {PATH} bytes and {DEPTH} names"
        )));
    }
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    match path.split('/').all(is_name) && !path.contains(['\0', '\\', '\n']) {
        true => Ok(()),
        false => Err(fault("expected a path of plain names")),
    }
}

fn fault(reason: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

/// An archive with these files.
#[cfg(test)]
pub(in crate::inputs) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (path, content) in files {
        let file = archive.new_file(rawzip::path::EntryPath::verbatim(path.as_bytes()));
        let (mut entry, config) = file
            .compression_method(CompressionMethod::DEFLATE)
            .start()
            .unwrap();
        let level = flate2::Compression::fast();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, level);
        let mut writer = config.wrap(encoder);
        writer.write_all(content).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        entries: 3,
        unpacked: 10,
    };

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut files = Vec::new();
        let read = each_file(bytes, LIMITS, &mut |path, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            files.push((path.to_owned(), bytes));
            Ok(())
        });
        read.map(|()| files).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_read_in_their_order() {
        let bytes = archive(&[("b/c", b"text"), ("b/d/", b""), ("a", b"")]);
        let expected = [
            ("b/c".to_owned(), b"text".to_vec()),
            ("a".to_owned(), Vec::new()),
        ];
        assert_eq!(read(&bytes).unwrap(), expected);
    }

    #[test]
    fn hostile_archives_are_refused() {
        for (files, fault) in [
            (
                &[("../a", &b""[..])][..],
                "../a: expected a path of plain names",
            ),
            (&[("/a", b"")], "/a: expected a path of plain names"),
            (&[("a/./b", b"")], "a/./b: expected a path"),
            (&[("a\\b", b"")], "a\\b: expected a path"),
            (&[("a", b"1"), ("a", b"2")], "a: two entries have this path"),
            (&[("a", b"12345678901")], "a: "),
            (&[("a", b"123456"), ("b", b"123456")], "b: "),
            (
                &[("a", b""), ("b", b""), ("c", b""), ("d", b"")],
                "more than 3 entries",
            ),
        ] {
            let found = read(&archive(files)).unwrap_err();
            assert!(found.starts_with(fault), "{found}");
        }
        assert!(read(b"!<arch>").is_err());
    }

    #[test]
    fn a_path_has_a_limit() {
        let long = |length: usize| "a".repeat(length);
        let deep = |depth: usize| vec!["a"; depth].join("/");
        for good in [long(4096), deep(64)] {
            read(&archive(&[(&good, b"")])).unwrap();
        }
        for wrong in [long(4097), deep(65)] {
            let found = read(&archive(&[(&wrong, b"")])).unwrap_err();
            assert!(
                found.ends_with("at most 4096 bytes and 64 names"),
                "{found}"
            );
        }
    }

    #[test]
    fn a_damaged_archive_has_no_other_content() {
        let whole = archive(&[("a", b"text")]);
        let expected = read(&whole).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            // The path has no checksum.
            if let Ok(found) = read(&damaged) {
                assert_eq!(found[0].1, expected[0].1, "{at}");
            }
        }
    }
}
