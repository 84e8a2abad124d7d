//! The file that a rebuild leaves in its layout. Without it a layout is anybody's: one that was
//! copied, or that `builder build` wrote for whoever published the image.

use std::io::ErrorKind;
use std::path::Path;

use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};

use super::error::RebuildError;

/// Beside the builder's `provenance.json` and `sbom.cdx.json`.
const NAME: &str = "rebuild.json";

/// What was built, for which published image. Nobody signs it: it keeps the owner of a layout from
/// a mistake, and guards against no one who writes to that folder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The published image that it was compared with.
    pub image: String,
    /// Directory or URL of the source.
    pub source: String,
    /// The commit that was built.
    pub commit: String,
    /// What came out.
    pub image_digest: Digest,
}

impl Record {
    /// Puts the record into `layout`, which has no name yet that anyone would find it by.
    ///
    /// # Errors
    /// The layout cannot be written to.
    pub fn write(&self, layout: &Path) -> Result<(), RebuildError> {
        let path = layout.join(NAME);
        let bytes = json::canonical(self).map_err(std::io::Error::other);
        let written = bytes.and_then(|bytes| std::fs::write(&path, bytes));
        written.map_err(|source| RebuildError::Write { path, source })
    }

    /// The record in `layout`.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(layout: &Path) -> Result<Self, RebuildError> {
        let path = layout.join(NAME);
        match read_file(&path) {
            Ok(bytes) => json::parse(&bytes, limits::DOCUMENT).map_err(|error| {
                let source = std::io::Error::new(ErrorKind::InvalidData, error);
                RebuildError::Read { path, source }
            }),
            Err(RebuildError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Err(RebuildError::NoRecord { path })
            }
            Err(error) => Err(error),
        }
    }
}

/// A file of a layout.
///
/// # Errors
/// It cannot be read, or is not a regular file or too large.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, RebuildError> {
    let read = content::open_regular(path).and_then(|file| {
        content::read_limited(file, limits::STATEMENT).map_err(std::io::Error::other)
    });
    read.map_err(|source| RebuildError::Read {
        path: path.to_owned(),
        source,
    })
}
