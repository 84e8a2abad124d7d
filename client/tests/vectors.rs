//! The messages in `testdata/messages`, which the workload reads too (docs/messages.md).
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use client::message::Header;
use serde_json::{Value, json};

/// The vectors by file name.
fn vectors() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/messages");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let vector = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        (name, vector)
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn header(vector: &Value) -> Header {
    Header {
        collaborator: text(vector, "collaborator").parse().unwrap(),
        message: text(vector, "message").parse().unwrap(),
        image_digest: text(vector, "image_digest").parse().unwrap(),
        key: text(vector, "key").parse().unwrap(),
    }
}

#[test]
fn associated_data_and_attributes_are_those_of_the_vectors() {
    let (wrong, right): (Vec<_>, Vec<_>) = vectors()
        .into_iter()
        .partition(|(name, _)| name.ends_with("_fail"));
    assert_eq!((right.len(), wrong.len()), (5, 3));
    for (name, vector) in right {
        let header = header(&vector);
        let associated = header.associated_data().unwrap();
        assert_eq!(
            associated,
            text(&vector, "associated_data").as_bytes(),
            "{name}"
        );
        let checksum = crc32c::crc32c(&associated).to_string();
        assert_eq!(checksum, text(&vector, "associated_data_crc32c"), "{name}");
        let plaintext = BASE64.decode(text(&vector, "plaintext")).unwrap();
        let checksum = crc32c::crc32c(&plaintext).to_string();
        assert_eq!(checksum, text(&vector, "plaintext_crc32c"), "{name}");
        let mut attributes = json!(header.attributes());
        let expected = &vector["published"]["attributes"];
        if expected.get("key").is_none() {
            attributes.as_object_mut().unwrap().remove("key");
        }
        assert_eq!(attributes, *expected, "{name}");
    }
    for (name, vector) in wrong {
        let associated = header(&vector).associated_data().unwrap();
        assert_ne!(
            associated,
            text(&vector, "associated_data").as_bytes(),
            "{name}"
        );
    }
}
