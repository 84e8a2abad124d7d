//! A file, as an index lists it.

use content::Digest;

/// A file of a project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::inputs::wheels) struct Listed {
    /// The name of the file.
    pub(in crate::inputs::wheels) name: String,
    /// Its address, which may be relative.
    pub(in crate::inputs::wheels) url: String,
    /// Its digest, if the index names it.
    pub(in crate::inputs::wheels) sha256: Option<Digest>,
    /// Whether the project asks not to use it any more.
    pub(in crate::inputs::wheels) is_yanked: bool,
}

/// The digest in hex.
///
/// # Errors
/// It is not one.
pub(super) fn digest(hex: &str) -> Result<Digest, String> {
    Digest::from_hex(&hex.to_ascii_lowercase()).map_err(|error| error.to_string())
}
