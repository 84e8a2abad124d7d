//! Archives of all dialects, as Go reads them, and archives that are refused.
#![allow(clippy::unwrap_used, reason = "a test, its helpers included")]

use content::Digest;
use oci::Error;
use oci::archive::{self, Entry};

/// A header of POSIX with a correct checksum.
fn header(name: &str, flag: u8, size: usize, link: &str) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = flag;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    sealed(block)
}

/// The header with its checksum.
fn sealed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn file(name: &str, flag: u8, content: &[u8]) -> Vec<u8> {
    with_content(header(name, flag, content.len(), ""), content)
}

fn with_content(header: [u8; 512], content: &[u8]) -> Vec<u8> {
    let mut bytes = [&header[..], content].concat();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn link(name: &str, flag: u8, target: &str) -> Vec<u8> {
    header(name, flag, 0, target).to_vec()
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length = (rest..).find(|n| rest + n.to_string().len() == *n).unwrap();
    format!("{length} {key}={value}\n")
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let text: String = records.iter().map(|(k, v)| record(k, v)).collect();
    file("PaxHeaders/1", b'x', text.as_bytes())
}

fn read(parts: &[Vec<u8>]) -> Result<Vec<Entry>, Error> {
    let bytes = [parts.concat(), vec![0; 1024]].concat();
    let mut entries = Vec::new();
    let diff_id = archive::read(&bytes[..], |entry| -> Result<(), Error> {
        entries.push(entry);
        Ok(())
    })?;
    assert_eq!(diff_id, Digest::of(&bytes));
    Ok(entries)
}

#[track_caller]
fn check_refusal(parts: &[Vec<u8>], reason: &str) {
    let error = read(parts).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
}

/// The only entry, which must be this file.
#[track_caller]
fn check_file(parts: &[Vec<u8>], name: &str, content: &[u8]) {
    let [entry] = &read(parts).unwrap()[..] else {
        panic!("not one entry");
    };
    assert_eq!(String::from_utf8_lossy(&entry.name), name);
    assert_eq!(entry.size, content.len() as u64);
    let digest = (!content.is_empty()).then(|| Digest::of(content));
    assert_eq!(entry.digest, digest);
}

#[test]
fn repeated_extended_headers_replace_each_other() {
    let last = [
        pax(&[("path", "one"), ("uid", "7")]),
        pax(&[("path", "two")]),
        file("three", b'0', b"a"),
    ];
    check_file(&last, "two", b"a");
    assert_eq!(read(&last).unwrap()[0].uid, 0);
    let gnu = [
        file("", b'L', b"one\0"),
        file("", b'L', b"two\0"),
        pax(&[("path", "pax")]),
        file("three", b'0', b"a"),
    ];
    check_file(&gnu, "two", b"a");
    let twice = [
        pax(&[("path", "one"), ("path", "two")]),
        file("x", b'0', b""),
    ];
    check_file(&twice, "two", b"");
}

#[test]
fn a_global_header_is_an_entry_and_applies_to_no_other() {
    let global = file("g", b'g', record("path", "all").as_bytes());
    let entries = read(&[global, file("a", b'0', b"a")]).unwrap();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.as_slice()).collect();
    assert_eq!(names, [b"all", &b"a"[..]]);
}

#[test]
fn star_has_a_shorter_prefix() {
    let mut block = header("name", b'0', 1, "");
    block[345..351].copy_from_slice(b"prefix");
    block[476..488].copy_from_slice(b"00000000001\0");
    block[508..].copy_from_slice(b"tar\0");
    check_file(&[with_content(sealed(block), b"a")], "prefix/name", b"a");
    block[476] = b'z';
    check_refusal(&[with_content(sealed(block), b"a")], "header is malformed");
}

#[test]
fn sparse_files_have_zeros_in_their_holes() {
    let mut gnu = header("sparse", b'S', 3, "");
    gnu[257..265].copy_from_slice(b"ustar  \0");
    gnu[386..410].copy_from_slice(b"00000000002\x0000000000003\0");
    gnu[483..495].copy_from_slice(b"00000000007\0");
    let gnu = with_content(sealed(gnu), b"abc");
    let whole = b"\0\0abc\0\0";
    check_file(&[gnu], "sparse", whole);
    let in_records = |map: &str| {
        pax(&[
            ("GNU.sparse.name", "sparse"),
            ("GNU.sparse.size", "7"),
            ("GNU.sparse.numblocks", "1"),
            ("GNU.sparse.map", map),
        ])
    };
    let content = file("GNUSparseFile.0/sparse", b'0', b"abc");
    check_file(&[in_records("2,3"), content.clone()], "sparse", whole);
    for wrong in ["5,3", "2,2", "2,4", "-1,3", "2"] {
        assert!(
            read(&[in_records(wrong), content.clone()]).is_err(),
            "{wrong}"
        );
    }
    let before = pax(&[
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.realsize", "7"),
    ]);
    let mut content = b"1\n2\n3\n".to_vec();
    content.resize(512, 0);
    content.extend(b"abc");
    check_file(&[before, file("sparse", b'0', &content)], "sparse", whole);
}

