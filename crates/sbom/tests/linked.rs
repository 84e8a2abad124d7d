//! The list of crates in a program.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod program;

use program::{compressed, program};

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
fn a_list_that_cannot_be_reached_is_refused() {
    let intact = program(".dep-v0", &compressed(LIST));
    let headers = u64::from_le_bytes(intact[40..48].try_into().unwrap());
    // The size in the second header of a section, which is that of the list.
    let size = usize::try_from(headers).unwrap() + 64 + 32;
    let sized = |found: u64| {
        let mut bytes = intact.clone();
        bytes[size..size + 8].copy_from_slice(&found.to_le_bytes());
        bytes
    };
    for bytes in [
        sized(1 << 20),
        sized(u64::MAX),
        intact[..intact.len() - 1].to_vec(),
    ] {
        let error = sbom::linked(&bytes).unwrap_err().to_string();
        assert!(error.contains("parse the binary"), "{error}");
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
