//! Layers as format v1 writes them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use content::Digest;
use oci::Error;
use oci::layer::{
    self, Attributed, Attributes, Content, Entry, Executable, Kind, MemberKind, Mode, Owner,
    Owners, Written,
};

fn entry(path: &str, kind: Kind) -> Entry {
    Entry {
        path: path.parse().unwrap(),
        kind,
    }
}

fn file(path: &str, bytes: &[u8]) -> Entry {
    let kind = Kind::File {
        content: Content::Bytes(bytes.to_vec()),
        executable: Executable::No,
    };
    entry(path, kind)
}

fn program(path: &str, content: Content) -> Entry {
    let kind = Kind::File {
        content,
        executable: Executable::Yes,
    };
    entry(path, kind)
}

fn link(path: &str, target: &str) -> Entry {
    let target = target.to_owned();
    entry(path, Kind::Symlink { target })
}

/// A path of 220 bytes that fits into prefix and name, and one of 300 that does not.
fn long(parts: usize) -> String {
    vec!["long-directory-name"; parts].join("/") + "/f"
}

fn small() -> Vec<Entry> {
    vec![
        file("/etc/hosts", b"127.0.0.1 localhost\n"),
        program("/workload", Content::Bytes(vec![0x7f; 70_000])),
        file("/etc-b", b""),
        entry("/var/empty", Kind::Directory),
        link("/etc/localtime", "/usr/share/zoneinfo/UTC"),
        link("/l", &"t".repeat(101)),
        file(&long(11), b"fits"),
        file(&long(15), b"does not"),
        file("/f\u{fc}r", b"utf-8"),
    ]
}

fn write(entries: Vec<Entry>) -> (Vec<u8>, Written) {
    let mut blob = Vec::new();
    let written = layer::write(entries, &mut blob).unwrap();
    (blob, written)
}

