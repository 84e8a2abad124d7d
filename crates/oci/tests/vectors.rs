//! Other projects' test cases, in the directory that the environment variable `VECTORS` names.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(clippy::print_stdout, reason = "skipped tests say so")]

use std::fs::{self, File};
use std::path::PathBuf;

use content::Digest;
use oci::layer::{self, Member, MemberKind, Owners};
use oci::{AnyDigest, Config, Descriptor, Error, Index, Manifest, layout};
use serde_json::Value;

fn rows(path: PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

/// The cases of the specification's own validator.
#[test]
fn oci_image_spec() {
    let Some(dir) = testkit::vectors("oci-image-spec") else {
        return;
    };
    let mut count = 0;
    for row in rows(dir.join("cases.jsonl")) {
        let Ok(bytes) = fs::read(dir.join(text(&row, "path"))) else {
            continue;
        };
        let accepted = match text(&row, "schema") {
            "image-manifest-schema.json" => Manifest::<AnyDigest>::parse_any(&bytes).map(drop),
            "image-index-schema.json" => Index::<AnyDigest>::parse_any(&bytes).map(drop),
            "config-schema.json" => Config::<AnyDigest>::parse_any(&bytes).map(drop),
            "content-descriptor.json" => Descriptor::<AnyDigest>::parse_any(&bytes).map(drop),
            "image-layout-schema.json" => layout::check_header(&bytes),
            other => panic!("{other}"),
        };
        let expected = text(&row, "expect") == "valid";
        assert_eq!(accepted.is_ok(), expected, "{}: {accepted:?}", row["id"]);
        count += 1;
    }
    assert!(count > 10, "{count}");
    println!("{count} documents");
}

/// Archives that four other readers have read. If they agree, this reader agrees or refuses by a rule of its
/// own. If they disagree, it refuses or agrees with Go, which container runtimes use.
#[test]
fn tar_layers() {
    let Some(dir) = testkit::vectors("tar-layers") else {
        return;
    };
    let (mut read, mut refused) = (0, Vec::new());
    for row in rows(dir.join("cases.jsonl")) {
        let Ok(file) = File::open(dir.join(text(&row, "path"))) else {
            continue;
        };
        match listing(file) {
            Ok(ours) => {
                assert_ne!(text(&row, "cls"), "all-reject", "{}", row["id"]);
                assert_eq!(ours, expected(&row), "{}", row["id"]);
                read += 1;
            }
            Err(error) => refused.push((row["id"].clone(), error)),
        }
    }
    for (id, error) in &refused {
        println!("refused {id}: {error}");
    }
    println!("{read} read, {} refused", refused.len());
    assert!(read > 10);
}

/// The same archives, read as Go does: all that two or more readers agree on is read, with the entries that Go
/// lists.
#[test]
fn tar_archives() {
    let Some(dir) = testkit::vectors("tar-layers") else {
        return;
    };
    let (mut read, mut refused) = (0, 0);
    for row in rows(dir.join("cases.jsonl")) {
        let Ok(file) = File::open(dir.join(text(&row, "path"))) else {
            continue;
        };
        let mut entries = Vec::new();
        let result = oci::archive::read(file, |entry| -> Result<(), Error> {
            entries.push(listed(&entry));
            Ok(())
        });
        match (result, text(&row, "cls")) {
            (Ok(_), "all-reject") => panic!("{}", row["id"]),
            (Ok(_), _) => {
                let expected = row["go_listing"].as_array().unwrap();
                let expected: Vec<_> = expected.iter().map(without_long_records).collect();
                assert_eq!(entries, expected, "{}", row["id"]);
                read += 1;
            }
            (Err(error), "consensus" | "majority") => panic!("{}: {error}", row["id"]),
            (Err(_), _) => refused += 1,
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 10);
}

/// An entry as the rows have it.
fn listed(entry: &oci::archive::Entry) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = serde_json::json!({
        "name": text(&entry.name),
        "type": text(&[entry.flag]),
        "size": entry.size,
        "mode": entry.mode,
        "uid": entry.uid,
        "gid": entry.gid,
        "mtime": entry.mtime,
    });
    if !entry.link.is_empty() {
        line["link"] = text(&entry.link).into();
    }
    if let Some(digest) = entry.digest {
        line["sha256"] = digest.hex().into();
    }
    for (key, value) in &entry.records {
        line["pax"][text(key)] = text(value).into();
    }
    without_long_records(&line)
}

/// The rows leave out long records and the digests of very large files.
fn without_long_records(line: &Value) -> Value {
    let mut line = line.clone();
    if let Some(records) = line["pax"].as_object_mut() {
        records.retain(|_, value| {
            let value = value.as_str().unwrap();
            value.len() < 100 && !value.ends_with(" bytes>")
        });
    }
    if line["size"].as_u64().is_some_and(|size| size > 1 << 30) {
        line.as_object_mut().unwrap().remove("sha256");
    }
    line.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    line
}

type Line = (String, String, u64, Option<String>);

fn listing(file: File) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    layer::read(file, |member, content| -> Result<(), Error> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).unwrap();
        lines.push(line(member, &bytes));
        Ok(())
    })?;
    Ok(lines)
}

fn line(member: &Member, bytes: &[u8]) -> Line {
    let (kind, size, digest) = match member.kind {
        MemberKind::File { size } => ("0", size, (size > 0).then(|| Digest::of(bytes).hex())),
        MemberKind::HardLink { .. } => ("1", 0, None),
        MemberKind::Symlink { .. } => ("2", 0, None),
        MemberKind::Directory => ("5", 0, None),
    };
    (member.path.to_string(), kind.to_owned(), size, digest)
}

/// The entries that Go lists, without the root, with normalised paths.
fn expected(row: &Value) -> Vec<Line> {
    let plain = |entry: &Value| {
        let name = text(entry, "name")
            .trim_start_matches("./")
            .trim_end_matches('/');
        let size = entry["size"].as_u64().unwrap();
        let digest = entry["sha256"].as_str().filter(|_| size > 0);
        let kind = text(entry, "type").to_owned();
        (name.to_owned(), kind, size, digest.map(str::to_owned))
    };
    let entries = row["go_listing"].as_array().unwrap();
    let lines = entries.iter().map(plain);
    lines
        .filter(|line| !line.0.is_empty() && line.1 != "g")
        .collect()
}

/// Archives that try to write outside the folder. Each is refused or writes only inside.
#[test]
fn traversal() {
    let Some(dir) = testkit::vectors("tar-layers") else {
        return;
    };
    for row in rows(dir.join("extract_cases.jsonl")) {
        let Ok(file) = File::open(dir.join(text(&row, "archive"))) else {
            continue;
        };
        let outside = tempfile::tempdir().unwrap();
        let inside = outside.path().join("inside");
        fs::create_dir(&inside).unwrap();
        let result = layer::unpack(file, &inside, Owners::Process);
        println!("{}: {:?}", row["id"], result.map_err(|e| e.to_string()));
        assert_eq!(
            fs::read_dir(outside.path()).unwrap().count(),
            1,
            "{}",
            row["id"]
        );
        for path in row["must_not_touch"].as_array().unwrap() {
            assert!(
                !inside.join(path.as_str().unwrap()).exists(),
                "{}",
                row["id"]
            );
        }
    }
}
