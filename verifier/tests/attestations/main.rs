//! `[[attestation]]`: attestations of any type count by signer, age and what they say.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod attacks;
#[path = "../case/mod.rs"]
mod case;

use attest::PredicateType;
use attest::kind::{CUSTOM, VULN};
use case::{Case, NOW, REPOSITORY, bundle, legacy_statement, statement};
use content::Digest;
use serde_json::{Value, json};
use verifier::appraise::appraise;
use verifier::evidence::Evidence;
use verifier::examine::examine;
use verifier::finding::{Outcome, Rule};
use verifier::policy::{InvalidPolicy, Policy};
use verifier::report::detail;
use verifier::verdict::Verdict;

/// The module in many a guide to cosign.
const FOO_IS_BAR: &str = r#"package signature

import data.signature.verified

default allow = false

allow {
    input.predicateType == "https://cosign.sigstore.dev/attestation/v1"

    predicates := json.unmarshal(input.predicate.Data)
    predicates.foo == "bar"
}"#;

/// A module for cosign before it wrote strings: it says what is not allowed.
const NOTHING_BAD: &str = r#"package signature
default allow = true
allow = false { input.predicate.Data.bad }"#;

struct Attestations {
    case: Case,
    module: &'static str,
}

impl Attestations {
    /// The passing case with one more entry, and no attestation for it yet.
    fn new(entry: &str, module: &'static str) -> Self {
        let mut case = Case::passing();
        case.policy = format!("{}[[attestation]]\n{entry}\n", case.policy);
        Self { case, module }
    }

    fn custom(module: &'static str) -> Self {
        Self::new(
            "type = \"custom\"\nfrom = [\"builder\"]\nrego = \"m.rego\"",
            module,
        )
    }

    fn add(&mut self, kind: &str, predicate: Value) -> &mut Self {
        let key = &self.case.keys.builder;
        let payload = statement(REPOSITORY, &self.case.image.digest, kind, predicate);
        self.case.published.pieces.push(bundle(key, kind, payload));
        self
    }

    fn add_text(&mut self, data: &str) -> &mut Self {
        let kind: PredicateType = "custom".parse().unwrap();
        let predicate = kind
            .predicate(data.as_bytes(), "1970-01-01T00:00:00Z")
            .unwrap();
        self.add(CUSTOM, predicate)
    }

    fn policy(&self) -> Result<Policy, InvalidPolicy> {
        Policy::parse(self.case.policy.as_bytes(), &|_| {
            Ok(self.module.as_bytes().to_vec())
        })
    }

    fn verdict(&self) -> Verdict {
        let policy = self.policy().unwrap();
        let attested = examine(self.case.published.clone(), policy.principals(), NOW);
        let evidence = Evidence::new(attested, self.case.rebuild.clone());
        Verdict::of(appraise(&evidence, &policy, NOW))
    }

    #[track_caller]
    fn passes(&self) {
        let verdict = self.verdict();
        assert!(
            matches!(verdict, Verdict::Pass(_)),
            "{:#?}",
            verdict.findings()
        );
    }

    /// Asserts that only the rule for the entry fails, with `reason` in one of its findings.
    #[track_caller]
    fn is_refused(&self, reason: &str) {
        let verdict = self.verdict();
        let findings = verdict.findings();
        let failed = findings
            .iter()
            .filter(|found| found.outcome() == Outcome::Fail);
        let failed: Vec<_> = failed.map(|found| found.rule()).collect();
        assert_eq!(failed, [Rule::Attestation(0)], "{findings:#?}");
        let own = findings
            .iter()
            .filter(|found| found.rule() == Rule::Attestation(0));
        let details: Vec<_> = own.map(detail).collect();
        assert!(
            details.iter().any(|detail| detail.contains(reason)),
            "{details:#?}"
        );
    }
}

