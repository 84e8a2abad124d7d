//! What a document says of vulnerabilities (CycloneDX, `vulnerabilities`), if someone has analysed them.

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, FORMAT};
use crate::{Document, Error};

/// A document, and what it says of vulnerabilities.
#[derive(Clone, Debug)]
pub struct Analysed {
    /// The bill of materials, with the components that vulnerabilities may affect.
    pub document: Document,
    /// When it was made, in RFC 3339.
    pub timestamp: Option<String>,
    /// What it says of each vulnerability.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// What a document says of a vulnerability.
#[derive(Clone, Debug, Deserialize)]
pub struct Vulnerability {
    /// The ID.
    pub id: Option<String>,
    /// The IDs that others have given it.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// What an analysis has found.
    pub analysis: Option<Analysis>,
    /// The components that it is about.
    #[serde(default)]
    pub affects: Vec<Affected>,
}

/// Another ID of a vulnerability.
#[derive(Clone, Debug, Deserialize)]
pub struct Reference {
    /// The ID.
    pub id: String,
}

/// What an analysis has found.
#[derive(Clone, Debug, Deserialize)]
pub struct Analysis {
    /// The state, such as `not_affected`.
    pub state: Option<String>,
    /// Why nothing is affected, such as `code_not_reachable`.
    pub justification: Option<String>,
    /// What there is to say besides.
    pub detail: Option<String>,
    /// When it was made first, in RFC 3339.
    #[serde(rename = "firstIssued")]
    pub first_issued: Option<String>,
    /// When it was changed last, in RFC 3339.
    #[serde(rename = "lastUpdated")]
    pub last_updated: Option<String>,
}

/// A component that a vulnerability is about.
#[derive(Clone, Debug, Deserialize)]
pub struct Affected {
    /// The `bom-ref` of the component, or the BOM-Link of one in another document.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Which of its versions are affected, if the document says so.
    #[serde(default)]
    pub versions: Vec<AffectedVersion>,
}

/// Whether versions of a component are affected.
#[derive(Clone, Debug, Deserialize)]
pub struct AffectedVersion {
    /// A version.
    pub version: Option<String>,
    /// The status: `affected`, which is meant if there is none, `unaffected` or `unknown`.
    pub status: Option<String>,
}

#[derive(Deserialize)]
struct Analyses {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    timestamp: Option<String>,
}

/// Reads a document that is already parsed as JSON, with what it says of vulnerabilities.
///
/// # Errors
/// As of [`from_value`](super::from_value).
pub fn analysed(value: Value) -> Result<Analysed, Error> {
    json::check(&value)?;
    let analyses = Analyses::deserialize(&value).map_err(|error| Error::text(FORMAT, error))?;
    Ok(Analysed {
        document: json::checked(value)?,
        timestamp: analyses.metadata.timestamp,
        vulnerabilities: analyses.vulnerabilities,
    })
}
