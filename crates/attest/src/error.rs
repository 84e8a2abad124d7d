/// What is wrong with a statement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document that cannot be read or written.
    #[error("parsing {what}: {source}")]
    Document {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        source: content::json::JsonError,
    },
    /// A member that must have another value.
    #[error("checking {what}: expected {expected}, found {found}")]
    Value {
        /// Which one.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A bill of materials that the CycloneDX library cannot read.
    #[error("parsing CycloneDX: {0}")]
    Sbom(#[from] cyclonedx_bom::errors::JsonReadError),
    /// A bill of materials that the CycloneDX library cannot write.
    #[error("writing CycloneDX: {0}")]
    WriteSbom(#[from] cyclonedx_bom::errors::JsonWriteError),
}