#[test]
fn a_module_of_cosign_works_unchanged() {
    let mut case = Attestations::custom(FOO_IS_BAR);
    case.is_refused("expected at least 1 of 1, found 0 (no principal)");
    case.add_text("{\"foo\": \"baz\"}");
    case.is_refused("found 0 (no principal)");
    case.add_text("{\"foo\": \"bar\"}\n");
    case.passes();
}

#[test]
fn text_that_is_json_is_json_for_a_module() {
    let mut case = Attestations::custom(
        "package signature\nallow { input.predicate.Data.foo == \"bar\"; input.predicate.Timestamp }",
    );
    case.add_text("[\"foo\"]");
    case.is_refused("data.signature.allow: expected true, found undefined");
    case.add_text("{\"foo\": \"bar\"}");
    case.passes();
}

#[test]
fn a_module_may_read_the_text_itself() {
    for module in [
        "package signature\nallow { input.predicate.Data == \"{\\\"foo\\\":1}\" }",
        "package signature\nallow { contains(input.predicate.Data, \"foo\") }",
        "package signature\nallow { not json.unmarshal(input.predicate.Data).bad }",
    ] {
        let mut case = Attestations::custom(module);
        case.add_text("{\"bad\":1}").is_refused("not counted");
        case.add_text("{\"foo\":1}").passes();
    }
    let mut case =
        Attestations::custom("package signature\nallow { input.predicate.Data == \"approved\" }");
    case.add_text("approved\n").is_refused("found undefined");
    case.add_text("approved").passes();
}

#[test]
fn a_string_has_no_members_that_could_be_bad() {
    for module in [
        NOTHING_BAD,
        "package signature\nallow { not input.predicate.Data.bad }",
        "package signature\nallow { input.predicate.Data != \"\"; not input.predicate.Data.bad }",
    ] {
        let mut case = Attestations::custom(module);
        case.add_text("{\"bad\": true}")
            .is_refused("data.signature.allow: expected true");
        case.add_text("{\"good\": true}").passes();
        // Two readers could disagree on these.
        for text in ["{\"bad\": true, \"bad\": false}", "{\"bad\": true"] {
            let mut case = Attestations::custom(module);
            case.add_text(text)
                .is_refused("parsing text of the predicate");
        }
    }
}

#[test]
fn an_error_of_a_module_is_a_refusal() {
    let mut case =
        Attestations::custom("package signature\nallow { not to_number(input.predicate.Data.n) }");
    case.add_text("{\"n\": \"x\"}")
        .is_refused("evaluating the module");
}

#[test]
fn an_expression_is_over_statement_predicate_and_time() {
    let entry = |cel: &str| format!("type = \"custom\"\nfrom = [\"builder\"]\ncel = '{cel}'");
    for (cel, reason) in [
        (
            "predicate.Data.foo == \"bar\"",
            "cel: expected true, found false",
        ),
        (
            "statement.predicate.Data.contains(\"bar\")",
            "cel: expected true, found false",
        ),
        (
            "!has(predicate.Data.bad)",
            "cel: expected true, found false",
        ),
        (
            "predicate.Data.missing == 1 || predicate.Data.foo == \"bar\"",
            "evaluating expression",
        ),
        ("predicate.Data.foo + 1 == 2", "evaluating expression"),
        (
            "timestamp(predicate.Timestamp) == now && predicate.Data.foo == \"bar\"",
            "cel: expected true",
        ),
    ] {
        let mut case = Attestations::new(&entry(cel), "");
        case.add_text("{\"foo\": \"baz\", \"bad\": 1}");
        case.is_refused(reason);
        case.add_text("{\"foo\": \"bar\"}");
        match cel.contains('+') {
            true => case.is_refused(reason),
            false => case.passes(),
        }
    }
}