#[test]
fn a_huge_hole_is_not_digested() {
    let header = pax(&[
        ("GNU.sparse.size", "9000000000000000000"),
        ("GNU.sparse.numblocks", "0"),
        ("GNU.sparse.major", "0"),
        ("GNU.sparse.minor", "1"),
    ]);
    let entries = read(&[header, file("a", b'0', b"")]).unwrap();
    assert_eq!(
        (entries[0].size, entries[0].digest),
        (9_000_000_000_000_000_000, None)
    );
}

#[test]
fn nothing_is_outside_the_root() {
    for name in ["../a", "a/../../b", "./../a", "/../a", ".."] {
        check_refusal(&[file(name, b'0', b"a")], "path leaves the root");
    }
    for target in ["../a", "/../a", "a/../../b"] {
        check_refusal(&[link("l", b'1', target)], "leaves the root");
    }
    let through = "path leads through a link that leaves the root";
    for target in ["/tmp", "..", "b/../../c"] {
        let out = link("out", b'2', target);
        check_refusal(&[out.clone(), file("out/a", b'0', b"a")], through);
        check_refusal(&[out.clone(), file("./out", b'0', b"a")], through);
        check_refusal(&[out, link("b", b'1', "out/a")], "leaves the root");
    }
    for links in [
        [link("b", b'2', "/etc"), link("out", b'2', "b")],
        [link("out", b'2', "b"), link("b", b'2', "/etc")],
        [link("d/e", b'2', ".."), link("out", b'2', "d/e/..")],
        [link("out", b'2', "b"), link("b", b'2', "out")],
        [link("d", b'2', "."), link("d/out", b'2', "/etc")],
        [link("out", b'2', "b"), link("out/a", b'2', "/etc")],
        [link("d/e", b'2', ".."), link("out", b'1', "d/e")],
    ] {
        let links = links.concat();
        check_refusal(&[links.clone(), file("out/a", b'0', b"a")], through);
        check_refusal(&[links, link("c", b'1', "out/a")], "leaves the root");
    }
    let kept = [
        link("s", b'2', "a"),
        link("t", b'2', "s/../s"),
        file("t/f", b'0', b"f"),
        link("etc/out", b'2', "/tmp"),
        link("lib", b'2', "usr/lib"),
        file("lib/a", b'0', b"a"),
        file("/usr//./b", b'0', b"b"),
        link("a/b", b'2', "../c"),
        file("a/b/d", b'0', b"d"),
        file("etc/out/", b'5', b""),
        file("etc/out/e", b'0', b"e"),
    ];
    assert_eq!(read(&kept).unwrap().len(), kept.len());
}

/// `.wh.` and the name of a directory's entry removes that entry from lower layers, and nothing else.
#[test]
fn whiteouts_remove_what_is_in_their_directory() {
    let removing = [".wh.", ".wh..", ".wh...", "a/.wh...", "/a/.wh../"];
    for name in removing {
        let fault = "whiteout removes its own directory or the one above";
        check_refusal(&[file(name, b'0', b"")], fault);
    }
    let kept = [".wh.a", "a/.wh..wh..opq", ".wh....", "a.wh..", ".wh../a"];
    let kept = kept.map(|name| file(name, b'0', b""));
    assert_eq!(read(&kept).unwrap().len(), kept.len());
}

/// Each folder above a link takes memory, and its name takes two bytes.
#[test]
fn links_in_too_many_folders_are_refused() {
    let deep = "a/".repeat(2000);
    let links: Vec<_> = (0..=500)
        .map(|number| {
            let path = format!("{number}/{deep}l");
            [pax(&[("path", path.as_str())]), link("l", b'2', "x")].concat()
        })
        .collect();
    check_refusal(&links, "more than 1000000 entries");
}

#[test]
fn the_end_may_be_missing_but_no_content() {
    let whole = file("a", b'0', b"abc");
    for size in [512 + 3, 1024] {
        let read = archive::read(&whole[..size], |_| Ok::<_, Error>(()));
        assert!(read.is_ok(), "{size}");
    }
    for size in [1, 511, 513, 514] {
        let read = archive::read(&whole[..size], |_| Ok::<_, Error>(()));
        assert!(read.is_err(), "{size}");
    }
    let after = [whole, vec![0; 1024], b"trailing".to_vec()].concat();
    assert_eq!(read(&[after]).unwrap().len(), 1);
}
