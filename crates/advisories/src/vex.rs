//! What a supplier says of advisories: documents in OpenVEX (openvex.dev, specification 0.2.0).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use content::Digest;
use content::json::{self, JsonError};
use packageurl::PackageUrl;
use serde::Deserialize;
use serde_json::Value;

use crate::{Match, Package};

/// The largest document, in bytes.
pub const LARGEST: u64 = 8 << 20;
/// The predicate types of OpenVEX documents in attestations.
pub const TYPES: [&str; 2] = ["https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0"];
/// The beginning of the context of each version.
const CONTEXT: &str = "https://openvex.dev/ns";
/// Why a product is not affected (specification, status justifications).
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// A document.
#[derive(Clone, Debug)]
pub struct Document(Parsed);

/// Bytes that are no document, or one that says nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVex {
    /// It is not strict JSON, or not of this form.
    #[error("parsing OpenVEX: {0}")]
    Json(#[from] JsonError),
    /// It is of another format.
    #[error("parsing OpenVEX: expected `@context` {CONTEXT}, found `{0}`")]
    Context(String),
    /// A statement says that a product is not affected, and does not say why.
    #[error(
        "parsing OpenVEX: a statement about {0} says not_affected, without a known justification or an impact_statement"
    )]
    Unjustified(String),
}

#[derive(Clone, Debug, Deserialize)]
struct Parsed {
    #[serde(rename = "@context")]
    context: String,
    timestamp: DateTime<Utc>,
    last_updated: Option<DateTime<Utc>>,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
struct Statement {
    vulnerability: Vulnerability,
    timestamp: Option<DateTime<Utc>>,
    last_updated: Option<DateTime<Utc>>,
    #[serde(default)]
    products: Vec<Product>,
    status: Status,
    justification: Option<String>,
    impact_statement: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Vulnerability {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Product {
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
#[derive(Clone, Debug, Deserialize)]
struct Part {
    #[serde(rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
enum Status {
    NotAffected,
    Fixed,
    UnderInvestigation,
    Affected,
}

/// What a document says of an advisory about a package: that it need not be acted on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The image is not affected, for this reason.
    NotAffected(String),
    /// The image has a fix.
    Fixed,
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAffected(reason) => write!(out, "not affected, {reason}"),
            Self::Fixed => out.write_str("fixed"),
        }
    }
}

/// What statements say last. The order decides between those of one time: the one that answers least is the last.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Said {
    at: DateTime<Utc>,
    status: Status,
    answer: Option<Answer>,
}

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// It is larger than [`LARGEST`], not strict JSON, not of this form, or a statement lacks its justification.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidVex> {
        let parsed: Parsed = json::parse(bytes, LARGEST)?;
        let is_version =
            parsed.context == CONTEXT || parsed.context.starts_with(&format!("{CONTEXT}/"));
        if !is_version {
            return Err(InvalidVex::Context(
                parsed.context.chars().take(200).collect(),
            ));
        }
        let mut statements = parsed.statements.iter();
        let unjustified = statements.find(|statement| {
            statement.status == Status::NotAffected && statement.reason().is_none()
        });
        match unjustified {
            Some(statement) => Err(InvalidVex::Unjustified(
                statement.vulnerability.name.clone(),
            )),
            None => Ok(Self(parsed)),
        }
    }

    /// Parses a document that is a predicate.
    ///
    /// # Errors
    /// As of [`Self::parse`].
    pub fn from_value(value: &Value) -> Result<Self, InvalidVex> {
        Self::parse(value.to_string().as_bytes())
    }

    /// When the document was changed last.
    pub fn at(&self) -> DateTime<Utc> {
        self.0.last_updated.unwrap_or(self.0.timestamp)
    }
}

/// The answer of these documents to an advisory about a package of an image, and the index of the document; `None` if there is
/// none. Of several statements the newest counts, as the specification says, and none that was made after `now`.
pub fn answer<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
    advisory: &Match,
    package: &Package,
    image: Option<&Digest>,
    now: DateTime<Utc>,
) -> Option<(usize, Answer)> {
    let documents = documents.into_iter().enumerate();
    let said = documents.flat_map(|(index, document)| {
        let statements = document.0.statements.iter();
        let about = statements.filter(|statement| statement.is_about(advisory, package, image));
        about.map(move |statement| (index, statement.said(&document.0)))
    });
    // An answer that is dated in the future does not count yet. A statement that takes an answer back counts at once.
    let said = said.filter(|(_, said)| said.at <= now || said.answer.is_none());
    let (index, last) = said.max_by_key(|(_, said)| (said.at, said.status))?;
    Some((index, last.answer?))
}

