use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::{Found, Level};

const NOW: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

fn document(statements: Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vex.example/1", "author": "a",
        "timestamp": "1969-01-01T00:00:00Z", "version": 1, "statements": statements,
    })
}

fn statement(product: Value) -> Value {
    json!({
        "vulnerability": {"name": "CVE-2020-26235"}, "products": [product],
        "status": "not_affected", "justification": "vulnerable_code_not_present",
    })
}

pub(super) fn said(documents: &[Value]) -> Option<Answer> {
    let documents: Vec<_> = documents
        .iter()
        .map(|value| Document::from_value(value).unwrap())
        .collect();
    let advisory = Match {
        id: "RUSTSEC-2020-0071".to_owned(),
        aliases: BTreeSet::from(["CVE-2020-26235".to_owned()]),
        level: Level::Medium,
        found: Found::Unclear,
    };
    let links = ["urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#time 0.1.43".to_owned()];
    let package = Package::of("pkg:cargo/time@0.1.43?a=b", None).unwrap();
    let package = package.linked(links.into());
    answer(
        &documents,
        &advisory,
        &package,
        Some(&Digest::of(b"image")),
        NOW,
    )
    .map(|(_, answer)| answer)
}

fn about(product: Value) -> bool {
    said(&[document(json!([statement(product)]))]).is_some()
}

#[test]
fn a_statement_is_about_the_products_that_it_names() {
    let digest = Digest::of(b"image");
    let (hex, escaped) = (digest.hex(), digest.to_string().replace(':', "%3A"));
    let part = json!([{"@id": "pkg:cargo/time"}]);
    for product in [
        json!({"@id": "pkg:cargo/time@0.1.43"}),
        json!({"@id": "pkg:cargo/time"}),
        json!({"@id": "https://p.example", "identifiers": {"purl": "pkg:cargo/time@0.1.43?a=b"}}),
        json!({"@id": format!("pkg:oci/app@{escaped}?repository_url=r.example/app")}),
        json!({"@id": format!("r.example/app@{digest}")}),
        json!({"@id": "image", "hashes": {"sha-256": hex}}),
        json!({"@id": format!("r.example/app@{digest}"), "subcomponents": part}),
    ] {
        assert!(about(product.clone()), "{product}");
    }
    let other = json!([{"@id": "pkg:cargo/time@0.2.0"}]);
    for product in [
        json!({"@id": "pkg:cargo/time@0.1.44"}),
        json!({"@id": "pkg:cargo/tim"}),
        json!({"@id": "pkg:cargo/time?a=c"}),
        json!({"@id": "pkg:golang/time"}),
        json!({"@id": format!("r.example/app@{}", Digest::of(b"other"))}),
        json!({"@id": "r.example/app:v1"}),
        json!({"@id": format!("r.example/app@{digest}"), "subcomponents": other}),
        json!({"@id": "pkg:cargo/time", "subcomponents": part}),
        json!({}),
    ] {
        assert!(!about(product.clone()), "{product}");
    }
}

#[test]
fn the_newest_statement_counts() {
    let product = || json!({"@id": "pkg:cargo/time"});
    let at = |time: &str, status: &str| {
        let mut statement = statement(product());
        (statement["timestamp"], statement["status"]) = (time.into(), status.into());
        document(json!([statement]))
    };
    let old = at("1969-02-01T00:00:00Z", "not_affected");
    let new = at("1969-03-01T00:00:00Z", "affected");
    assert_eq!(said(&[old.clone(), new.clone()]), None);
    assert_eq!(said(&[new.clone(), old.clone()]), None);
    let fixed = at("1969-04-01T00:00:00Z", "fixed");
    assert_eq!(
        said(&[new.clone(), fixed, old.clone()]),
        Some(Answer::Fixed)
    );
    // Of one time, the one that answers least.
    let same = at("1969-02-01T00:00:00Z", "under_investigation");
    assert_eq!(said(&[old.clone(), same]), None);
    // One that is yet to be made says nothing.
    let future = at("1970-01-02T00:00:00Z", "fixed");
    assert_eq!(said(&[future]), None);
    let answer = Answer::NotAffected("vulnerable_code_not_present".to_owned());
    assert_eq!(said(&[old]), Some(answer));
}

#[test]
fn a_document_says_why_nothing_is_affected() {
    let parsed = |change: fn(&mut Value)| {
        let mut value = document(json!([statement(json!({"@id": "pkg:cargo/time"}))]));
        change(&mut value);
        Document::from_value(&value).map_err(|error| error.to_string())
    };
    assert!(parsed(|_| {}).is_ok());
    let because = |value: &mut Value, why: Value| value["statements"][0]["justification"] = why;
    for why in [Value::Null, "we_say_so".into(), "".into()] {
        let mut value = document(json!([statement(json!({"@id": "pkg:cargo/time"}))]));
        because(&mut value, why.clone());
        let error = Document::from_value(&value).unwrap_err().to_string();
        assert!(
            error.contains("about CVE-2020-26235 says not_affected, without"),
            "{error}"
        );
        value["statements"][0]["impact_statement"] = "not built in".into();
        assert!(Document::from_value(&value).is_ok(), "{why}");
    }
    let other = parsed(|value| value["@context"] = "https://openvex.dev/nsx".into());
    assert!(other.unwrap_err().contains("expected `@context`"));
    let status = parsed(|value| value["statements"][0]["status"] = "none".into());
    assert!(status.unwrap_err().contains("unknown variant"));
    let untimed = parsed(|value| value["timestamp"] = Value::Null);
    assert!(untimed.is_err());
}
