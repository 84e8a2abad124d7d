//! Documents in OpenVEX (openvex.dev, specification 0.2.0).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use content::json;
use serde::Deserialize;
use serde_json::Value;

use super::{Document, InvalidVex, LARGEST, Product, Statement, Status, Versions};

/// The beginning of the context of each version.
pub(super) const CONTEXT: &str = "https://openvex.dev/ns";
/// Why a product is not affected (specification, status justifications).
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "@context")]
    context: String,
    timestamp: DateTime<Utc>,
    last_updated: Option<DateTime<Utc>>,
    statements: Vec<RawStatement>,
}

#[derive(Deserialize)]
struct RawStatement {
    vulnerability: Vulnerability,
    timestamp: Option<DateTime<Utc>>,
    last_updated: Option<DateTime<Utc>>,
    #[serde(default)]
    products: Vec<RawProduct>,
    status: Status,
    justification: Option<String>,
    impact_statement: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct RawProduct {
    #[serde(rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    subcomponents: Vec<Part>,
}

/// A part of a product.
#[derive(Deserialize)]
struct Part {
    #[serde(rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
}

/// Reads a document that is already parsed as JSON.
pub(super) fn document(value: &Value) -> Result<Document, InvalidVex> {
    let raw: Raw = json::parse(value.to_string().as_bytes(), LARGEST)?;
    let is_version = raw.context == CONTEXT || raw.context.starts_with(&format!("{CONTEXT}/"));
    if !is_version {
        let found = raw.context.chars().take(200).collect();
        return Err(InvalidVex::Context {
            expected: CONTEXT,
            found,
        });
    }
    // A statement without a time has that of the document, not that of its last change.
    let made = raw.timestamp;
    let statements = raw.statements.into_iter().map(|one| one.read(made));
    Ok(Document {
        at: raw.last_updated.unwrap_or(made),
        statements: statements.collect::<Result<_, _>>()?,
    })
}

impl RawStatement {
    fn read(self, made: DateTime<Utc>) -> Result<Statement, InvalidVex> {
        let reason = self.reason();
        let Vulnerability { name, aliases } = self.vulnerability;
        if self.status == Status::NotAffected && reason.is_none() {
            return Err(InvalidVex::Unjustified(name));
        }
        Ok(Statement {
            at: self.last_updated.or(self.timestamp).unwrap_or(made),
            names: std::iter::once(name).chain(aliases).collect(),
            products: self.products.into_iter().map(RawProduct::read).collect(),
            status: self.status,
            reason,
        })
    }

    /// The justification or, in words, the impact.
    fn reason(&self) -> Option<String> {
        let known = |text: &&String| JUSTIFICATIONS.contains(&text.as_str());
        let justified = self.justification.as_ref().filter(known);
        let words = self.impact_statement.as_ref();
        let words = words.filter(|text| !text.trim().is_empty());
        justified.or(words).cloned()
    }
}

impl RawProduct {
    fn read(self) -> Product {
        let parts = self.subcomponents.into_iter();
        Product {
            names: names(self.id, self.identifiers),
            digest: self.hashes.get("sha-256").cloned(),
            parts: parts.map(|part| names(part.id, part.identifiers)).collect(),
            versions: Versions::All,
        }
    }
}

fn names(id: Option<String>, mut identifiers: BTreeMap<String, String>) -> Vec<String> {
    id.into_iter().chain(identifiers.remove("purl")).collect()
}
