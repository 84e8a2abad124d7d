//! What only documents in XML have: limits, lines and namespaces.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use sbom::{Document, Error};

const DOCUMENT: &str = include_str!("documents/cyclonedx.xml");

fn parse(text: &str) -> Result<Document, Error> {
    sbom::parse(text.as_bytes())
}

#[test]
fn tags_and_attributes_are_limited() {
    let attributes = |count| -> String {
        let named = (0..count).map(|n| format!(" a{n}='>'"));
        named.collect()
    };
    let with = |attributes| format!("<component{attributes} type=\"library\" bom-ref=\"ring\"");
    let own = "<component type=\"library\" bom-ref=\"ring\"";
    let text = DOCUMENT.replacen(own, &with(attributes(998)), 1);
    assert!(parse(&text).is_ok());
    let more = DOCUMENT.replacen(own, &with(attributes(999)), 1);
    let many = "<a/>".repeat(4_000_001);
    for (text, reason) in [(more, "more than 1000 attributes"), (many, "4000000 tags")] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

/// To count the lines before each of many violations takes hours.
#[test]
fn one_of_few_violations_has_a_line() {
    for (count, has_line) in [(1, true), (21, false)] {
        let component = "<component type=\"other\"><name>a</name></component>".repeat(count);
        let text = format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1"><components>
                {component}</components></bom>"#
        );
        let error = parse(&text).unwrap_err().to_string();
        let (_, violation) = error.split_once("found ").unwrap();
        assert_eq!(violation.starts_with("2:"), has_line, "{error}");
    }
}

#[test]
fn attributes_in_other_namespaces_are_extensions() {
    let own = "type=\"library\" bom-ref=\"ring\"";
    let extended = format!("x:type=\"file\" x:bom-ref=\"other\" {own}");
    let changed = DOCUMENT.replacen(own, &extended, 1);
    assert_ne!(changed, DOCUMENT);
    assert_eq!(parse(&changed).unwrap(), parse(DOCUMENT).unwrap());
}

#[test]
fn a_dependency_inside_another_is_read() {
    let inner = "<dependency ref=\"ring\"><dependency ref=\"os\"/></dependency>";
    let text = DOCUMENT.replacen("<dependency ref=\"ring\"/>", inner, 1);
    let relations = parse(&text).unwrap().relations;
    let named = relations
        .iter()
        .map(|relation| (relation.from.as_str(), relation.to.as_str()));
    let named: Vec<_> = named.collect();
    assert_eq!(named, [("app", "ring"), ("app", "os"), ("ring", "os")]);
}

#[test]
fn only_external_components_have_version_ranges() {
    let text = |attribute: &str| {
        format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.7" version="1"><components>
                <component type="library"{attribute}><name>a</name><versionRange>vers:cargo/1</versionRange>
                </component></components></bom>"#
        )
    };
    assert!(parse(&text(" isExternal=\"true\"")).is_ok());
    for attribute in [
        "",
        " isExternal=\"false\"",
        " xmlns:x=\"https://example.com/extension\" x:isExternal=\"true\"",
    ] {
        let error = parse(&text(attribute)).unwrap_err().to_string();
        assert!(error.contains("versionRange"), "{error}");
    }
}
