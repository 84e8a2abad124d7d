//! Published bytes that are not what they should be.

/// Bytes whose digest, size or form is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The name of the document or layer.
    pub what: String,
    /// The digest, size or form that it should have.
    pub expected: String,
    /// What was served.
    pub found: String,
}
