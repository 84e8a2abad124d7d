//! Descriptions of images, and the digests that formats v1 and v2 give them for ever. A second implementation of each format,
//! in Python, gives the same.
#![allow(clippy::unwrap_used, reason = "a test panics and says what it skips")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use builder::image::assemble::{Base, ImageSpec, assemble};
use oci::layer::{Attributed, Attributes, Content, Entry, Executable, Kind, Mode, Owner};
use oci::{Descriptor, Execution, Layout};
use serde_json::{Value, json};

fn folder(version: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../testdata/format-v{version}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn number(value: &Value, name: &str, default: u32) -> u32 {
    let number = value
        .get(name)
        .map_or(u64::from(default), |n| n.as_u64().unwrap());
    number.try_into().unwrap()
}

/// The image of a description. The error is that of a value that the formats do not have.
fn spec(vector: &Value) -> Result<ImageSpec, String> {
    let mut entries = Vec::new();
    for described in vector["entries"].as_array().unwrap() {
        for index in 0..number(described, "count", 1) {
            let path = text(described, "path").replace("{n}", &index.to_string());
            // A path that is relative in the description must not begin with the slash that our parser allows.
            let path = path
                .parse()
                .map_err(|error: oci::Error| error.to_string())?;
            let kind = kind(described);
            let attributes = attributes(described)?;
            entries.push(Attributed {
                entry: Entry { path, kind },
                attributes,
            });
        }
    }
    let execution = |value: &Value| serde_json::from_value::<Execution>(value.clone()).unwrap();
    let base = vector.get("base").map(|base| Base {
        layers: serde_json::from_value::<Vec<Descriptor>>(base["layers"].clone()).unwrap(),
        diff_ids: serde_json::from_value(base["diff_ids"].clone()).unwrap(),
        execution: execution(&base["execution"]),
    });
    Ok(ImageSpec {
        base,
        entries,
        architecture: text(vector, "architecture").to_owned(),
        execution: execution(&vector["execution"]),
    })
}

fn kind(described: &Value) -> Kind {
    match text(described, "type") {
        "directory" => Kind::Directory,
        "link" => Kind::Symlink {
            target: text(described, "target").to_owned(),
        },
        _ => Kind::File {
            content: Content::Bytes(match described.get("size") {
                Some(_) => (0..number(described, "size", 0)).map(pattern).collect(),
                None => text(described, "content").as_bytes().to_vec(),
            }),
            executable: match described["executable"].as_bool() {
                Some(true) => Executable::Yes,
                _ => Executable::No,
            },
        },
    }
}

/// The byte of generated content at a position.
fn pattern(position: u32) -> u8 {
    (u64::from(position) * 31 % 251) as u8
}

fn attributes(described: &Value) -> Result<Attributes, String> {
    let owner = Owner::new(number(described, "uid", 0), number(described, "gid", 0));
    let mode = described.get("mode").map(|mode| {
        let bits = u32::from_str_radix(mode.as_str().unwrap(), 8).unwrap();
        Mode::new(bits)
    });
    Ok(Attributes {
        owner: owner.map_err(|error| error.to_string())?,
        mode: mode.transpose().map_err(|error| error.to_string())?,
    })
}

/// A line for each description: its name, image digest, image ID and diff ID, or that it is refused.
fn ours(vectors: &Value) -> String {
    let line = |vector: &Value| {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        let assembled = spec(vector)
            .and_then(|spec| assemble(spec, &layout).map_err(|error| error.to_string()));
        let name = text(vector, "name");
        match assembled {
            Ok(identities) => {
                let image = layout.image().unwrap();
                let diff_id = image.config().rootfs.diff_ids.last().unwrap();
                let (digest, id) = (identities.image_digest, identities.image_id);
                format!("{name} {digest} {id} {diff_id}\n")
            }
            Err(_) => format!("{name} refused\n"),
        }
    };
    vectors.as_array().unwrap().iter().map(line).collect()
}

/// The same by the other implementation; `None` if this machine has no Python.
fn theirs(version: u8, file: &Path) -> Option<String> {
    let program = folder(version).join(format!("format_v{version}.py"));
    let mut python = Command::new("python3");
    let output = match python
        .arg("-B")
        .arg(program)
        .arg("--vectors")
        .arg(file)
        .output()
    {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            testkit::skip("formats by another program", "python3 is not installed");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// The first line that differs.
fn assert_same(found: &str, expected: &str) {
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// These digests never change: grants name images by them.
fn assert_frozen(version: u8, least: usize) {
    let file = folder(version).join("vectors.json");
    let frozen = fs::read_to_string(folder(version).join("digests.txt")).unwrap();
    assert!(frozen.lines().count() >= least);
    assert_same(&ours(&read(&file)), &frozen);
    if let Some(theirs) = theirs(version, &file) {
        assert_same(&theirs, &frozen);
    }
}

#[test]
fn digests_of_format_v1_are_frozen() {
    assert_frozen(1, 150);
}

#[test]
fn digests_of_format_v2_are_frozen() {
    assert_frozen(2, 50);
}

/// Format v2 gives images that format v1 can describe the same digests.
#[test]
fn format_v2_contains_format_v1() {
    let frozen = fs::read_to_string(folder(1).join("digests.txt")).unwrap();
    if let Some(theirs) = theirs(2, &folder(1).join("vectors.json")) {
        assert_same(&theirs, &frozen);
    }
}

/// Numbers that look random and are the same in each run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        for shift in [13, -7, 17] {
            self.0 ^= match shift {
                ..0 => self.0 >> -shift,
                _ => self.0 << shift,
            };
        }
        self.0 % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len() as u64);
        of[usize::try_from(index).unwrap()]
    }

    fn name(&mut self) -> String {
        let character = self.one(&["a", "B", "\u{e4}", "-", ".x", "\u{6587}", " ", "\u{1f600}"]);
        let length = self.one(&[1, 2, 3, 9, 24, 49, 60]);
        format!("{}{}", character.repeat(length), self.below(40))
    }

    fn path(&mut self) -> String {
        let parts = self.one(&[1, 1, 2, 2, 3, 5, 9]);
        let parts: Vec<_> = (0..parts).map(|_| self.name()).collect();
        parts.join("/")
    }

    fn entry(&mut self, version: u8) -> Value {
        let path = self.path();
        let mut entry = match self.below(8) {
            0 => json!({"path": path, "type": "directory"}),
            1 => {
                let up = self.one(&["", "", "/", "../", "../../", "./"]);
                json!({"path": path, "type": "link", "target": format!("{up}{}", self.path())})
            }
            _ => {
                let near = self.one(&[0, 1, 511, 512, 513, 1500, 65_534, 65_535, 65_536]);
                let executable = self.below(2) == 1;
                json!({"path": path, "type": "file", "size": near, "executable": executable})
            }
        };
        if version == 2 && self.below(2) == 1 {
            entry["uid"] = self.one(&[0, 1, 1000, 65_532, 2_097_151, 2_097_152]).into();
            entry["gid"] = self.one(&[0, 1, 1000]).into();
            if self.below(2) == 1 {
                entry["mode"] = self.one(&["0600", "0755", "0777", "1777", "0000"]).into();
            }
        }
        entry
    }

    fn vector(&mut self, version: u8, name: String) -> Value {
        let count = self.one(&[0, 1, 2, 5, 12]);
        let entries: Vec<_> = (0..count).map(|_| self.entry(version)).collect();
        let env: Vec<_> = (0..self.below(4))
            .map(|_| format!("{}=1", self.name()))
            .collect();
        let labels: std::collections::BTreeMap<_, _> = (0..self.below(4))
            .map(|_| (self.name(), self.name()))
            .collect();
        json!({
            "name": name,
            "architecture": self.one(&["amd64", "arm64"]),
            "execution": {"Env": env, "Labels": labels, "Entrypoint": [self.path()]},
            "entries": entries,
        })
    }
}

fn assert_same_for_generated(version: u8, count: usize) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ u64::from(version));
    let vectors = (0..count).map(|index| numbers.vector(version, index.to_string()));
    let vectors = Value::Array(vectors.collect());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vectors.json");
    fs::write(&file, vectors.to_string()).unwrap();
    let ours = ours(&vectors);
    let refused = ours
        .lines()
        .filter(|line| line.ends_with("refused"))
        .count();
    assert!(
        refused > count / 50 && refused < count / 2,
        "{refused} refused"
    );
    if let Some(theirs) = theirs(version, &file) {
        assert_same(&theirs, &ours);
    }
}

#[test]
fn a_thousand_generated_images_have_the_same_digests() {
    assert_same_for_generated(1, 1000);
}

#[test]
fn generated_images_with_attributes_have_the_same_digests() {
    assert_same_for_generated(2, 500);
}
