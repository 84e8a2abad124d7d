//! Attestations that should not count, by a principal whose attestations do.

use serde_json::{Value, json};

use super::*;

const ANY: &str = "package signature\nallow { input.predicateType }";

/// A statement of cosign's type `custom` by the builder, after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Attestations {
    let mut case = Attestations::custom(ANY);
    let predicate = json!({"Data": "{}", "Timestamp": "1970-01-01T00:00:00Z"});
    let payload = statement(REPOSITORY, &case.case.image.digest, CUSTOM, predicate);
    let mut payload = serde_json::from_slice(&payload).unwrap();
    change(&mut payload);
    let piece = bundle(
        &case.case.keys.builder,
        CUSTOM,
        payload.to_string().into_bytes(),
    );
    case.case.published.pieces.push(piece);
    case
}

#[test]
fn a_type_that_only_looks_like_it_does_not_count() {
    changed(|_| {}).passes();
    for other in [
        format!("{CUSTOM}/"),
        format!("{CUSTOM}#"),
        format!("{CUSTOM}?"),
        format!(" {CUSTOM}"),
        CUSTOM.to_uppercase(),
        CUSTOM.replace("cosign.", "Cosign."),
        CUSTOM.replace("https", "http"),
        CUSTOM.replace("/v1", "/v01"),
        CUSTOM.replace("/attestation", "/%61ttestation"),
        CUSTOM.replace("/attestation", "//attestation"),
        "custom".to_owned(),
    ] {
        let case = changed(|payload| payload["predicateType"] = other.into());
        case.is_refused("expected at least 1 of 1, found 0 (no principal)");
    }
}

/// Go reads the second of each pair of names.
#[test]
fn a_statement_that_two_readers_read_differently_does_not_count() {
    for (name, value) in [
        ("PredicateType", json!("https://example.com/x")),
        ("predicatetype", json!(CUSTOM)),
        ("Predicate", json!({"Data": "{\"bad\": true}"})),
        ("Subject", json!([])),
        ("_Type", json!("x")),
    ] {
        let case = changed(|payload| payload[name] = value);
        case.is_refused("found 0 (no principal)");
    }
    // A predicate may be absent, and is whatever its type says.
    for name in ["predicateType", "subject", "_type"] {
        changed(|payload| payload[name] = Value::Null).is_refused("found 0 (no principal)");
        changed(|payload| payload[name] = json!([payload[name]]))
            .is_refused("found 0 (no principal)");
    }
}

#[test]
fn a_statement_about_other_things_does_not_count() {
    let changed_subject = |change: fn(&str) -> Value| {
        changed(|payload| {
            let digest = payload["subject"][0]["digest"]["sha256"].as_str().unwrap();
            payload["subject"] = change(digest);
        })
    };
    let other = |digest: &str| json!({"name": REPOSITORY, "digest": {"sha256": digest}});
    changed_subject(|digest| json!([{"name": REPOSITORY, "digest": {"sha256": digest}}])).passes();
    let another = other(&Digest::of(b"another").hex());
    changed(|payload| payload["subject"] = json!([another])).is_refused("found 0 (no principal)");
    changed(|payload| {
        let own = payload["subject"][0].clone();
        payload["subject"] = json!([own, another]);
    })
    .is_refused("found 0 (no principal)");
    for change in [
        (|digest| json!([{"name": REPOSITORY, "digest": {"sha512": digest}}])) as fn(&str) -> Value,
        |digest| json!([{"name": REPOSITORY, "digest": {"SHA256": digest}}]),
        |digest| json!([{"name": REPOSITORY, "digest": {"sha256": digest.to_uppercase()}}]),
        |digest| json!([{"name": REPOSITORY, "digest": {"sha256": format!("sha256:{digest}")}}]),
        |digest| json!([{"name": REPOSITORY, "digest": {"gitCommit": digest}}]),
        |digest| json!([{"name": digest, "digest": {}}]),
        |digest| {
            let one = json!({"name": REPOSITORY, "digest": {"sha256": digest}});
            json!([one, one])
        },
        |_| json!([]),
        |_| json!([{"name": REPOSITORY}]),
    ] {
        changed_subject(change).is_refused("found 0 (no principal)");
    }
}

#[test]
fn two_envelopes_of_one_signer_are_one_principal() {
    let entry = "type = \"urn:x\"\nfrom = [\"builder\", \"collaborator\"]\nthreshold = 2";
    let mut case = Attestations::new(entry, "");
    case.add("urn:x", json!({"a": 1}))
        .add("urn:x", json!({"a": 1}));
    let payload = statement(
        REPOSITORY,
        &case.case.image.digest,
        "urn:x",
        json!({"a": 1}),
    );
    let envelope = case::sealed(&case.case.keys.builder, payload);
    let mut envelope: Value = serde_json::from_slice(&envelope.to_bytes().unwrap()).unwrap();
    let one = envelope["signatures"][0].clone();
    envelope["signatures"] = vec![one; 3].into();
    let mut piece = case.case.published.pieces.last().unwrap().clone();
    piece.form = verifier::published::Form::Envelope;
    piece.bytes = envelope.to_string().into_bytes();
    piece.digest = Digest::of(&piece.bytes);
    case.case.published.pieces.push(piece);
    case.is_refused("expected at least 2 of 2, found 1 (builder)");
}