#[test]
fn an_expression_and_a_module_must_both_hold() {
    let entry =
        "type = \"custom\"\nfrom = [\"builder\"]\ncel = 'predicate.Data.a == 1'\nrego = \"m.rego\"";
    let mut case = Attestations::new(
        entry,
        "package signature\nallow { input.predicate.Data.b == 2 }",
    );
    case.add_text("{\"a\": 1, \"b\": 1}")
        .is_refused("found undefined");
    case.add_text("{\"a\": 2, \"b\": 2}")
        .is_refused("cel: expected true");
    case.add_text("{\"a\": 1, \"b\": 2}").passes();
}

#[test]
fn another_type_does_not_count_wherever_it_is_attached() {
    let mut case = Attestations::custom("package signature\nallow { true }");
    case.add("https://example.com/x", json!({}));
    let piece = case.case.published.pieces.last_mut().unwrap();
    piece.claimed_type = Some(CUSTOM.to_owned());
    case.is_refused("found 0 (no principal)");
}

#[test]
fn attestations_count_by_principal() {
    let entry = "type = \"https://example.com/review\"\nfrom = [\"builder\", \"collaborator\"]";
    let kind = "https://example.com/review";
    let mut case = Attestations::new(entry, "");
    case.add(kind, json!({"by": "a"}))
        .add(kind, json!({"by": "b"}));
    case.is_refused("expected at least 2 of 2, found 1 (builder)");
    let payload = statement(REPOSITORY, &case.case.image.digest, kind, json!({}));
    for key in [&case.case.keys.unknown, &case.case.keys.collaborator] {
        let piece = legacy_statement(key, kind, payload.clone());
        case.case.published.pieces.push(piece);
    }
    case.passes();
    let mut one = Attestations::new(&format!("{entry}\nthreshold = 1"), "");
    one.add(kind, json!({})).passes();
    // A principal whom the entry does not name.
    let mut other = Attestations::new(&entry.replace("\"builder\", ", ""), "");
    other
        .add(kind, json!({}))
        .is_refused("the policy does not accept https://example.com/review by builder");
}

#[test]
fn a_statement_in_two_layouts_counts_once_and_is_noted_once() {
    let mut case = Attestations::custom(FOO_IS_BAR);
    case.add_text("x");
    let key = &case.case.keys.builder;
    let predicate = json!({"Data": "x", "Timestamp": "1970-01-01T00:00:00Z"});
    let payload = statement(REPOSITORY, &case.case.image.digest, CUSTOM, predicate);
    let piece = legacy_statement(key, CUSTOM, payload);
    case.case.published.pieces.push(piece);
    let verdict = case.verdict();
    let own = verdict
        .findings()
        .iter()
        .filter(|found| found.rule() == Rule::Attestation(0));
    assert_eq!(own.count(), 2, "{:#?}", verdict.findings());
}

#[test]
fn a_statement_for_another_repository_does_not_count() {
    let mut case = Attestations::new("type = \"urn:x\"\nfrom = [\"builder\"]", "");
    let payload = statement(
        "127.0.0.1:5000/other",
        &case.case.image.digest,
        "urn:x",
        json!({}),
    );
    let piece = bundle(&case.case.keys.builder, "urn:x", payload);
    case.case.published.pieces.push(piece);
    case.is_refused("subject name does not match");
    let payload = statement(REPOSITORY, &Digest::of(b"other"), "urn:x", json!({}));
    let piece = bundle(&case.case.keys.builder, "urn:x", payload);
    case.case.published.pieces.push(piece);
    case.is_refused("found 0 (no principal)");
}

