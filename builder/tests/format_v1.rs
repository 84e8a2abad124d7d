//! Compares format v1 with a second implementation, in Python, which follows docs/format-v1.md.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use builder::image::assemble::{ImageSpec, assemble};
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Execution, Layout};

const CHECKER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../testdata/format-v1/format_v1.py"
);

fn entry(path: &str, kind: Kind) -> Entry {
    Entry {
        path: path.parse().unwrap(),
        kind,
    }
}

fn file(path: &str, size: usize, executable: Executable) -> Entry {
    let content = Content::Bytes((0..size).map(|n| (n * 31 % 251) as u8).collect());
    entry(
        path,
        Kind::File {
            content,
            executable,
        },
    )
}

/// A path of 20 bytes for each part, and two more.
fn long(parts: usize) -> String {
    vec!["long-directory-name"; parts].join("/") + "/f"
}

/// Every case of the format: split names, both extension records and both at once, full and partial blocks.
fn entries() -> Vec<Entry> {
    let link = |path: &str, target: String| entry(path, Kind::Symlink { target });
    let mut entries = vec![
        entry("empty/folder", Kind::Directory),
        link("link", "etc/f".to_owned()),
        link("far", "t".repeat(100)),
        link("farther", "t".repeat(101)),
        link(&format!("{}-link", long(15)), "t".repeat(300)),
        file("etc-b", 0, Executable::No),
        file("etc/f\u{fc}r", 511, Executable::No),
        file("workload", 200_000, Executable::Yes),
    ];
    for parts in [3, 4, 5, 7, 8, 12, 13, 15] {
        entries.push(file(&long(parts), 512, Executable::No));
    }
    entries
}

fn layout(folder: &Path, entries: Vec<Entry>) {
    let execution = Execution {
        user: "65532:65532".to_owned(),
        env: vec!["B=2".to_owned(), "A=\u{e4}\"\\\n".to_owned()],
        entrypoint: vec!["/workload".to_owned()],
        cmd: vec!["--flag".to_owned()],
        working_dir: "/empty".to_owned(),
        labels: ["z", "\u{fffd}", "\u{1f600}"]
            .map(|key| (key.to_owned(), "1".to_owned()))
            .into(),
        ..Execution::default()
    };
    let spec = ImageSpec {
        base: None,
        entries: entries.into_iter().map(Into::into).collect(),
        architecture: "amd64".to_owned(),
        execution,
    };
    assemble(spec, &Layout::create(folder).unwrap()).unwrap();
}

/// The output of the other program; `None` if this machine has no Python.
fn checked(layout: &Path) -> Option<Output> {
    match Command::new("python3").arg(CHECKER).arg(layout).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            testkit::skip("format v1 by another program", "python3 is not installed");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn another_program_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), entries());
    let Some(output) = checked(folder.path()) else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let image = Layout::open(folder.path()).unwrap().image().unwrap();
    let digest = image.image_digest().to_string();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), digest);
}

#[test]
fn a_different_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), entries());
    let index = folder.path().join("index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, format!("{text}\n")).unwrap();
    let Some(output) = checked(folder.path()) else {
        return;
    };
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("index.json"));
    fs::remove_file(&index).unwrap();
    let output = checked(folder.path()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// Both refuse these entries: `(path, target)`, a link if there is a target.
#[test]
fn another_program_refuses_the_same_entries() {
    let long = "n".repeat(256);
    let deep = "n/".repeat(2048) + "n";
    let cases: [(&str, Option<&str>); 10] = [
        ("a\nb", None),
        ("\u{1b}[2Jc", None),
        ("a\u{85}", None),
        (&long, None),
        (&deep, None),
        ("a", Some("")),
        ("a", Some("b\n")),
        ("a", Some("..")),
        ("a/b", Some("../../c")),
        ("a", Some(&deep)),
    ];
    for (path, target) in cases {
        let Some(refused) = refuses(path, target) else {
            return;
        };
        assert!(refused, "{path:?} {target:?}");
        let kind = match target {
            Some(target) => Kind::Symlink {
                target: target.to_owned(),
            },
            None => Kind::Directory,
        };
        let written = path.parse().and_then(|path| {
            let entry = Entry { path, kind };
            oci::layer::write([entry], std::io::sink())
        });
        let error = written.unwrap_err();
        assert!(matches!(error, oci::Error::Invalid { .. }), "{error}");
    }
    assert_ne!(refuses("a/\u{e4} b", Some("../c")), Some(true));
}

/// `None` if there is no Python. Parent directories are added.
fn refuses(path: &str, target: Option<&str>) -> Option<bool> {
    const SCRIPT: &str = "import sys; sys.path.insert(0, sys.argv[1]); import format_v1\n\
        path, flag, target = (text.encode() for text in sys.argv[2:])\n\
        entries = {above: ('5', b'', False, b'') for above in format_v1.parents(path)}\n\
        format_v1.check({**entries, path: (flag.decode(), b'', False, target)})";
    let folder = Path::new(CHECKER).parent().unwrap();
    let flag = target.map_or("5", |_| "2");
    let output = Command::new("python3")
        .args(["-B", "-c", SCRIPT])
        .arg(folder)
        .args([path, flag, target.unwrap_or_default()])
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            testkit::skip("format v1 by another program", "python3 is not installed");
            return None;
        }
        output => output.unwrap(),
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || stderr.contains("ValueError"),
        "{stderr}"
    );
    Some(!output.status.success())
}
