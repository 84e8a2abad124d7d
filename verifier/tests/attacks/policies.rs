//! Policies that ask for less than they seem to.

use std::path::Path;

use verifier::policy::Policy;

use crate::case::{keys, policy_text};
use crate::{Case, said};

pub const CASES: &[Case] = &[
    ("policy_as_it_should_be", || policy("", "")),
    // 26
    ("entry_that_is_unknown_fail", || {
        policy("require = true", "require = true\nsoft = true")
    }),
    ("statement_that_is_unknown_fail", || {
        policy("\"sbom\"", "\"spdx-sbom\"")
    }),
    ("array_for_a_table_fail", || {
        policy("[rebuild]\nrequire = true", "[[rebuild]]\nrequire = true")
    }),
    ("threshold_out_of_reach_fail", || {
        policy("threshold = 1", "threshold = 3")
    }),
    ("threshold_of_none_fail", || {
        policy("threshold = 1", "threshold = 0")
    }),
    ("neither_signature_nor_attestation_fail", || {
        let text = policy_text(&keys());
        let signed = "require = [\"builder\"]\nthreshold = 1";
        let text = text.replacen(signed, "require = []\nthreshold = 0", 1);
        parsed(&text.replacen("require = [\"provenance\", \"sbom\"]", "require = []", 1))
    }),
    ("policy_for_any_image_fail", || {
        let text = policy_text(&keys());
        let text = text.replacen("require = [\"builder\"]", "require = []", 1);
        let text = text.replacen("require = [\"provenance\", \"sbom\"]", "require = []", 1);
        parsed(&text.replacen("require = true", "require = false", 1))
    }),
    ("signer_that_is_unknown_fail", || {
        policy("require = [\"builder\"]", "require = [\"nobody\"]")
    }),
    ("one_key_under_two_names_fail", || {
        let keys = keys();
        let (one, other) = (&keys.builder, &keys.collaborator);
        policy(&other.public().to_pem(), &one.public().to_pem())
    }),
];

fn policy(from: &str, to: &str) -> String {
    let good = policy_text(&keys());
    let text = good.replacen(from, to, 1);
    assert!(from.is_empty() || text != good, "{from}");
    parsed(&text)
}

fn parsed(text: &str) -> String {
    let none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    said(Policy::parse(text.as_bytes(), &none))
}