#[test]
fn a_scan_is_required_and_fresh() {
    let entry = "type = \"vuln\"\nfrom = [\"builder\"]\nmax_age = \"7d\"\nrego = \"m.rego\"";
    let module = "package signature\nallow { count(input.predicate.scanner.result.findings) == 0 }";
    let scan = |at: &str, findings: Value| json!({"scanner": {"result": {"findings": findings}}, "metadata": {"scanFinishedOn": at}});
    let mut case = Attestations::new(entry, module);
    case.is_refused("found 0 (no principal)");
    case.add(VULN, scan("1969-12-24T23:59:59Z", json!([])));
    case.is_refused("it was made at 1969-12-24T23:59:59Z, more than 7d ago");
    case.add(VULN, scan("1970-01-01T00:05:01Z", json!([])));
    case.is_refused("it was made in the future, at 1970-01-01T00:05:01Z");
    case.add(VULN, scan("yesterday", json!([])));
    case.is_refused("expected a time of RFC 3339, found \"yesterday\"");
    case.add(VULN, json!({"scanner": {"result": {"findings": []}}}));
    case.is_refused("it does not say when it was made (/metadata/scanFinishedOn)");
    case.add(VULN, scan("1969-12-31T23:00:00Z", json!(["CVE-1"])));
    case.is_refused("data.signature.allow: expected true, found undefined");
    let without = case.case.published.pieces.len();
    case.add(VULN, scan("1969-12-25T00:00:00Z", json!([])));
    case.passes();
    // Leaving out what did not count changes nothing, and leaving out what did is a refusal.
    case.case.published.pieces.drain(without - 5..without);
    case.passes();
    case.case.published.pieces.pop();
    case.is_refused("found 0 (no principal)");
}

#[test]
fn a_policy_says_where_the_time_is() {
    let entry = "type = \"urn:x\"\nfrom = [\"builder\"]\nmax_age = \"1h\"\ntime = \"/made/at\"";
    let mut case = Attestations::new(entry, "");
    case.add("urn:x", json!({"at": "1970-01-01T00:00:00Z"}));
    case.is_refused("it does not say when it was made (/made/at)");
    case.add(
        "urn:x",
        json!({"made": {"at": "1969-12-31T18:30:00-05:00"}}),
    );
    case.passes();
    // A time that is null is not there, and the next one counts.
    let entry = "type = \"openvex\"\nfrom = [\"builder\"]\nmax_age = \"1h\"";
    let made = json!({"last_updated": null, "timestamp": "1969-12-31T23:30:00Z"});
    let mut case = Attestations::new(entry, "");
    case.add("https://openvex.dev/ns", made).passes();
}

/// The entry that the example policy explains, with its module.
#[test]
fn the_example_can_be_used() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let example = read("release.toml");
    let lines = example.lines().map(|line| line.trim_start_matches("#   "));
    let entry = lines.skip_while(|line| *line != "[[attestation]]").skip(1);
    let entry: Vec<_> = entry.take_while(|line| !line.is_empty()).collect();
    let entry = entry.join("\n").replace("collaborator-2", "builder");
    let mut case = Attestations::new(&entry, read("review.rego").leak());
    case.add_text("{\"review\": \"approved\", \"open\": [\"x\"]}");
    case.is_refused("expected true, found false");
    case.add_text("{\"review\": \"approved\", \"open\": []}")
        .passes();
}

/// The example in `docs/sbom.md`.
#[test]
fn licences_in_an_sbom_are_judged_by_an_expression() {
    let example = include_str!("../../../docs/sbom.md");
    let (_, example) = example.split_once("```toml\n[[attestation]]\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let entry = example.replace("supplier", "builder");
    let packages = |licenses: &[Option<&str>]| {
        let package = |license: &Option<&str>| match license {
            Some(license) => json!({"name": "a", "licenseDeclared": license}),
            None => json!({"name": "a"}),
        };
        json!({"packages": licenses.iter().map(package).collect::<Vec<_>>()})
    };
    let spdx = "https://spdx.dev/Document";
    for (licenses, is_allowed) in [
        (&[Some("MIT"), Some("ISC")][..], true),
        (&[Some("MIT"), Some("AGPL-3.0-only")], false),
        (&[Some("MIT"), None], false),
    ] {
        let mut case = Attestations::new(&entry, "");
        // The rule for bills of materials judges it, too, and has a good one beside it.
        case.add(spdx, packages(licenses));
        match is_allowed {
            true => case.passes(),
            false => case.is_refused("cel: expected true, found false"),
        }
    }
}
