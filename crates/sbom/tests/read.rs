//! Documents of each format: what is read, and what is refused.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod documents;

use std::collections::BTreeSet;

use sbom::{Component, Document, Error, Format, Kind, Relation, RelationKind};

use documents::{CYCLONEDX_JSON, CYCLONEDX_XML, SPDX_JSON, SPDX_TAG_VALUE, parse};

fn relation(from: &str, kind: RelationKind, to: &str) -> Relation {
    let (from, to) = (from.to_owned(), to.to_owned());
    Relation { from, kind, to }
}

fn digests(document: &Document) -> Vec<Option<&str>> {
    let components = document.components.iter();
    components
        .map(|component| component.digest("SHA-256").map(|hex| &hex[..4]))
        .collect()
}

#[test]
fn cyclonedx_says_the_same_in_both_forms() {
    let json = parse(CYCLONEDX_JSON).unwrap();
    let xml = parse(CYCLONEDX_XML).unwrap();
    assert_eq!(
        (json.format, xml.format),
        (Format::CycloneDxJson, Format::CycloneDxXml)
    );
    let format = Format::CycloneDxJson;
    assert_eq!(Document { format, ..xml }, json);

    assert_eq!(json.version, "1.6");
    assert_eq!(
        json.subject.as_ref().unwrap().kind,
        Kind::Other("application".to_owned())
    );
    let [ring, file, os, own] = &json.components[..] else {
        panic!("{:?}", json.components);
    };
    let expected = Component {
        reference: Some("ring".to_owned()),
        kind: Kind::Library,
        name: "ring".to_owned(),
        version: Some("0.17.14".to_owned()),
        purls: ["pkg:cargo/ring@0.17.14".to_owned()].into(),
        digests: ring.digests.clone(),
        parent: None,
    };
    assert_eq!(*ring, expected);
    assert_eq!(
        (&file.kind, file.parent, file.digests.len()),
        (&Kind::File, Some(0), 2)
    );
    assert_eq!((os.name.as_str(), own.name.as_str()), ("debian", "own"));
    assert_eq!(digests(&json), [Some("a468"), Some("ca97"), None, None]);
    let depends = |to| relation("app", RelationKind::DependsOn, to);
    assert_eq!(json.relations, [depends("ring"), depends("os")]);
    let references = json.components.iter().map(|one| one.reference.as_deref());
    let references: Vec<_> = references.collect();
    assert_eq!(references, [Some("ring"), None, Some("os"), None]);
}

#[test]
fn spdx_says_the_same_in_both_forms() {
    let json = parse(SPDX_JSON).unwrap();
    let tags = parse(SPDX_TAG_VALUE).unwrap();
    let windows = parse(&SPDX_TAG_VALUE.replace('\n', "\r\n")).unwrap();
    assert_eq!(tags, windows);
    assert_eq!(
        (json.format, tags.format),
        (Format::SpdxJson, Format::SpdxTagValue)
    );
    let format = Format::SpdxJson;
    assert_eq!(Document { format, ..tags }, json);

    let [app, ring, file] = &json.components[..] else {
        panic!("{:?}", json.components);
    };
    assert_eq!(app.kind, Kind::Other("application".to_owned()));
    assert_eq!(ring.purl(), Some("pkg:cargo/ring@0.17.14"));
    assert_eq!(
        (&file.kind, file.name.as_str()),
        (&Kind::File, "./usr/lib/libring.so")
    );
    assert_eq!(digests(&json), [None, Some("a468"), Some("ca97")]);
    let expected = [
        relation("SPDXRef-ring", RelationKind::Contains, "SPDXRef-lib"),
        relation("SPDXRef-DOCUMENT", RelationKind::Describes, "SPDXRef-app"),
        relation("SPDXRef-app", RelationKind::DependsOn, "SPDXRef-ring"),
        relation(
            "SPDXRef-app",
            RelationKind::Other("BUILD_TOOL_OF".to_owned()),
            "DocumentRef-base:SPDXRef-x",
        ),
    ];
    assert_eq!(json.relations, expected);
}

#[test]
fn each_version_has_its_schema() {
    for version in ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"] {
        let json = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"{version}","version":1,"components":[
                {{"type":"library","name":"a","version":"1","licenses":[{{"license":{{"id":"MIT"}}}}]}}]}}"#
        );
        let xml = format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/{version}" version="1"><components>
                <component type="library"><name>a</name><version>1</version>
                <licenses><license><id>MIT</id></license></licenses></component></components></bom>"#
        );
        for text in [json, xml] {
            let document = parse(&text).unwrap();
            assert_eq!(
                (document.version.as_str(), document.components.len()),
                (version, 1)
            );
            let refused = parse(&text.replace("MIT", "M.I.T.")).unwrap_err();
            assert!(matches!(refused, Error::Schema { .. }), "{refused}");
            let version = parse(&text.replace(version, "2.0")).unwrap_err();
            assert!(version.to_string().contains("found 2.0"), "{version}");
        }
    }
    let version_2_2 = SPDX_JSON.replace("SPDX-2.3", "SPDX-2.2");
    let version_2_2 = version_2_2.replace("\"primaryPackagePurpose\": \"APPLICATION\",", "");
    assert_eq!(parse(&version_2_2).unwrap().version, "2.2");
    for version in ["SPDX-2.1", "SPDX-3.0"] {
        let other = parse(&SPDX_TAG_VALUE.replace("SPDX-2.3", version)).unwrap_err();
        assert!(other.to_string().contains(version), "{other}");
    }
}

