/// JSON that cannot be read strictly or written canonically.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The document is larger than it may be.
    #[error("parsing json: {size} bytes are over the limit of {limit}")]
    Limit {
        /// Bytes found.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not JSON, a name twice, too deep, bytes after the end, or not the expected type.
    #[error("parsing json: {0}")]
    Parse(#[source] serde_json::Error),
    /// A value that serde cannot turn into JSON.
    #[error("writing json: {0}")]
    Write(#[source] serde_json::Error),
    /// A number that is no integer, whose text is not the same everywhere.
    #[error("writing json: {0} is not an integer")]
    Float(f64),
}
