//! The documents of an image, or a layout with all that it names.

use std::path::Path;

use console::at;
use content::{json, limits};
use oci::{AnyDigest, Config, Descriptor, Index, Manifest, layout};
use serde_json::Value;

use super::Judgement;
use super::layout::Layout;
use crate::Error;

/// Checks a manifest, an index, a configuration, a descriptor or the file `oci-layout` by the OCI image specification.
/// Of a directory, which must be a layout, everything that its index names must be there and match.
///
/// # Errors
/// A file cannot be read, or is absent from the layout; a digest or media type is not supported.
pub fn image(path: &Path) -> Result<Judgement, Error> {
    if path.is_dir() {
        return Layout::new(path).judge();
    }
    let bytes = at::read(path, limits::MANIFEST)?;
    Ok(match document(&bytes) {
        Ok(()) => Judgement::Accepted,
        Err(reason) => Judgement::Refused(reason),
    })
}

/// Parses a document. The members by which a kind is recognised are those that the specification requires of it.
fn document(bytes: &[u8]) -> Result<(), String> {
    let value: Value = json::parse(bytes, limits::MANIFEST).map_err(|error| error.to_string())?;
    let has = |name| value.get(name).is_some();
    let parsed = if has("manifests") {
        Index::<AnyDigest>::parse_any(bytes).map(drop)
    } else if has("layers") || has("schemaVersion") {
        Manifest::<AnyDigest>::parse_any(bytes).map(drop)
    } else if has("imageLayoutVersion") {
        layout::check_header(bytes)
    } else if has("digest") {
        Descriptor::<AnyDigest>::parse_any(bytes).map(drop)
    } else {
        Config::<AnyDigest>::parse_any(bytes).map(drop)
    };
    parsed.map_err(|error| error.to_string())
}