impl Statement {
    /// The justification or, in words, the impact.
    fn reason(&self) -> Option<&str> {
        let known = |text: &&str| JUSTIFICATIONS.contains(text);
        let justified = self.justification.as_deref().filter(known);
        let words = self
            .impact_statement
            .as_deref()
            .filter(|text| !text.trim().is_empty());
        justified.or(words)
    }

    fn said(&self, document: &Parsed) -> Said {
        let own = self.last_updated.or(self.timestamp);
        let answer = match self.status {
            Status::NotAffected => self
                .reason()
                .map(|reason| Answer::NotAffected(reason.to_owned())),
            Status::Fixed => Some(Answer::Fixed),
            Status::Affected | Status::UnderInvestigation => None,
        };
        Said {
            // OpenVEX: a statement without a time has that of the document, not that of its last change.
            at: own.unwrap_or(document.timestamp),
            status: self.status,
            answer,
        }
    }

    fn is_about(&self, advisory: &Match, package: &Package, image: Option<&Digest>) -> bool {
        let mut names = self
            .vulnerability
            .aliases
            .iter()
            .chain([&self.vulnerability.name]);
        let is_named = names.any(|name| *name == advisory.id || advisory.aliases.contains(name));
        is_named
            && self
                .products
                .iter()
                .any(|product| product.has(package, image))
    }
}

impl Product {
    /// Whether it is the package, or the image with the package as a part of it. An image without parts is meant with all.
    fn has(&self, package: &Package, image: Option<&Digest>) -> bool {
        let mut own = names(self.id.as_deref(), &self.identifiers);
        if self.subcomponents.is_empty() && own.any(|name| is_package(name, package)) {
            return true;
        }
        let is_image = image.is_some_and(|image| self.is_image(image));
        let mut parts = self.subcomponents.iter();
        let has_part = |part: &Part| {
            let mut own = names(part.id.as_deref(), &part.identifiers);
            own.any(|name| is_package(name, package))
        };
        is_image && (self.subcomponents.is_empty() || parts.any(has_part))
    }

    /// Whether it is the image: by its digest among the hashes, in a package URL of the type `oci`, or at the end of a reference.
    fn is_image(&self, image: &Digest) -> bool {
        let hash = self.hashes.get("sha-256");
        let is_hash = hash.is_some_and(|hash| hash.eq_ignore_ascii_case(&image.hex()));
        let mut own = names(self.id.as_deref(), &self.identifiers);
        is_hash || own.any(|name| is_reference(name, image))
    }
}

/// Who a product is, by its names.
fn names<'a>(
    id: Option<&'a str>,
    identifiers: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a str> {
    let purl = identifiers.get("purl").map(String::as_str);
    id.into_iter().chain(purl)
}

fn is_reference(name: &str, image: &Digest) -> bool {
    let digest = image.to_string();
    match PackageUrl::from_str(name) {
        Ok(url) => url.ty() == "oci" && url.version() == Some(digest.as_str()),
        Err(_) => name
            .strip_suffix(&digest)
            .is_some_and(|rest| rest.ends_with('@')),
    }
}

/// Whether a package URL is that of the package, as far as it says: without a version it is all of them.
fn is_package(name: &str, package: &Package) -> bool {
    let Ok(url) = PackageUrl::from_str(name) else {
        return false;
    };
    let own = &package.url;
    let is_same =
        (url.ty(), url.namespace(), url.name()) == (own.ty(), own.namespace(), own.name());
    let has_version = url
        .version()
        .is_none_or(|version| own.version() == Some(version));
    let mut qualifiers = url.qualifiers().iter();
    let has_all = qualifiers.all(|(name, value)| own.qualifiers().get(name) == Some(value));
    is_same && has_version && has_all
}

#[cfg(test)]
mod tests;
