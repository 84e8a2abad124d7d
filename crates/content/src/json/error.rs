/// Why a document is not strict JSON, or a value cannot be written canonically.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The document is larger than the limit.
    #[error("parsing json: {size} bytes are over the limit of {limit}")]
    Limit {
        /// The document's size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The document is not JSON, has a name twice, too many levels or bytes after its end, or is not of the
    /// expected type.
    #[error("parsing json: {0}")]
    Parse(#[source] serde_json::Error),
    /// serde cannot convert the value to JSON.
    #[error("writing json: {0}")]
    Write(#[source] serde_json::Error),
    /// A number is not an integer. Writers disagree on the text of such numbers.
    #[error("writing json: {0} is not an integer")]
    Float(f64),
}