fn refused(entries: Vec<Entry>) -> String {
    match layer::write(entries, std::io::sink()) {
        Err(Error::Invalid { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

fn archive(blob: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(blob)
        .read_to_end(&mut tar)
        .unwrap();
    tar
}

#[test]
fn the_digests_are_frozen() {
    let (blob, written) = write(small());
    assert_eq!(written.digest, Digest::of(&blob));
    assert_eq!(written.size, blob.len() as u64);
    assert_eq!(written.diff_id, Digest::of(&archive(&blob)));
    assert_eq!(written.digest.to_string(), GOLDEN_DIGEST);
    assert_eq!(written.diff_id.to_string(), GOLDEN_DIFF_ID);
}

const GOLDEN_DIGEST: &str =
    "sha256:c0702aa24cee81823cfea12f7eca47fd6b397c38347e985d5d7b586d5a209fa6";
const GOLDEN_DIFF_ID: &str =
    "sha256:7e01d3f7be0689be81f1c59c1b375091e33a327a9f3eb0f71bbf8906973a9082";

#[test]
fn order_and_listed_parents_do_not_matter() {
    let (expected, _) = write(small());
    let mut entries = small();
    entries.reverse();
    entries.push(entry("etc", Kind::Directory));
    entries.rotate_left(3);
    assert_eq!(write(entries).0, expected);
}

#[test]
fn modes_times_and_places_of_sources_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let source = |name: &str, mode| {
        let path = dir.path().join(name);
        fs::write(&path, b"content").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        write(vec![program("p", Content::File(path))]).0
    };
    let expected = write(vec![program("p", Content::Bytes(b"content".to_vec()))]).0;
    assert_eq!(source("a", 0o600), expected);
    assert_eq!(source("b", 0o4777), expected);
}

#[test]
fn sorted_by_bytes_with_every_parent_before_its_children() {
    let (blob, _) = write(small());
    let mut paths = Vec::new();
    layer::read(&blob[..], |member, _| -> Result<(), Error> {
        paths.push(member.path.to_string());
        Ok(())
    })
    .unwrap();
    let mut sorted = paths.clone();
    sorted.sort();
    assert_eq!(paths, sorted);
    assert_eq!(paths[..4], ["etc", "etc-b", "etc/hosts", "etc/localtime"]);
    assert!(paths.contains(&"var".to_owned()));
}

#[test]
fn reads_back_what_it_wrote() {
    let (blob, written) = write(small());
    let mut seen = Vec::new();
    let diff_id = layer::read(&blob[..], |member, content| -> Result<(), Error> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        assert_eq!((member.uid, member.gid, member.mtime), (0, 0, 0));
        seen.push((
            member.path.to_string(),
            member.kind.clone(),
            member.mode,
            bytes,
        ));
        Ok(())
    })
    .unwrap();
    assert_eq!(diff_id, written.diff_id);
    let find = |path: &str| seen.iter().find(|s| s.0 == path).unwrap();
    assert_eq!(find("workload").2, 0o755);
    assert_eq!(find("workload").3, vec![0x7f; 70_000]);
    assert_eq!(find("var").1, MemberKind::Directory);
    assert_eq!(find(&long(15)).3, b"does not");
    assert_eq!(find(&long(15)).2, 0o644);
    let target = "t".repeat(101);
    assert_eq!(find("l").1, MemberKind::Symlink { target });
}

/// GNU tar, if installed, must list the same names and modes.
#[test]
fn gnu_tar_agrees() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("layer.tar.gz");
    fs::write(&path, write(small()).0).unwrap();
    let Some(listing) = gnu_tar(&path) else {
        testkit::skip("gnu_tar_agrees", "tar is not installed");
        return;
    };
    assert!(listing.contains("-rwxr-xr-x 0/0"), "{listing}");
    assert!(listing.contains("1970-01-01"), "{listing}");
    assert!(listing.contains(&long(15)), "{listing}");
    assert!(
        listing.contains(&format!("l -> {}", "t".repeat(101))),
        "{listing}"
    );
    assert!(listing.contains("drwxr-xr-x 0/0"), "{listing}");
}

fn gnu_tar(path: &Path) -> Option<String> {
    let output = std::process::Command::new("tar")
        .args(["--utc", "--numeric-owner", "-tvzf"])
        .arg(path)
        .output()
        .ok()?;
    assert!(output.status.success());
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn refuses_ambiguous_entries() {
    let twice = vec![file("a", b"1"), file("a", b"2")];
    assert_eq!(refused(twice), "path appears twice");
    let below_file = vec![file("a", b""), file("a/b", b"")];
    assert_eq!(refused(below_file), "parent is not a directory");
    let below_link = vec![link("a", "b"), file("a/b/c", b"")];
    assert_eq!(refused(below_link), "parent is not a directory");
    let case = vec![file("A/x", b""), file("a/y", b"")];
    assert_eq!(refused(case), "path differs from \"A\" in case only");
    let case = vec![file("ab", b""), file("Ac", b""), file("AC", b"")];
    assert_eq!(refused(case), "path differs from \"AC\" in case only");
    let out = vec![link("a/b", "../../etc/passwd")];
    assert_eq!(
        refused(out),
        "link target \"../../etc/passwd\" leaves the root"
    );
}

#[test]
fn refuses_control_characters() {
    const CONTROL: &str = "path or link target contains a control character";
    for text in ["a\nb", "\u{1b}[2Jc", "\u{7f}", "\u{85}"] {
        assert_eq!(refused(vec![file(text, b"")]), CONTROL);
        let below = vec![file(&format!("{text}/a"), b"")];
        assert_eq!(refused(below), CONTROL);
        assert_eq!(refused(vec![link("a", text)]), CONTROL);
    }
}

#[test]
fn a_source_that_is_not_a_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let content = Content::File(dir.path().to_owned());
    assert_eq!(
        refused(vec![program("p", content)]),
        "file changed while it was read"
    );
    let missing = dir.path().join("missing");
    let content = Content::File(missing.clone());
    let error = layer::write(vec![program("p", content)], std::io::sink()).unwrap_err();
    assert!(matches!(error, Error::File(at) if at.path == missing));
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = layer::write(small(), Full).unwrap_err();
    assert!(matches!(error, Error::WriteLayer(_)));
}

/// Only root may give files to others; any user may keep its own.
#[test]
fn unpacked_files_have_the_owners_of_their_headers() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let own = fs::metadata(dir.path()).unwrap();
    let (uid, gid) = match own.uid() {
        0 => (1000, 1001),
        uid => (uid, own.gid()),
    };
    let attributes = Attributes {
        owner: Owner::new(uid, gid).unwrap(),
        mode: Some(Mode::new(0o1700).unwrap()),
    };
    let data = Attributed {
        entry: entry("data", Kind::Directory),
        attributes,
    };
    let mut blob = Vec::new();
    layer::write([data, file("data/f", b"x").into()], &mut blob).unwrap();
    layer::unpack(&blob[..], dir.path(), Owners::Headers).unwrap();
    let found = fs::metadata(dir.path().join("data")).unwrap();
    assert_eq!((found.uid(), found.gid()), (uid, gid));
    assert_eq!(found.mode() & 0o7777, 0o1700);
    let other = tempfile::tempdir().unwrap();
    layer::unpack(&blob[..], other.path(), Owners::Process).unwrap();
    let found = fs::metadata(other.path().join("data")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o7777), (own.uid(), 0o700));
}
