use content::Digest;
use serde_json::json;

use super::super::Answer;
use super::super::tests::said;
use super::*;

/// A document about the package `time`, which is one of its components.
fn document(state: &str, affects: Value) -> Value {
    let mut analysis = json!({"state": state});
    if state == "not_affected" {
        analysis["justification"] = "code_not_reachable".into();
    }
    if state == "false_positive" {
        analysis["detail"] = "another crate".into();
    }
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": "1969-01-01T00:00:00Z",
            "component": {
                "bom-ref": "image", "type": "container", "name": "r.example/app",
                "version": Digest::of(b"image").to_string(),
            },
        },
        "components": [
            {"bom-ref": "a", "type": "library", "name": "time", "version": "0.1.43", "purl": "pkg:cargo/time"},
            {"bom-ref": "b", "type": "library", "name": "time", "version": "0.2.0", "purl": "pkg:cargo/time@0.2.0"},
        ],
        "vulnerabilities": [{
            "id": "GHSA-0000", "references": [{"id": "CVE-2020-26235", "source": {"name": "NVD"}}],
            "analysis": analysis, "affects": affects,
        }],
    })
}

fn of(state: &str, affects: Value) -> Option<Answer> {
    said(&[document(state, affects)])
}

fn not_affected(why: &str) -> Option<Answer> {
    Some(Answer::NotAffected(why.to_owned()))
}

#[test]
fn each_state_means_what_it_means_in_openvex() {
    let affects = || json!([{"ref": "a"}]);
    let answers = |state: &str| of(state, affects());
    assert_eq!(answers("not_affected"), not_affected("code_not_reachable"));
    let why = "a false positive, another crate";
    assert_eq!(answers("false_positive"), not_affected(why));
    for state in ["resolved", "resolved_with_pedigree"] {
        assert_eq!(answers(state), Some(Answer::Fixed), "{state}");
    }
    for state in ["exploitable", "in_triage"] {
        assert_eq!(answers(state), None, "{state}");
    }
    // Without an analysis nothing is said.
    let mut silent = document("exploitable", affects());
    silent["vulnerabilities"][0]["analysis"] = json!({"detail": "d"});
    assert!(!has_answers(&silent));
    let error = Document::from_value(&silent).unwrap_err().to_string();
    assert!(
        error.contains("expected a vulnerability with the state"),
        "{error}"
    );
}

#[test]
fn a_reference_names_a_component_a_package_the_image_or_a_link() {
    let link = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79";
    for (reference, is_named) in [
        ("a".to_owned(), true),
        ("b".to_owned(), false),
        ("image".to_owned(), true),
        ("pkg:cargo/time@0.1.43".to_owned(), true),
        ("pkg:cargo/time@0.2.0".to_owned(), false),
        (format!("{link}/1#time%200.1.43"), true),
        (format!("{link}/2#time%200.1.43"), false),
        (format!("{link}/1"), false),
        ("time".to_owned(), false),
    ] {
        let found = of("not_affected", json!([{"ref": reference}]));
        assert_eq!(found.is_some(), is_named, "{reference}");
    }
    assert_eq!(of("not_affected", json!([])), None);
}

#[test]
fn listed_versions_limit_an_answer() {
    let listed = |state: &str, versions: Value| {
        of(
            state,
            json!([{"ref": "pkg:cargo/time", "versions": versions}]),
        )
        .is_some()
    };
    let version = |version: &str, status: &str| json!([{"version": version, "status": status}]);
    for state in ["not_affected", "resolved"] {
        assert!(listed(state, version("0.1.43", "unaffected")), "{state}");
        assert!(!listed(state, version("0.1.44", "unaffected")), "{state}");
        for status in ["affected", "unknown"] {
            assert!(!listed(state, version("0.1.43", status)), "{state}");
        }
        assert!(!listed(state, json!([{"version": "0.1.43"}])), "{state}");
        assert!(!listed(
            state,
            json!([{"range": "vers:cargo/<1.0.0", "status": "unaffected"}])
        ));
        assert!(listed(state, json!([])), "{state}");
    }
    // What is open, is for all versions but those that are listed as unaffected.
    let after = |versions: Value| {
        let mut later = document(
            "exploitable",
            json!([{"ref": "pkg:cargo/time", "versions": versions}]),
        );
        later["metadata"]["timestamp"] = "1969-02-01T00:00:00Z".into();
        said(&[document("resolved", json!([{"ref": "a"}])), later])
    };
    assert_eq!(after(json!([])), None);
    assert_eq!(after(version("0.1.44", "affected")), None);
    assert_eq!(after(version("0.1.43", "unaffected")), Some(Answer::Fixed));
}

