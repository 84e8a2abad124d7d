//! The file that a rebuild writes into its layout. A layout without it may be a copy of the published image, or
//! one of `builder build`.

use std::io::ErrorKind;
use std::path::Path;

use console::at::At;
use console::hint::Hinted;
use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};

use super::error::{NOT_OURS, RebuildError};

/// The name of the file, which is in the same folder as the builder's `provenance.json`.
const NAME: &str = "rebuild.json";

/// What was built, and for which published image. It is not signed: it protects against mistakes, and not against an
/// attacker who can write to the folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The published image that it was compared with.
    pub image: String,
    /// The directory or URL of the source.
    pub source: String,
    /// The commit that was built.
    pub commit: String,
    /// The digest of the image that was built.
    pub image_digest: Digest,
}

impl Record {
    /// Writes the record into `layout`, which is not renamed to its final path yet.
    ///
    /// # Errors
    /// The layout cannot be written to.
    pub fn write(&self, layout: &Path) -> Result<(), RebuildError> {
        let path = layout.join(NAME);
        let bytes = json::canonical(self).map_err(std::io::Error::other);
        let written = bytes.and_then(|bytes| std::fs::write(&path, bytes));
        Ok(written.map_err(At::writing(&path))?)
    }

    /// Reads the record in `layout`.
    ///
    /// # Errors
    /// It does not exist, or cannot be parsed.
    pub fn read(layout: &Path) -> Result<Self, RebuildError> {
        let path = layout.join(NAME);
        let bytes = match read_file(&path) {
            Err(at) if at.source.kind() == ErrorKind::NotFound => {
                let absent = Hinted::new(format_args!("it has no {}", path.display()));
                return Err(RebuildError::Layout(absent.hinting(NOT_OURS)));
            }
            read => read?,
        };
        let parsed = json::parse(&bytes, limits::DOCUMENT);
        let invalid = |error| std::io::Error::new(ErrorKind::InvalidData, error);
        Ok(parsed.map_err(invalid).map_err(At::reading(&path))?)
    }
}

/// Reads a file of a layout.
///
/// # Errors
/// It cannot be read, is not a regular file, or is too large.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, At> {
    let read = content::open_regular(path).and_then(|file| {
        content::read_limited(file, limits::STATEMENT).map_err(std::io::Error::other)
    });
    read.map_err(At::reading(path))
}
