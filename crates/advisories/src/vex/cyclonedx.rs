//! Documents in CycloneDX: bills of materials, or parts of them, with `vulnerabilities` that someone has analysed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use sbom::cyclonedx::{Affected, Analysed, Analysis, Vulnerability, analysed};
use sbom::{Component, Kind};
use serde_json::Value;

use super::{Document, InvalidVex, Product, Statement, Status, Versions};
use crate::package::versioned;

/// The predicate type of these documents in attestations, which is that of all bills of materials.
pub(super) const TYPE: &str = "https://cyclonedx.org/bom";
/// The member with vulnerabilities.
const MEMBER: &str = "vulnerabilities";

/// Whether a document says which state an analysis of a vulnerability has found. One in another form is one that does, and cannot be read.
pub(super) fn has_answers(value: &Value) -> bool {
    let members = value.as_object().into_iter().flatten();
    let mut found = members.filter(|(name, _)| name.eq_ignore_ascii_case(MEMBER));
    found.any(|(_, value)| match value.as_array() {
        Some(all) => all.iter().any(|one| !one["analysis"]["state"].is_null()),
        None => true,
    })
}

/// Reads a document that is already parsed as JSON.
pub(super) fn document(value: Value) -> Result<Document, InvalidVex> {
    let read = analysed(value)?;
    let made = read.timestamp.as_deref().map(time).transpose()?;
    let components = Components::of(&read);
    let mut statements = Vec::new();
    for vulnerability in &read.vulnerabilities {
        if let Some((analysis, state)) = stated(vulnerability) {
            let products = products(vulnerability, state, &components);
            statements.push(statement(vulnerability, (analysis, state), made, products)?);
        }
    }
    let newest = statements.iter().map(|one| one.at).max();
    let at = made.or(newest).ok_or(InvalidVex::Silent)?;
    match statements.is_empty() {
        true => Err(InvalidVex::Silent),
        false => Ok(Document { at, statements }),
    }
}

/// The analysis of a vulnerability, if it says which state it has found.
fn stated(vulnerability: &Vulnerability) -> Option<(&Analysis, &str)> {
    let analysis = vulnerability.analysis.as_ref()?;
    Some((analysis, analysis.state.as_deref()?))
}

fn statement(
    vulnerability: &Vulnerability,
    (analysis, state): (&Analysis, &str),
    made: Option<DateTime<Utc>>,
    products: Vec<Product>,
) -> Result<Statement, InvalidVex> {
    let others = vulnerability.references.iter().map(|one| &one.id);
    let names: BTreeSet<String> = vulnerability.id.iter().chain(others).cloned().collect();
    let name = || names.first().cloned().unwrap_or_default();
    let own = analysis
        .last_updated
        .as_ref()
        .or(analysis.first_issued.as_ref());
    let own = own.map(|text| time(text)).transpose()?;
    let (status, reason) = match state {
        "not_affected" => (Status::NotAffected, analysis.justification.clone()),
        "false_positive" => (Status::NotAffected, false_positive(analysis)),
        "resolved" | "resolved_with_pedigree" => (Status::Fixed, None),
        "in_triage" => (Status::UnderInvestigation, None),
        _ => (Status::Affected, None),
    };
    if status == Status::NotAffected && reason.is_none() {
        let (name, state) = (name(), state.to_owned());
        return Err(InvalidVex::Unexplained { name, state });
    }
    Ok(Statement {
        at: own.or(made).ok_or_else(|| InvalidVex::Undated(name()))?,
        names,
        products,
        status,
        reason,
    })
}

/// Why an advisory was not about the component in the first place: one of the justifications, or in words.
fn false_positive(analysis: &Analysis) -> Option<String> {
    let words = analysis.justification.as_ref().or(analysis.detail.as_ref());
    let words = words.filter(|text| !text.trim().is_empty())?;
    Some(format!("a false positive, {words}"))
}

fn time(text: &str) -> Result<DateTime<Utc>, InvalidVex> {
    let parsed = DateTime::parse_from_rfc3339(text);
    let parsed = parsed.map_err(|_| InvalidVex::Time(text.chars().take(100).collect()))?;
    Ok(parsed.with_timezone(&Utc))
}

/// The components of a document, by their `bom-ref`.
struct Components<'a>(BTreeMap<&'a str, &'a Component>);

impl<'a> Components<'a> {
    fn of(read: &'a Analysed) -> Self {
        let all = read
            .document
            .subject
            .iter()
            .chain(&read.document.components);
        let named = all.filter_map(|one| Some((one.reference.as_deref()?, one)));
        Self(named.collect())
    }

    /// What a reference names: a component, or else a package by its URL, or a component of another document by its BOM-Link.
    fn product(&self, reference: &str, versions: Versions) -> Product {
        match self.0.get(reference) {
            Some(component) => {
                let version = component.version.as_deref();
                let purls = component.purls.iter();
                Product {
                    names: purls.map(|purl| versioned(purl, version)).collect(),
                    digest: digest(component),
                    parts: Vec::new(),
                    versions,
                }
            }
            None => Product {
                names: vec![percent_decoded(reference)],
                digest: None,
                parts: Vec::new(),
                versions,
            },
        }
    }
}

/// A BOM-Link has the `bom-ref` of its component percent-encoded; package URLs are decoded when they are compared.
fn percent_decoded(reference: &str) -> String {
    match reference.starts_with("urn:cdx:") {
        true => percent_decode_str(reference)
            .decode_utf8_lossy()
            .into_owned(),
        false => reference.to_owned(),
    }
}

/// The SHA-256 of a component that may be an image, in hex: of its manifest, or as syft writes it, as its version.
fn digest(component: &Component) -> Option<String> {
    let is_container = component.kind == Kind::Other("container".to_owned());
    let version = component.version.as_deref().filter(|_| is_container);
    let version = version.and_then(|version| version.strip_prefix("sha256:"));
    let hash = component.digest("SHA-256").filter(|_| is_container);
    version.or(hash).map(str::to_owned)
}

fn products(
    vulnerability: &Vulnerability,
    state: &str,
    components: &Components<'_>,
) -> Vec<Product> {
    let affects = vulnerability.affects.iter();
    let is_answer = !matches!(state, "exploitable" | "in_triage");
    let products = affects.map(|affected| {
        let versions = match is_answer {
            true => answered(affected),
            false => open(affected),
        };
        components.product(&affected.reference, versions)
    });
    products.collect()
}

/// The versions that an answer is about: those that are listed as unaffected, or all if none is listed. Ranges are not evaluated.
fn answered(affected: &Affected) -> Versions {
    let listed = affected.versions.iter();
    let listed = listed.filter(|one| one.status.as_deref() == Some("unaffected"));
    match affected.versions.is_empty() {
        true => Versions::All,
        false => Versions::Only(listed.filter_map(|one| one.version.clone()).collect()),
    }
}

/// The versions for which a vulnerability is open: all but those that are listed as unaffected.
fn open(affected: &Affected) -> Versions {
    match answered(affected) {
        Versions::Only(unaffected) => Versions::Except(unaffected),
        other => other,
    }
}

#[cfg(test)]
mod tests;
