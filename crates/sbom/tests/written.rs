//! What other programs write, beside what the specifications say: accepted if it can be read in one way only.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use sbom::{Document, Error, Kind};

const CYCLONEDX_JSON: &str = include_str!("documents/cyclonedx.json");
const CYCLONEDX_XML: &str = include_str!("documents/cyclonedx.xml");
const SPDX_JSON: &str = include_str!("documents/spdx.json");
const SPDX_TAG_VALUE: &str = include_str!("documents/spdx.tag");

fn parse(text: &str) -> Result<Document, Error> {
    sbom::parse(text.as_bytes())
}

/// A document with one text in place of another.
#[track_caller]
fn with(document: &str, from: &str, to: &str) -> String {
    let changed = document.replacen(from, to, 1);
    assert_ne!(changed, document, "{from}");
    changed
}

#[track_caller]
fn reason(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for text in [CYCLONEDX_JSON, CYCLONEDX_XML, SPDX_JSON, SPDX_TAG_VALUE] {
        assert_eq!(
            parse(&format!("\u{feff}{text}")).unwrap(),
            parse(text).unwrap()
        );
    }
    assert!(parse(&format!("\u{feff}\u{feff}{CYCLONEDX_JSON}")).is_err());
}

#[test]
fn spdx_names_its_schema_and_operating_systems_in_two_ways() {
    let operating_system = Kind::Other("operating-system".to_owned());
    let documents = [
        (SPDX_JSON, "\"APPLICATION\""),
        (SPDX_TAG_VALUE, "APPLICATION"),
    ];
    for (document, from) in documents {
        for purpose in ["OPERATING-SYSTEM", "OPERATING_SYSTEM"] {
            let changed = with(document, from, &from.replace("APPLICATION", purpose));
            let parsed = parse(&changed).unwrap();
            assert_eq!(parsed.components[0].kind, operating_system);
        }
    }
    let schema = |value: &str| with(SPDX_JSON, "{", &format!("{{\"$schema\": {value},"));
    let named = schema("\"https://example.com/spdx-schema.json\"");
    assert_eq!(parse(&named).unwrap(), parse(SPDX_JSON).unwrap());
    assert!(reason(&schema("1")).contains("$schema"));
}

#[test]
fn truth_may_be_in_upper_case_in_tags() {
    for value in ["True", "TRUE"] {
        let text = with(
            SPDX_TAG_VALUE,
            "FilesAnalyzed: true",
            &format!("FilesAnalyzed: {value}"),
        );
        assert_eq!(parse(&text).unwrap(), parse(SPDX_TAG_VALUE).unwrap());
    }
}

#[test]
fn a_document_of_spdx_2_2_has_nothing_of_2_3() {
    let old = with(SPDX_JSON, "SPDX-2.3", "SPDX-2.2");
    let found = reason(&old);
    assert!(found.contains("found primaryPackagePurpose"), "{found}");
    let old = with(&old, "\"primaryPackagePurpose\": \"APPLICATION\",", "");
    assert!(parse(&old).is_ok());
    let digest = format!(
        "\"SHA3-256\", \"checksumValue\": \"{}\" }}, {{ \"algorithm\": \"SHA256\"",
        "0".repeat(64)
    );
    for (from, to, expected) in [
        (
            "\"versionInfo\"",
            "\"builtDate\": \"2026-01-02T03:04:05Z\", \"versionInfo\"",
            "builtDate",
        ),
        ("\"SHA256\"", &digest, "SHA3-256"),
        ("BUILD_TOOL_OF", "SPECIFICATION_FOR", "SPECIFICATION_FOR"),
    ] {
        let changed = with(&old, from, to);
        let found = reason(&changed);
        assert!(found.contains(&format!("found {expected}")), "{found}");
        assert!(
            parse(&with(&changed, "SPDX-2.2", "SPDX-2.3")).is_ok(),
            "{to}"
        );
    }
}

#[test]
fn the_version_of_spdx_3_is_named() {
    let text = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#;
    let found = reason(text);
    assert!(
        found.contains("expected SPDX-2.2 or SPDX-2.3, found https://spdx.org/rdf/3.0.1"),
        "{found}"
    );
    assert!(matches!(
        parse(r#"{"@context":"https://example.com/"}"#),
        Err(Error::Format)
    ));
}
