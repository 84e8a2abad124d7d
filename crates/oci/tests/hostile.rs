//! Hostile layers: what must be refused, and that nothing outside the folder is written.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::symlink;

use content::{CheckedReader, Digest, ReadError};
use oci::layer::Owners;
use oci::{Error, layer};

/// An archive made header by header.
#[derive(Default)]
struct Archive(Vec<u8>);

impl Archive {
    fn entry(self, flag: u8, path: &[u8], target: &[u8], content: &[u8]) -> Self {
        self.sized(flag, path, target, content, content.len() as u64)
    }

    fn sized(mut self, flag: u8, path: &[u8], target: &[u8], content: &[u8], size: u64) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
        header.set_entry_type(tar::EntryType::new(flag));
        header.set_mode(0o6777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1);
        header.set_size(size);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(b'0', path.as_bytes(), b"", content)
    }

    fn directory(self, path: &str) -> Self {
        self.entry(b'5', path.as_bytes(), b"", b"")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(b'2', path.as_bytes(), target.as_bytes(), b"")
    }

    fn hard(self, path: &str, target: &str) -> Self {
        self.entry(b'1', path.as_bytes(), target.as_bytes(), b"")
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn read(bytes: &[u8]) -> Result<Digest, Error> {
    layer::read(bytes, |_, content| {
        std::io::copy(content, &mut std::io::sink()).unwrap();
        Ok(())
    })
}

const PATH: &str = "path is not a plain path below the root";
const DUPLICATE: &str = "path appears twice";
const PARENT: &str = "parent is not a directory";
const EXTENSION: &str = "extended header is malformed";
const HEADER: &str = "header is malformed";

fn fault(bytes: &[u8]) -> String {
    match layer::read(bytes, |_, _| Ok::<(), Error>(())) {
        Err(Error::Invalid { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

fn new() -> Archive {
    Archive::default()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn paths_stay_below_the_root_and_are_single() {
    for path in ["../a", "/a", "a/../b", "a//b", "a/./b", "..", "./../a"] {
        assert_eq!(fault(&new().file(path, b"").end()), PATH, "{path}");
    }
    assert_eq!(
        fault(&new().entry(b'0', b"\xff", b"", b"").end()),
        "path is not UTF-8"
    );
    let twice = new().file("a", b"1").file("./a", b"2").end();
    assert_eq!(fault(&twice), DUPLICATE);
    let twice = new().directory("a/").link("a", "b").end();
    assert_eq!(fault(&twice), DUPLICATE);
    let replaced = new().file("a/b", b"").link("a", "/etc").end();
    assert_eq!(fault(&replaced), DUPLICATE);
    let through = new().link("a", "/etc").file("a/b", b"").end();
    assert_eq!(fault(&through), PARENT);
    let through = new().file("a", b"").directory("a/b/c/").end();
    assert_eq!(fault(&through), PARENT);
}

#[test]
fn links_stay_below_the_root() {
    let empty = "link target is empty, too long or contains NUL";
    assert_eq!(fault(&new().link("a", "").end()), empty);
    for target in ["../x", "/..", "/a/../../b"] {
        let archive = new().link("a", target).end();
        assert_eq!(
            fault(&archive),
            format!("link target {target:?} leaves the root")
        );
        let archive = new().hard("a", target).end();
        assert_eq!(
            fault(&archive),
            format!("link target {target:?} leaves the root")
        );
    }
    assert!(read(&new().link("a/b", "../c").link("d", "/e").end()).is_ok());
}

#[test]
fn only_files_directories_and_links() {
    for flag in [b'3', b'4', b'6', b'7', b'S', b'M', b'V', b'D', b'Z', 0xff] {
        let archive = new().entry(flag, b"a", b"", b"").end();
        let kind = char::from(flag);
        assert_eq!(
            fault(&archive),
            format!("type {kind:?} is not a file, directory or link")
        );
    }
    let full = new().entry(b'5', b"a/", b"", b"content").end();
    assert_eq!(
        fault(&full),
        "7 bytes of content in an entry that is not a file"
    );
    let slash = new().file("a/", b"content").end();
    assert_eq!(fault(&slash), PATH);
}

#[test]
fn headers_do_not_contradict_each_other() {
    let pax = |records: &[u8]| new().entry(b'x', b"p", b"", records);
    let cases = [
        pax(b"9 size=9\n").file("a", b"1").end(),
        pax(b"10 path=a\n")
            .entry(b'L', b"l", b"", b"b\0")
            .file("c", b"")
            .end(),
        pax(b"10 path=a\n10 path=b\n").file("c", b"").end(),
        pax(b"99 path=a\n").file("c", b"").end(),
        pax(b"22 GNU.sparse.major=1\n").file("c", b"").end(),
        pax(b"10 path=a\n").end(),
        new()
            .entry(b'g', b"p", b"", b"10 path=a\n")
            .file("c", b"")
            .end(),
    ];
    for (number, archive) in cases.iter().enumerate() {
        assert_eq!(fault(archive), EXTENSION, "{number}");
    }
    assert_eq!(
        fault(&pax(b"12 path=../a\n").file("c", b"").end()),
        EXTENSION
    );
    assert_eq!(fault(&pax(b"13 path=../a\n").file("c", b"").end()), PATH);
    let huge = new().sized(b'L', b"l", b"", b"", 3 << 30).end();
    assert_eq!(fault(&huge), "extended header is larger than 1048576 bytes");
}

/// Readers disagree on the first of two headers of one type, and on a header before a global one.
#[test]
fn headers_do_not_displace_each_other() {
    let path = || new().entry(b'x', b"p", b"", b"13 path=evil\n");
    let comment = b"13 comment=c\n";
    let cases = [
        path().entry(b'x', b"p", b"", comment),
        new()
            .entry(b'x', b"p", b"", comment)
            .entry(b'x', b"p", b"", b"13 path=evil\n"),
        path().entry(b'g', b"p", b"", comment),
        new()
            .entry(b'L', b"l", b"", b"evil\0")
            .entry(b'g', b"p", b"", comment),
        new()
            .entry(b'K', b"l", b"", b"evil\0")
            .entry(b'K', b"l", b"", b"evil\0"),
    ];
    for (number, archive) in cases.into_iter().enumerate() {
        let archive = archive.file("good", b"").end();
        assert_eq!(fault(&archive), EXTENSION, "{number}");
    }
    let allowed = new()
        .entry(b'g', b"p", b"", comment)
        .entry(b'g', b"p", b"", comment)
        .entry(b'x', b"p", b"", b"13 path=evil\n")
        .file("good", b"")
        .end();
    assert!(read(&allowed).is_ok());
}

/// Bytes that are a prefix of the path in one dialect, and have another or no meaning in another.
#[test]
fn a_header_has_one_dialect() {
    let posix = b"ustar\x0000";
    assert!(read(&patched(posix, 345, b"before")).is_ok());
    for magic in [b"ustar\x0011", b"ustar\0\0\0", b"ustar\0 \0"] {
        assert_eq!(fault(&patched(magic, 345, b"")), HEADER);
        assert_eq!(fault(&patched(magic, 345, b"evil")), HEADER);
    }
    for magic in [b"ustar  \0", b"\0\0\0\0\0\0\0\0"] {
        assert!(read(&patched(magic, 345, b"")).is_ok());
        assert_eq!(fault(&patched(magic, 345, b"evil")), HEADER);
    }
    assert_eq!(fault(&patched(posix, 508, b"tar\0")), HEADER);
}

/// A file `good` whose header has another magic, and `bytes` at `offset`.
fn patched(magic: &[u8; 8], offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut archive = new().file("good", b"").end();
    let mut header = tar::Header::new_old();
    let block = header.as_mut_bytes();
    block.copy_from_slice(&archive[..512]);
    block[257..265].copy_from_slice(magic);
    block[offset..offset + bytes.len()].copy_from_slice(bytes);
    header.set_cksum();
    archive[..512].copy_from_slice(header.as_bytes());
    archive
}

#[test]
fn an_unreadable_time_is_an_error() {
    let time = |text: &[u8; 12]| patched(b"ustar\x0000", 136, text);
    assert!(read(&time(b"00000000001\0")).is_ok());
    assert_eq!(fault(&time(b"yesterday\0\0\0")), HEADER);
}

#[test]
fn the_archive_ends_where_it_says() {
    let mut hidden = new().file("a", b"").end();
    hidden.extend(new().file("b", b"").end());
    assert_eq!(fault(&hidden), "bytes after the end of the archive");
    let mut padded = new().file("a", b"").end();
    padded.extend([0; 9000]);
    assert!(read(&padded).is_ok());
    let cut = &new().file("a", &[1; 600]).end()[..700];
    assert_eq!(ends_early(cut), ErrorKind::UnexpectedEof);
    let mut broken = new().file("a", b"").end();
    broken[0] = b'b';
    assert_eq!(fault(&broken), HEADER);
    let short = &new().file("a", b"").end()[..300];
    assert_eq!(fault(short), HEADER);
}

/// How reading an archive fails that is cut off.
fn ends_early(bytes: &[u8]) -> ErrorKind {
    match layer::read(bytes, |_, _| Ok::<(), Error>(())) {
        Err(Error::ReadLayer(ReadError::Io(error))) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn gzip_in_members_is_one_archive_and_anything_else_is_refused() {
    let archive = new().file("a", &[7; 5000]).end();
    let mut members = gzip(&archive[..700]);
    members.extend(gzip(&archive[700..]));
    assert_eq!(read(&members).unwrap(), Digest::of(&archive));
    members.extend(b"junk");
    assert_eq!(ends_early(&members), ErrorKind::UnexpectedEof);
    let mut damaged = gzip(&archive);
    let middle = damaged.len() - 6;
    damaged[middle] ^= 1;
    assert_eq!(ends_early(&damaged), ErrorKind::InvalidInput);
    assert_eq!(ends_early(&gzip(&archive)[..50]), ErrorKind::UnexpectedEof);
}

#[test]
fn the_whole_blob_is_checked() {
    let archive = gzip(&new().file("a", b"x").end());
    let check = |expected: &[u8], size: usize| {
        let digest = Digest::of(expected);
        let reader = CheckedReader::new(&archive[..], digest, size as u64);
        layer::read(reader, |_, _| Ok::<(), Error>(()))
    };
    assert!(check(&archive, archive.len()).is_ok());
    for result in [
        check(b"", archive.len()),
        check(&archive, archive.len() + 1),
    ] {
        assert!(
            matches!(result, Err(Error::ReadLayer(ReadError::Check(_)))),
            "{result:?}"
        );
    }
}

#[test]
fn unpacks_over_the_layers_below() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let below = new()
        .directory("./")
        .file("d/a", b"1")
        .file("d/b", b"2")
        .file("e/c", b"3");
    layer::unpack(&below.end()[..], &root, Owners::Process).unwrap();
    let above = new()
        .file("d/.wh.a", b"")
        .file("e/new", b"4")
        .hard("e/same", "e/new")
        .link("e/link", "new")
        .file("e/.wh..wh..opq", b"");
    let archive = gzip(&above.end());
    layer::unpack(&archive[..], &root, Owners::Process).unwrap();
    assert!(!root.join("d/a").exists());
    assert_eq!(fs::read(root.join("d/b")).unwrap(), b"2");
    assert!(!root.join("e/c").exists());
    assert_eq!(fs::read(root.join("e/same")).unwrap(), b"4");
    assert_eq!(fs::read(root.join("e/link")).unwrap(), b"4");
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(root.join("e/new")).unwrap());
    assert_eq!(mode & 0o7777, 0o777);
}

#[test]
fn writes_nothing_through_links_of_other_layers() {
    let dir = tempfile::tempdir().unwrap();
    let (root, outside) = (dir.path().join("root"), dir.path().join("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), b"alive").unwrap();
    symlink(&outside, root.join("out")).unwrap();
    symlink(outside.join("canary"), root.join("file")).unwrap();
    for (archive, expected) in [
        (new().file("out/canary", b"dead"), PARENT),
        (new().file("out/.wh.canary", b""), PARENT),
        (new().file("out/.wh..wh..opq", b""), PARENT),
        (new().file(".wh..", b""), PATH),
        (new().file(".wh...", b""), PATH),
        (
            new().hard("stolen", "out/canary"),
            "hard link target \"out/canary\" is not a file",
        ),
        (
            new().hard("stolen", "file"),
            "hard link target \"file\" is not a file",
        ),
    ] {
        match layer::unpack(&archive.end()[..], &root, Owners::Process) {
            Err(Error::Invalid { fault, .. }) => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
    }
    let replaced = new()
        .file("file", b"new")
        .directory("out/")
        .file("out/canary", b"own")
        .end();
    layer::unpack(&replaced[..], &root, Owners::Process).unwrap();
    assert_eq!(fs::read(outside.join("canary")).unwrap(), b"alive");
    assert_eq!(fs::read(root.join("out/canary")).unwrap(), b"own");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

/// A gzip of zeros is a thousand times smaller than its content. The limit is that of the content.
#[test]
fn a_bomb_is_stopped_by_its_header() {
    let start = new().sized(b'0', b"bomb", b"", b"", 5 << 30).0;
    let zeros = std::io::repeat(0).take(6 << 30);
    let mut read = 0_u64;
    let result = layer::read(start.chain(zeros), |_, content| -> Result<(), Error> {
        let mut buffer = vec![0; 1 << 20];
        while let Ok(count @ 1..) = content.read(&mut buffer) {
            read += count as u64;
            if read > 64 << 20 {
                break;
            }
        }
        Ok(())
    });
    assert_eq!(
        result.unwrap_err().to_string(),
        "reading layer: entry \"bomb\": more than 4294967296 bytes unpacked"
    );
    assert_eq!(read, 0, "the size in the header is over the limit");
}
