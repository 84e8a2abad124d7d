//! What other programs write, beside what the specifications say: accepted if it can be read in one way only.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod documents;

use sbom::{Error, Kind};

use documents::{CYCLONEDX_JSON, CYCLONEDX_XML, SPDX_JSON, SPDX_TAG_VALUE, parse};

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

/// A document of CycloneDX 1.6 with this subject and these components.
fn cyclonedx(subject: &str, components: &[&str]) -> String {
    let components = components.join(",");
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,
            "metadata":{{"component":{subject}}},"components":[{components}]}}"#
    )
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
fn old_versions_have_schemas_of_several_names() {
    let text = |version: &str, schema: &str| {
        format!(
            r#"{{"$schema":"http://cyclonedx.org/schema/{schema}","bomFormat":"CycloneDX",
                "specVersion":"{version}","version":1,"components":[]}}"#
        )
    };
    for (version, schema) in [
        ("1.2", "bom-1.2.schema.json"),
        ("1.2", "bom-1.2a.schema.json"),
        ("1.2", "bom-1.2b.schema.json"),
        ("1.2", "bom-1.2-strict.schema.json"),
        ("1.3", "bom-1.3.schema.json"),
        ("1.3", "bom-1.3a.schema.json"),
        ("1.4", "bom-1.4.schema.json"),
    ] {
        assert!(parse(&text(version, schema)).is_ok(), "{schema}");
    }
    for (version, schema) in [
        ("1.2", "bom-1.3.schema.json"),
        ("1.3", "bom-1.2b.schema.json"),
        ("1.2", "bom-1x2.schema.json"),
        ("1.4", "bom-1.4a.schema.json"),
        ("1.4", "bom-1.5.schema.json"),
    ] {
        let reason = reason(&text(version, schema));
        assert!(reason.contains("$schema"), "{schema}: {reason}");
    }
    let strict = with(
        &text("1.2", "bom-1.2b.schema.json"),
        "\"components\"",
        "\"parts\"",
    );
    assert!(reason(&strict).contains("parts"));
}

#[test]
fn a_component_may_be_listed_twice_if_it_is_the_same() {
    const A: &str = r#"{"type":"library","bom-ref":"a","name":"a","version":"1","purl":"pkg:cargo/a@1",
        "hashes":[{"alg":"MD5","content":"00000000000000000000000000000000"}]}"#;
    let around = format!(r#"{{"type":"library","name":"b","components":[{A}]}}"#);
    let described = with(A, "\"name\"", "\"description\":\"twice\",\"name\"");
    for (subject, components, count) in [
        (A, vec![A], 1),
        (A, vec![&described], 1),
        (&around, vec![&described], 2),
        (&described, vec![A, &around], 3),
    ] {
        let document = parse(&cyclonedx(subject, &components)).unwrap();
        assert_eq!(document.components.len(), count);
    }
    for (from, to) in [
        ("library", "framework"),
        ("\"name\":\"a\"", "\"name\":\"c\""),
        ("\"version\":\"1\"", "\"version\":\"2\""),
        ("cargo/a@1", "cargo/a@2"),
        ("0000", "0001"),
    ] {
        let other = with(A, from, to);
        for subject in [A, &around] {
            let reason = reason(&cyclonedx(subject, &[&other]));
            assert!(reason.contains("each bom-ref once, found a"), "{reason}");
        }
    }
}

#[test]
fn addresses_and_urls_are_as_most_programs_read_them() {
    let text = |email: &str, url: &str| {
        let author = format!(r#"{{"name":"a","email":"{email}"}}"#);
        let reference = format!(r#"{{"type":"website","url":"{url}"}}"#);
        let subject = r#"{"type":"library","name":"a"}"#;
        cyclonedx(subject, &[])
            .replace(
                r#""components":"#,
                &format!(r#""externalReferences":[{reference}],"components":"#),
            )
            .replace(
                r#""component":"#,
                &format!(r#""authors":[{author}],"component":"#),
            )
    };
    let url = "https://example.com/${name} (a)";
    for email in ["", "a@example.com"] {
        assert!(parse(&text(email, url)).is_ok(), "{email}");
    }
    let email = reason(&text("https://example.com", url));
    assert!(email.contains("/metadata/authors/0/email"), "{email}");
    let url = reason(&text("", "git@example.com:a.git"));
    assert!(url.contains("/externalReferences/0/url"), "{url}");
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

#[test]
fn identifiers_of_spdx_may_have_a_plus_sign() {
    for document in [SPDX_JSON, SPDX_TAG_VALUE] {
        let text = document.replace("SPDXRef-ring", "SPDXRef-ring-0.17.14+git");
        let parsed = parse(&text).unwrap();
        let reference = parsed.components[1].reference.as_deref();
        assert_eq!(reference, Some("SPDXRef-ring-0.17.14+git"));
        for other in ["_", "/", ":", "@"] {
            let found = reason(&text.replace('+', other));
            assert!(found.contains("SPDXRef-ring-0.17.14"), "{other}: {found}");
        }
    }
}
