/// Why a statement is refused or cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document cannot be parsed or written.
    #[error("parsing {what}: {source}")]
    Document {
        /// The kind of document.
        what: &'static str,
        /// The parser's error.
        source: content::json::JsonError,
    },
    /// A member has an unexpected value.
    #[error("checking {what}: expected {expected}, found {found}")]
    Value {
        /// The name of the member.
        what: &'static str,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The bill of materials is invalid.
    #[error(transparent)]
    Sbom(#[from] sbom::Error),
    /// The CycloneDX library cannot write the bill of materials.
    #[error("writing CycloneDX: {0}")]
    WriteSbom(#[from] cyclonedx_bom::errors::JsonWriteError),
}