#[test]
fn a_time_that_is_none_is_not_a_time() {
    let entry = "type = \"custom\"\nfrom = [\"builder\"]\nmax_age = \"1d\"";
    let dated = |predicate: Value| {
        let mut case = Attestations::new(entry, "");
        case.add(CUSTOM, predicate);
        case
    };
    dated(json!({"Data": "x", "Timestamp": "1970-01-01T00:00:00Z"})).passes();
    for predicate in [
        json!({"Data": "x"}),
        json!({"Data": "x", "Timestamp": null}),
        json!({"Data": "{\"Timestamp\": \"1970-01-01T00:00:00Z\"}"}),
        json!("x"),
        json!("{\"timestamp\": \"1970-01-01T00:00:00Z\"}"),
    ] {
        dated(predicate).is_refused("it does not say when it was made (/Timestamp)");
    }
    for time in [
        json!(0),
        json!(true),
        json!(["1970-01-01T00:00:00Z"]),
        json!({"": "1970-01-01T00:00:00Z"}),
        json!(""),
        json!("1970-01-01"),
        json!("1970-01-01T00:00:00"),
        json!("1970-01-01T00:00:00Z "),
        json!("Thu, 01 Jan 1970 00:00:00 GMT"),
        json!("+11970-01-01T00:00:00Z"),
    ] {
        let case = dated(json!({"Data": "x", "Timestamp": time}));
        case.is_refused("expected a time of RFC 3339");
    }
    for future in [
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:05:01Z",
        "1970-01-01T00:00:00-01:00",
    ] {
        let case = dated(json!({"Data": "x", "Timestamp": future}));
        case.is_refused("it was made in the future");
    }
    for old in [
        "0000-01-01T00:00:00Z",
        "1969-12-30T23:59:59Z",
        "1970-01-01T00:00:00+23:59",
    ] {
        let case = dated(json!({"Data": "x", "Timestamp": old}));
        match old.ends_with("+23:59") {
            true => case.passes(),
            false => case.is_refused("more than 1d ago"),
        }
    }
}

#[test]
fn text_that_a_module_does_not_see_does_not_count() {
    let bad = "{\"bad\": true}";
    for predicate in [
        // Members beside the text, which cosign drops.
        json!({"Data": bad, "Timestamp": "", "Other": 1}),
        json!({"Data": bad, "Other": null}),
        // Names that cosign reads as `Data`.
        json!({"Data": "{}", "data": bad}),
        json!({"data": bad}),
        json!({"DATA": bad, "Timestamp": ""}),
        // JSON to a reader that skips the byte order mark, or that reads twice.
        json!({"Data": format!("\u{feff}{bad}")}),
        json!({"Data": json!(bad).to_string()}),
    ] {
        let mut case = Attestations::custom(NOTHING_BAD);
        case.add(CUSTOM, predicate).is_refused("not counted");
    }
    let mut case = Attestations::custom(NOTHING_BAD);
    case.add(CUSTOM, json!({"Data": "{}", "Other": 1})).passes();
}

#[test]
fn only_true_counts() {
    let cel = "type = \"custom\"\nfrom = [\"builder\"]\ncel = 'predicate.Data.ok'";
    let rule = "package signature\nallow = x { x := input.predicate.Data.ok }";
    let set = "package signature\nallow[x] { x := input.predicate.Data.ok }";
    for value in [
        "\"true\"",
        "1",
        "[true]",
        "{\"true\": true}",
        "null",
        "false",
        "\"\"",
    ] {
        let text = format!("{{\"ok\": {value}}}");
        for mut case in [Attestations::new(cel, ""), Attestations::custom(rule)] {
            case.add_text(&text).is_refused("found 0 (no principal)");
        }
    }
    Attestations::new(cel, "")
        .add_text("{\"ok\": true}")
        .passes();
    Attestations::custom(rule)
        .add_text("{\"ok\": true}")
        .passes();
    for text in ["{\"ok\": true}", "{}"] {
        Attestations::custom(set)
            .add_text(text)
            .is_refused("data.signature.allow: expected true");
    }
}

#[test]
fn an_error_of_an_expression_is_not_true() {
    for cel in [
        "!predicate.Data.missing",
        "predicate.Data.missing != 1",
        "!(predicate.Data.missing in [1])",
        "!predicate.Data.list.exists(x, x.bad)",
        "!predicate.Data.n.startsWith(\"x\")",
        "predicate.Data.n / 0 != 1",
        "[0][predicate.Data.n] == 0",
        "int(predicate.Data.text) != 1",
        "timestamp(predicate.Data.text) < now",
        "!predicate.Data.text.matches(predicate.Data.pattern)",
    ] {
        let entry = format!("type = \"custom\"\nfrom = [\"builder\"]\ncel = '{cel}'");
        let mut case = Attestations::new(&entry, "");
        let data = json!({"n": 7, "list": [1], "text": "x", "pattern": "("});
        case.add_text(&data.to_string())
            .is_refused("evaluating expression");
    }
}

#[test]
fn a_module_is_one_package() {
    for module in [
        "package signature\nallow { false }\npackage signature\nallow { true }",
        "package other\nallow { true }\npackage signature\nallow { true }",
        "package signature.allow\nx { true }",
        "package signature\nimport data.other\ndeny { true }",
    ] {
        let refused = Attestations::custom(module)
            .policy()
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("parsing the module"),
            "{module}: {refused}"
        );
    }
}

#[test]
fn a_small_document_does_not_exhaust_a_module() {
    let module =
        "package signature\nallow { count(numbers.range(1, input.predicate.Data.n)) < 10 }";
    Attestations::custom(module).add_text("{\"n\": 9}").passes();
    let mut case = Attestations::custom(module);
    case.add_text("{\"n\": 1000000000000}")
        .is_refused("numbers.range: a range of more than 1048576 numbers");
}
