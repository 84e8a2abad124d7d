//! Statements about an image: of another type, or about another build.

use attest::Provenance;
use content::Digest;
use serde_json::Value;
use verifier::published::Piece;

use crate::Case;
use crate::case::{
    self, Case as Image, REPOSITORY, bundle, honest_predicates, legacy_statement, statement,
};
use crate::evidence::{about, said};

pub const CASES: &[Case] = &[
    // 3
    ("sbom_attached_as_provenance_fail", || {
        stated(|image| {
            let [(provenance, _), (sbom, bill)] = honest_predicates();
            let payload = about(image, sbom, bill);
            vec![bundle(&image.keys.builder, provenance, payload)]
        })
    }),
    ("sbom_signed_as_provenance_fail", || {
        stated(|image| {
            let [(provenance, _), (_, bill)] = honest_predicates();
            let payload = about(image, provenance, bill);
            vec![bundle(&image.keys.builder, provenance, payload)]
        })
    }),
    ("statement_of_an_unknown_type_fail", || {
        stated(|image| {
            let [(provenance, predicate), _] = honest_predicates();
            let payload = about(image, "https://slsa.dev/provenance/v99", predicate);
            vec![bundle(&image.keys.builder, provenance, payload)]
        })
    }),
    ("no_statement_fail", || stated(|_| Vec::new())),
    // 27
    ("another_builder_fail", || {
        provenance(|predicate| {
            predicate["runDetails"]["builder"]["id"] = "https://other.example".into()
        })
    }),
    ("builder_that_only_begins_so_fail", || {
        provenance(|predicate| {
            predicate["runDetails"]["builder"]["id"] = format!("{}-2", case::BUILDER_ID).into();
        })
    }),
    ("another_build_type_fail", || {
        provenance(|predicate| {
            predicate["buildDefinition"]["buildType"] = "https://other.example".into()
        })
    }),
    ("parameter_that_the_policy_does_not_name_fail", || {
        provenance(|predicate| {
            predicate["buildDefinition"]["externalParameters"]["flags"] = "--evil".into();
        })
    }),
    ("another_source_fail", || {
        provenance(|predicate| {
            predicate["buildDefinition"]["externalParameters"]["source"] =
                "git+https://other.example".into();
        })
    }),
    ("dependency_that_was_not_rebuilt_fail", || {
        provenance(|predicate| {
            let dependencies = &mut predicate["buildDefinition"]["resolvedDependencies"];
            dependencies[1]["digest"]["sha256"] = Digest::of(b"other").hex().into();
        })
    }),
    ("second_commit_fail", || {
        provenance(|predicate| {
            let dependencies = &mut predicate["buildDefinition"]["resolvedDependencies"];
            let mut other = dependencies[0].clone();
            other["uri"] = "git+https://other.example".into();
            dependencies.as_array_mut().unwrap().push(other);
        })
    }),
    ("provenance_of_another_image_fail", || {
        stated(|image| {
            let [(kind, predicate), _] = honest_predicates();
            let payload = statement(REPOSITORY, &Digest::of(b"other"), kind, predicate);
            vec![legacy_statement(&image.keys.builder, kind, payload)]
        })
    }),
];

/// An image whose only possible provenance is in these.
fn stated(make: impl Fn(&Image) -> Vec<Piece>) -> String {
    let mut image = Image::passing();
    let provenance = Provenance::PREDICATE.uri;
    let pieces = &mut image.published.pieces;
    pieces.retain(|piece| piece.claimed_type.as_deref() != Some(provenance));
    let made = make(&image);
    image.published.pieces.extend(made);
    said(&image)
}

fn provenance(change: impl FnOnce(&mut Value)) -> String {
    let [(_, mut predicate), (_, bill)] = honest_predicates();
    change(&mut predicate);
    said(&Image::with_statements(predicate, bill))
}