#[test]
fn the_newest_analysis_counts_whatever_the_format() {
    let at = |time: &str, state: &str| {
        let mut document = document(state, json!([{"ref": "a"}]));
        document["vulnerabilities"][0]["analysis"]["lastUpdated"] = time.into();
        document
    };
    let old = at("1969-03-01T00:00:00Z", "not_affected");
    let new = at("1969-04-01T00:00:00+00:00", "exploitable");
    assert!(said(std::slice::from_ref(&old)).is_some());
    assert_eq!(said(&[new.clone(), old.clone()]), None);
    let openvex = |time: &str| {
        json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "i", "author": "a", "version": 1, "timestamp": time,
            "statements": [{
                "vulnerability": {"name": "CVE-2020-26235"}, "products": [{"@id": "pkg:cargo/time"}], "status": "fixed",
            }],
        })
    };
    assert_eq!(said(&[new.clone(), openvex("1969-03-15T00:00:00Z")]), None);
    assert_eq!(
        said(&[new, openvex("1969-05-01T00:00:00Z")]),
        Some(Answer::Fixed)
    );
    // An answer that is yet to be made says nothing.
    assert_eq!(said(&[at("1970-01-02T00:00:00Z", "resolved")]), None);
}

#[test]
fn a_document_that_says_too_little_is_refused() {
    let error = |change: fn(&mut Value)| {
        let mut value = document("not_affected", json!([{"ref": "a"}]));
        change(&mut value);
        Document::from_value(&value).unwrap_err().to_string()
    };
    let analysis =
        |value: &mut Value, other: Value| value["vulnerabilities"][0]["analysis"] = other;
    for (change, expected) in [
        (
            (|value| {
                value["vulnerabilities"][0]["analysis"] =
                    json!({"state": "not_affected", "detail": "d"})
            }) as fn(&mut Value),
            "the analysis of CVE-2020-26235 says not_affected, without a justification",
        ),
        (
            |value| {
                value["vulnerabilities"][0]["analysis"] =
                    json!({"state": "false_positive", "detail": " "})
            },
            "says false_positive, without a justification or a detail",
        ),
        (
            |value| value["vulnerabilities"][0]["analysis"]["justification"] = "we_say_so".into(),
            "checking CycloneDX as JSON",
        ),
        (
            |value| value["vulnerabilities"][0]["analysis"]["state"] = "fine".into(),
            "checking CycloneDX as JSON",
        ),
        (
            |value| value["metadata"]["timestamp"] = "yesterday".into(),
            "checking CycloneDX as JSON",
        ),
        (
            |value| {
                drop(
                    value["metadata"]
                        .as_object_mut()
                        .unwrap()
                        .remove("timestamp"),
                )
            },
            "the analysis of CVE-2020-26235 has no time, and neither has the document",
        ),
        (|value| value["specVersion"] = "1.9".into(), "1.9"),
    ] {
        let error = error(change);
        assert!(error.contains(expected), "{error}");
    }
    let mut timed = document("not_affected", json!([{"ref": "a"}]));
    drop(
        timed["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("timestamp"),
    );
    analysis(
        &mut timed,
        json!({"state": "resolved", "firstIssued": "1969-01-01T00:00:00Z"}),
    );
    assert_eq!(said(&[timed]), Some(Answer::Fixed));
}