/// They had no JSON. In 1.0, whether a component was modified had to be said.
#[test]
fn the_first_versions_are_read_as_xml() {
    for (version, modified) in [("1.0", "<modified>false</modified>"), ("1.1", "")] {
        let text = format!(
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/{version}" version="1"><components>
                <component type="library"><name>a</name><version>1</version>
                <hashes><hash alg="SHA-1">{}</hash></hashes>
                <licenses><license><id>MIT</id></license></licenses>
                <purl>pkg:maven/a/a@1</purl>{modified}</component></components></bom>"#,
            "0".repeat(40)
        );
        let document = parse(&text).unwrap();
        assert_eq!(document.version, version);
        assert_eq!(document.components[0].purl(), Some("pkg:maven/a/a@1"));
        for (from, to) in [
            ("MIT", "M.I.T."),
            ("SHA-1", "SHA-7"),
            ("<version>1</version>", ""),
        ] {
            let refused = parse(&text.replace(from, to)).unwrap_err();
            assert!(matches!(refused, Error::Schema { .. }), "{refused}");
        }
    }
    let json = r#"{"bomFormat":"CycloneDX","specVersion":"1.1","version":1}"#;
    let refused = parse(json).unwrap_err().to_string();
    assert!(refused.contains("found 1.1"), "{refused}");
}

/// Replaces one text by another in a document, which must then be refused for a reason.
#[track_caller]
fn refused(document: &str, from: &str, to: &str, reason: &str) {
    let changed = document.replacen(from, to, 1);
    assert_ne!(changed, document, "{from}");
    let error = parse(&changed).unwrap_err().to_string();
    assert!(error.contains(reason), "{to}: {error}");
}

#[test]
fn invalid_cyclonedx_is_refused() {
    for (from, to, reason) in [
        ("urn:uuid:3e67", "urn:uuid:3E67", "/serialNumber"),
        ("2026-01-02T03:04:05Z", "yesterday", "/metadata/timestamp"),
        ("\"ISC\"", "\"ISCX\"", "/licenses"),
        ("\"alg\": \"SHA-256\"", "\"alg\": \"SHA256\"", "/alg"),
        ("a4689e6c", "a4689e6", "/content"),
        (
            "\"bom-ref\": \"os\"",
            "\"bom-ref\": \"ring\"",
            "each bom-ref once",
        ),
        (
            "\"bom-ref\": \"os\"",
            "\"bom-ref\": \"app\"",
            "each bom-ref once",
        ),
        (
            "\"version\": 1,",
            "\"version\": 1, \"version\": 1,",
            "version",
        ),
        (
            "\"version\": 1,",
            "\"version\": 1, \"spdxVersion\": \"SPDX-2.3\",",
            "finding the format",
        ),
        (
            "\"name\": \"debian\",",
            "\"name\": \"debian\", \"Name\": \"other\",",
            "dditional properties",
        ),
        ("\"CycloneDX\"", "\"cyclonedx\"", "/bomFormat"),
    ] {
        refused(CYCLONEDX_JSON, from, to, reason);
    }
    for (from, to, reason) in [
        ("urn:uuid:3e67", "urn:uuid:3E67", "3E67"),
        ("2026-01-02T03:04:05Z", "yesterday", "yesterday"),
        ("<id>ISC</id>", "<id>ISCX</id>", "ISCX"),
        ("bom-ref=\"os\"", "bom-ref=\"ring\"", "ring"),
        ("<name>ring</name>", "", "element 'name'"),
        ("alg=\"SHA-1\"", "alg=\"SHA1\"", "SHA1"),
        ("?>", "?><!DOCTYPE bom [<!ENTITY a \"b\">]>", "DOCTYPE"),
        ("<name>ring</name>", "<name>&ring;</name>", "ring"),
        ("</bom>", "", "parsing CycloneDX as XML"),
        ("</bom>", "</bom><bom/>", "parsing CycloneDX as XML"),
        (
            "xmlns=\"http://cyclonedx.org",
            "xmlns=\"https://cyclonedx.org",
            "namespace",
        ),
        ("<bom ", "<bom>", "namespace"),
    ] {
        refused(CYCLONEDX_XML, from, to, reason);
    }
    let deep = "<a>".repeat(100) + &"</a>".repeat(100);
    refused(CYCLONEDX_XML, "</name>", &format!("</name>{deep}"), "depth");
}

