//! Advisories that are hidden, or answered by someone who may not answer them.

use serde_json::{Value, json};

use crate::advised::{Advised, PURL, cyclonedx, vex};
use crate::case::{Case as Image, REPOSITORY, bundle, statement, stored};
use crate::program::{compressed, program};
use crate::{ACCEPTED, Case};

/// The policy lets this principal answer.
const FROM: &str = "vex_from = [\"collaborator\"]\nvex_max_age = \"60d\"";

pub const CASES: &[Case] = &[
    ("answer_as_it_should_be", || {
        answered(|advised| advised.attest(|case| &case.keys.collaborator, vex(PURL)))
    }),
    ("no_answer_fail", || answered(|_| {})),
    ("answer_of_another_signer_fail", || {
        answered(|advised| advised.attest(|case| &case.keys.builder, vex(PURL)))
    }),
    ("answer_of_an_unknown_key_fail", || {
        answered(|advised| advised.attest(|case| &case.keys.unknown, vex(PURL)))
    }),
    ("answer_about_another_image_fail", || {
        answered(|advised| {
            let other = content::Digest::of(b"other");
            let kind = crate::advised::OPENVEX;
            let payload = statement(REPOSITORY, &other, kind, vex(PURL));
            let piece = bundle(&advised.case.keys.collaborator, kind, payload);
            advised.case.published.pieces.push(piece);
        })
    }),
    ("answer_for_another_image_fail", || {
        let other = content::Digest::of(b"other");
        by_collaborator(vex(&format!("{REPOSITORY}@{other}")))
    }),
    ("answer_about_another_version_fail", || {
        by_collaborator(vex("pkg:cargo/p256@0.13.2"))
    }),
    ("answer_about_another_advisory_fail", || {
        changed(|value| value["statements"][0]["vulnerability"]["name"] = "CVE-1969-2".into())
    }),
    ("answer_without_a_reason_fail", || {
        changed(|value| value["statements"][0]["justification"] = Value::Null)
    }),
    ("answer_with_an_invented_reason_fail", || {
        changed(|value| value["statements"][0]["justification"] = "trust_us".into())
    }),
    ("answer_that_has_expired_fail", || {
        changed(|value| value["timestamp"] = "1969-10-01T00:00:00Z".into())
    }),
    ("answer_from_the_future_fail", || {
        changed(|value| value["timestamp"] = "1970-02-01T00:00:00Z".into())
    }),
    ("answer_that_was_taken_back_fail", || {
        changed(|value| {
            let mut later = value["statements"][0].clone();
            later["status"] = "affected".into();
            later["timestamp"] = "1969-12-20T00:00:00Z".into();
            value["statements"].as_array_mut().unwrap().push(later);
        })
    }),
    ("answer_in_cyclonedx_as_it_should_be", || {
        by_collaborator(cyclonedx(PURL))
    }),
    ("answer_in_cyclonedx_without_a_justification_fail", || {
        analysed(|analysis| analysis["justification"] = Value::Null)
    }),
    ("answer_in_cyclonedx_with_a_detail_alone_fail", || {
        analysed(|analysis| *analysis = json!({"state": "not_affected", "detail": "trust us"}))
    }),
    ("answer_in_cyclonedx_that_is_in_triage_fail", || {
        analysed(|analysis| analysis["state"] = "in_triage".into())
    }),
    ("answer_in_cyclonedx_about_an_affected_version_fail", || {
        let mut value = cyclonedx("pkg:cargo/p256");
        value["vulnerabilities"][0]["affects"][0]["versions"] = json!([{"version": "0.14.0"}]);
        by_collaborator(value)
    }),
    ("answer_in_cyclonedx_for_another_component_fail", || {
        let mut value = cyclonedx(PURL);
        value["components"] = json!([
            {"type": "library", "name": "p256", "version": "0.13.2", "purl": "pkg:cargo/p256@0.13.2", "bom-ref": PURL},
        ]);
        by_collaborator(value)
    }),
    (
        "answer_in_cyclonedx_in_a_member_with_another_case_fail",
        || {
            let mut value = cyclonedx(PURL);
            value["Vulnerabilities"] = json!([]);
            by_collaborator(value)
        },
    ),
    ("answer_in_a_member_with_another_case_fail", || {
        changed(|value| value["Statements"] = json!([]))
    }),
    ("version_that_cannot_be_compared_fail", || {
        renamed("pkg:cargo/p256@0.14.x")
    }),
    ("version_that_the_package_url_leaves_out_fail", || {
        let advised = Advised::new("");
        let list = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6",
            "components": [{"type": "library", "name": "p256", "version": "0.14.0", "purl": "pkg:cargo/p256"}],
        });
        advised.write("sbom.json", &list);
        let words = ["sbom", "sbom.json", "--advisories", "osv"];
        match crate::command::check(advised.folder.path(), &words) {
            (0, ..) => ACCEPTED.to_owned(),
            (_, _, error) => error,
        }
    }),
    ("name_in_another_spelling_fail", || {
        renamed("pkg:cargo/P256@0.14.0")
    }),
    ("crate_that_only_the_program_lists_fail", || {
        let list = json!({"packages": [
            {"name": "app", "version": "1.0.0", "source": "local", "root": true, "dependencies": [1]},
            {"name": "p256", "version": "0.14.0", "source": "crates.io"},
        ]});
        let binary = program(".dep-v0", &compressed(&list.to_string()));
        let mut advised = Advised::new("").without_rebuild();
        let contents = stored(&[("workload", &binary)]).contents();
        advised.case.image.digest = contents.image().image_digest();
        advised.case.published.image = advised.case.image.clone();
        advised.case.published.contents = Some(contents);
        told(&advised)
    }),
];

fn told(advised: &Advised) -> String {
    let said = advised.said();
    match said.contains("FAIL ") {
        true => said,
        false => format!("{ACCEPTED}\n{said}"),
    }
}

fn answered(change: impl FnOnce(&mut Advised)) -> String {
    let mut advised = Advised::new(FROM);
    change(&mut advised);
    told(&advised)
}

fn by_collaborator(value: Value) -> String {
    answered(|advised| advised.attest(|case| &case.keys.collaborator, value))
}

fn analysed(change: impl FnOnce(&mut Value)) -> String {
    let mut value = cyclonedx(PURL);
    change(&mut value["vulnerabilities"][0]["analysis"]);
    by_collaborator(value)
}

fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut value = vex(PURL);
    change(&mut value);
    by_collaborator(value)
}

/// What is said of a bill of materials that has the package under another URL, without a rebuild.
fn renamed(purl: &str) -> String {
    let advised = Advised::new("").without_rebuild();
    let mut bill = crate::case::to_value(&crate::case::honest_sbom());
    let components = bill["components"].as_array_mut().unwrap();
    let found = components
        .iter_mut()
        .find(|component| component["purl"] == PURL);
    let found = found.unwrap();
    let (name, version) = purl
        .trim_start_matches("pkg:cargo/")
        .split_once('@')
        .unwrap();
    (found["name"], found["version"], found["purl"]) = (name.into(), version.into(), purl.into());
    let provenance = crate::case::to_value(&crate::case::honest_provenance());
    let mut case = Image::with_statements(provenance, bill);
    case.policy = advised.case.policy.clone();
    case.rebuild = advised.case.rebuild.clone();
    told(&Advised { case, ..advised })
}
