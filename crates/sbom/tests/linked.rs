//! The list of crates in a program.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A program in ELF, of one section with this name and content.
fn program(section: &str, content: &[u8]) -> Vec<u8> {
    let names = format!("\0{section}\0.shstrtab\0");
    let content_at = 64;
    let names_at = content_at + content.len();
    let headers_at = names_at + names.len();
    // The header: 64 bits, little endian, an executable for x86-64 with three section headers, the last one with names.
    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    for half in [2_u16, 62] {
        out.extend(half.to_le_bytes());
    }
    out.extend(1_u32.to_le_bytes());
    for word in [0, 0, headers_at as u64] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 0, 64, 3, 2] {
        out.extend(half.to_le_bytes());
    }
    out.extend(content);
    out.extend(names.as_bytes());
    out.extend([0; 64]);
    for (name, kind, at, size) in [
        (1, 1_u32, content_at, content.len()),
        (section.len() + 2, 3, names_at, names.len()),
    ] {
        out.extend(u32::try_from(name).unwrap().to_le_bytes());
        out.extend(kind.to_le_bytes());
        for word in [0, 0, at, size] {
            out.extend((word as u64).to_le_bytes());
        }
        out.extend([0; 8]);
        for word in [1_u64, 0] {
            out.extend(word.to_le_bytes());
        }
    }
    out
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// What is read from a program with this list.
fn read(list: &str) -> Result<Option<Vec<String>>, String> {
    let linked = sbom::linked(&program(".dep-v0", &compressed(list)));
    let names = |crates: Vec<sbom::Crate>| crates.iter().map(ToString::to_string).collect();
    linked
        .map(|crates| crates.map(names))
        .map_err(|error| error.to_string())
}

const LIST: &str = r#"{"packages":[
    {"name":"ring","version":"0.17.14","source":"crates.io","dependencies":[1]},
    {"name":"cc","version":"1.2.0","source":"crates.io","kind":"build"},
    {"name":"app","version":"1.0.0","source":"local","dependencies":[0],"root":true}],"format":1}"#;

#[test]
fn crates_are_read_without_those_of_the_build() {
    let expected = ["app 1.0.0", "ring 0.17.14"].map(str::to_owned).to_vec();
    assert_eq!(read(LIST), Ok(Some(expected)));
}

#[test]
fn a_program_without_a_list_has_none() {
    for bytes in [
        program(".dep-v1", &compressed(LIST)),
        b"#!/bin/sh".to_vec(),
        b"\x7fELF\x02\x01\x01".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(sbom::linked(&bytes).unwrap(), None);
    }
}

#[test]
fn an_invalid_list_is_refused() {
    for (from, to, reason) in [
        ("\"root\":true", "\"root\":false", "one root"),
        ("\"kind\":\"build\"", "\"root\":true", "one root"),
        ("[1]", "[3]", "does not have"),
        ("[1]", "[2]", "circle"),
        ("[1]", "[0]", "circle"),
        ("\"build\"", "\"other\"", "other"),
        ("\"name\":\"ring\",", "", "name"),
        (
            "\"name\":\"ring\",",
            "\"name\":\"ring\",\"name\":\"ring\",",
            "name",
        ),
    ] {
        let error = read(&LIST.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(reason), "{to}: {error}");
    }
    let error = sbom::linked(&program(".dep-v0", LIST.as_bytes())).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("reading the crates of a program"),
        "{error}"
    );
    let bomb = compressed(&" ".repeat(9 << 20));
    assert!(sbom::linked(&program(".dep-v0", &bomb)).is_err());
}