#[test]
fn invalid_spdx_is_refused() {
    for (from, to, reason) in [
        ("CC0-1.0", "MIT", "expected CC0-1.0"),
        (
            "SPDXRef-DOCUMENT",
            "SPDXRef-document",
            "expected SPDXRef-DOCUMENT",
        ),
        (
            "https://example.com/app",
            "https://example.com/app#1",
            "namespace",
        ),
        ("03:04:05Z", "03:04:05.6Z", "a time"),
        ("2026-01-02", "2026-13-02", "a time"),
        ("Tool: other-1.0", "other-1.0", "a creator"),
        ("Organization: Example\"", "Tool: example\"", "a supplier"),
        ("\"SPDXRef-ring\"", "\"SPDXRef-app\"", "each SPDXID once"),
        ("\"SPDXRef-ring\"", "\"SPDXRef-ring_1\"", "letters, digits"),
        ("[\"SPDXRef-lib\"]", "[\"SPDXRef-bin\"]", "SPDXRef-bin"),
        (
            "DocumentRef-base:",
            "DocumentRef-other:",
            "DocumentRef-other",
        ),
        ("\"isc\"", "\"isc AND\"", "a licence expression"),
        ("\"isc\"", "\"ISCX\"", "ISCX"),
        ("\"isc\"", "\"LicenseRef-2\"", "LicenseRef-2"),
        ("a4689e6c", "a4689e6", "a SHA256 in hex"),
        ("a4689e6c", "g4689e6c", "a SHA256 in hex"),
        ("\"SHA256\"", "\"SHA-256\"", "/algorithm"),
        ("BUILD_TOOL_OF", "TOOL_OF", "/relationshipType"),
        ("\"fileName\": \"./usr/lib/libring.so\",", "", "fileName"),
        (
            "\"name\": \"app\",",
            "\"name\": \"app\", \"Name\": \"b\",",
            "Name",
        ),
    ] {
        refused(SPDX_JSON, from, to, reason);
    }
    for (from, to, reason) in [
        ("DocumentName:", "Documentname:", "a tag of SPDX"),
        (
            "DocumentName: app",
            "DocumentName: app\nDocumentName: app",
            "DocumentName once",
        ),
        (
            "Creator: Tool",
            "PackageVersion: 1\nCreator: Tool",
            "packages before PackageVersion",
        ),
        (
            "DocumentName: app",
            "DocumentName",
            "a tag, a colon and a value",
        ),
        ("FilesAnalyzed: true", "FilesAnalyzed: yes", "true or false"),
        (
            "PackageChecksum: SHA256:",
            "PackageChecksum: SHA256",
            "an algorithm and a digest",
        ),
        (
            "SnippetByteRange: 1:20",
            "SnippetByteRange: 1-20",
            "two numbers",
        ),
        ("NONE</text>", "NONE", "LicenseRef-1"),
        ("linked</text>", "linked", "does not end with </text>"),
        ("NONE</text>", "NONE</text> more", "more"),
        (
            "DEPENDENCY_OF SPDXRef-app",
            "DEPENDENCY_OF",
            "relatedSpdxElement",
        ),
        (
            "ExternalRef: SECURITY",
            "ExternalRefComment: x\nExternalRef: SECURITY",
            "to comment on",
        ),
        (
            "PackageLicenseDeclared: isc",
            "PackageLicenseDeclared: is",
            "a licence expression",
        ),
        (
            "FileName:",
            "FileType: OTHER\nFileName:",
            "files before FileType",
        ),
    ] {
        refused(SPDX_TAG_VALUE, from, to, reason);
    }
}

#[test]
fn what_is_no_bill_of_materials_is_refused() {
    for text in [
        "",
        " ",
        "hello",
        "[]",
        "{}",
        "<html/>",
        "{\"predicate\":{}}",
        "PK\u{3}\u{4}",
    ] {
        let error = parse(text).unwrap_err();
        assert!(matches!(error, Error::Format), "{text}: {error}");
    }
    let larger = " ".repeat(usize::try_from(sbom::SIZE).unwrap());
    for document in [CYCLONEDX_JSON, CYCLONEDX_XML, SPDX_JSON, SPDX_TAG_VALUE] {
        let error = parse(&format!("{document}{larger}")).unwrap_err();
        assert!(error.to_string().contains("limit"), "{error}");
    }
}

#[test]
fn formats_have_names_of_their_own() {
    let documents = [CYCLONEDX_JSON, CYCLONEDX_XML, SPDX_JSON, SPDX_TAG_VALUE];
    let names = documents.map(|document| parse(document).unwrap().format.name());
    assert_eq!(BTreeSet::from(names).len(), names.len());
}
