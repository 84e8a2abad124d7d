//! Published bytes that are not what they should be.

use crate::carrier::Carrier;
use crate::value::Value;

/// Bytes whose digest, size or form is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Damage {
    /// The document, layer, signature or statement.
    pub what: Part,
    /// The digest, size or form that it should have.
    pub expected: Value,
    /// The one that it has.
    pub found: Value,
}

/// A part of what is published for an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// The manifest.
    Manifest,
    /// The config.
    Config,
    /// A layer as it is stored, by its position.
    Layer(usize),
    /// A layer without its compression, by its position.
    Uncompressed(usize),
    /// All layers.
    Layers,
    /// The entries of all layers.
    Entries,
    /// A tag, by its name.
    Tag(String),
    /// The list of referrers.
    Referrers,
    /// A signature or statement.
    Piece(Carrier),
    /// All signatures and statements.
    Pieces,
}
