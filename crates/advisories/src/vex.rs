//! What a supplier says of advisories: documents in OpenVEX, and in CycloneDX with `vulnerabilities` that were analysed.

mod cyclonedx;
mod openvex;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use content::Digest;
use content::json::{self, JsonError};
use packageurl::PackageUrl;
use serde::Deserialize;
use serde_json::Value;

use crate::osv::Match;
use crate::package::Package;

/// The largest document, in bytes.
pub const LARGEST: u64 = 8 << 20;
/// The predicate types of documents in attestations.
pub const TYPES: [&str; 3] = [
    openvex::CONTEXT,
    "https://openvex.dev/ns/v0.2.0",
    cyclonedx::TYPE,
];

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    /// When it was changed last.
    at: DateTime<Utc>,
    statements: Vec<Statement>,
}

/// Bytes that are no document, or one that says nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVex {
    /// It is not strict JSON, or not of this form.
    #[error("parsing OpenVEX: {0}")]
    Json(#[from] JsonError),
    /// It is of another format.
    #[error("parsing OpenVEX: expected `@context` {expected}, found `{found}`")]
    Context {
        /// The beginning of the context of each version.
        expected: &'static str,
        /// The context of the document.
        found: String,
    },
    /// A statement says that a product is not affected, and does not say why.
    #[error(
        "parsing OpenVEX: a statement about {0} says not_affected, without a known justification or an impact_statement"
    )]
    Unjustified(String),
    /// It is not a document of CycloneDX, by the published schema.
    #[error(transparent)]
    CycloneDx(#[from] sbom::Error),
    /// It has no vulnerability with an analysis.
    #[error("parsing CycloneDX: expected a vulnerability with the state of an analysis")]
    Silent,
    /// An analysis says that nothing is affected, and does not say why.
    #[error("parsing CycloneDX: the analysis of {name} says {state}, without {}", needed(.state))]
    Unexplained {
        /// The ID of the vulnerability.
        name: String,
        /// What the analysis says.
        state: String,
    },
    /// Neither an analysis nor the document has a time, by which it could be older or newer than others.
    #[error("parsing CycloneDX: the analysis of {0} has no time, and neither has the document")]
    Undated(String),
    /// A time is not one of RFC 3339.
    #[error("parsing CycloneDX: expected a time of RFC 3339, found {0}")]
    Time(String),
}

/// What an analysis must say besides this state.
fn needed(state: &str) -> &'static str {
    match state {
        "not_affected" => "a justification",
        _ => "a justification or a detail",
    }
}

/// What a document says of a vulnerability.
#[derive(Clone, Debug)]
struct Statement {
    /// The IDs of the vulnerability.
    names: BTreeSet<String>,
    at: DateTime<Utc>,
    products: Vec<Product>,
    status: Status,
    /// Why products are not affected.
    reason: Option<String>,
}

/// What a statement is about.
#[derive(Clone, Debug)]
struct Product {
    /// Package URLs, a reference to an image, or BOM-Links.
    names: Vec<String>,
    /// The SHA-256 of an image, in hex.
    digest: Option<String>,
    /// The parts of the image that are meant, each with its names. An image without parts is meant with all.
    parts: Vec<Vec<String>>,
    /// The versions of the package that are meant, beside what its URL says.
    versions: Versions,
}

#[derive(Clone, Debug)]
enum Versions {
    All,
    Only(Vec<String>),
    Except(Vec<String>),
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

/// The format of a predicate that answers advisories, by cosign's name. A bill of materials may have no answers; one that cannot
/// be read, which is `None`, may have some.
pub fn format_of(predicate_type: &str, predicate: Option<&Value>) -> Option<&'static str> {
    match predicate_type {
        cyclonedx::TYPE => predicate
            .is_none_or(cyclonedx::has_answers)
            .then_some("cyclonedx"),
        kind => TYPES.contains(&kind).then_some("openvex"),
    }
}

impl Document {
    /// Parses a document, of CycloneDX if it has the member `bomFormat`, and otherwise of OpenVEX.
    ///
    /// # Errors
    /// It is larger than [`LARGEST`], not strict JSON, not of this form, or a statement lacks its justification.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidVex> {
        let value: Value = json::parse(bytes, LARGEST)?;
        match value.get("bomFormat") {
            Some(_) => cyclonedx::document(value),
            None => openvex::document(&value),
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
        self.at
    }
}

/// The answer of these documents to an advisory about a package of an image, and the index of the document; `None` if there is
/// none. Of several statements the newest counts, as OpenVEX says, and none that was made after `now`.
pub fn answer<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
    advisory: &Match,
    package: &Package,
    image: Option<&Digest>,
    now: DateTime<Utc>,
) -> Option<(usize, Answer)> {
    let documents = documents.into_iter().enumerate();
    let said = documents.flat_map(|(index, document)| {
        let statements = document.statements.iter();
        let about = statements.filter(|statement| statement.is_about(advisory, package, image));
        about.map(move |statement| (index, statement.said()))
    });
    // An answer that is dated in the future does not count yet. A statement that takes an answer back counts at once.
    let said = said.filter(|(_, said)| said.at <= now || said.answer.is_none());
    let (index, last) = said.max_by_key(|(_, said)| (said.at, said.status))?;
    Some((index, last.answer?))
}

impl Statement {
    fn said(&self) -> Said {
        let answer = match self.status {
            Status::NotAffected => self.reason.clone().map(Answer::NotAffected),
            Status::Fixed => Some(Answer::Fixed),
            Status::Affected | Status::UnderInvestigation => None,
        };
        Said {
            at: self.at,
            status: self.status,
            answer,
        }
    }

    fn is_about(&self, advisory: &Match, package: &Package, image: Option<&Digest>) -> bool {
        let mut names = self.names.iter();
        let is_named = names.any(|name| *name == advisory.id || advisory.aliases.contains(name));
        let mut products = self.products.iter();
        is_named && products.any(|product| product.has(package, image))
    }
}

impl Product {
    /// Whether it is the package, or the image with the package as a part of it. An image without parts is meant with all.
    fn has(&self, package: &Package, image: Option<&Digest>) -> bool {
        let mut own = self.names.iter();
        let is_own = self.parts.is_empty() && own.any(|name| is_package(name, package));
        if is_own {
            return self.versions.has(package);
        }
        let is_image = image.is_some_and(|image| self.is_image(image));
        let mut parts = self.parts.iter().flatten();
        let all =
            self.parts.is_empty() && matches!(self.versions, Versions::All | Versions::Except(_));
        is_image && (all || parts.any(|name| is_package(name, package)))
    }

    /// Whether it is the image: by its digest, in a package URL of the type `oci`, or at the end of a reference.
    fn is_image(&self, image: &Digest) -> bool {
        let digest = self.digest.as_ref();
        let is_digest = digest.is_some_and(|hash| hash.eq_ignore_ascii_case(&image.hex()));
        is_digest || self.names.iter().any(|name| is_reference(name, image))
    }
}

impl Versions {
    fn has(&self, package: &Package) -> bool {
        let is_listed = |listed: &Vec<String>| listed.iter().any(|one| package.is_of_version(one));
        match self {
            Self::All => true,
            Self::Only(listed) => is_listed(listed),
            Self::Except(listed) => !is_listed(listed),
        }
    }
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

/// Whether a name is that of the package: its BOM-Link, or its URL, as far as that says: without a version it is all of them.
fn is_package(name: &str, package: &Package) -> bool {
    let Ok(url) = PackageUrl::from_str(name) else {
        return package.links.contains(name);
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
