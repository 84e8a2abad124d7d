use content::json::JsonError;

use crate::Format;

/// Characters of a document that an error repeats.
const SHOWN: usize = 300;

/// Why a bill of materials is invalid.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The format of the document is unknown.
    #[error(
        "finding the format of the bill of materials: expected CycloneDX as JSON or XML, or SPDX as JSON or tag-value"
    )]
    Format,
    /// The document is not strict JSON.
    #[error("parsing {format}: {source}")]
    Json {
        /// The format.
        format: Format,
        /// The parser's error.
        source: JsonError,
    },
    /// The document is not well-formed, or is too large.
    #[error("parsing {format}: {reason}")]
    Text {
        /// The format.
        format: Format,
        /// What the parser says.
        reason: String,
    },
    /// The document violates the published schema of its version.
    #[error("checking {format}: expected a document of version {version}, found {violation}")]
    Schema {
        /// The format.
        format: Format,
        /// The version that the document names.
        version: String,
        /// The first violation and its place.
        violation: String,
    },
    /// The document violates a rule of the specification that its schema does not have.
    #[error("checking {format}: expected {expected}, found {found}")]
    Value {
        /// The format.
        format: Format,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The list of crates in a program is invalid.
    #[error("reading the crates of a program: {0}")]
    Linked(String),
    /// What a program of Go says of itself cannot be read.
    #[error("reading the Go modules of a program: {0}")]
    BuildInfo(String),
}

impl Error {
    pub(crate) fn text(format: Format, reason: impl ToString) -> Self {
        let reason = content::printable(&reason.to_string(), SHOWN);
        Self::Text { format, reason }
    }

    pub(crate) fn schema(format: Format, version: &str, violation: &str) -> Self {
        Self::Schema {
            format,
            version: version.to_owned(),
            violation: content::printable(violation, SHOWN),
        }
    }

    pub(crate) fn value(format: Format, expected: impl Into<String>, found: &str) -> Self {
        Self::Value {
            format,
            expected: expected.into(),
            found: content::printable(found, SHOWN),
        }
    }
}
