//! Reads the files of a source.

use std::io;
use std::path::Path;

use content::limits;

use crate::at::At;
use crate::error::Error;

/// Reads the text at `path` below `base`; an error names it without `base`.
pub(super) fn read(base: &Path, path: &Path) -> Result<String, Error> {
    let bytes = crate::at::read(&base.join(path), limits::DOCUMENT);
    let named = |source| At::reading(path)(source);
    let bytes = bytes.map_err(|error| named(error.source))?;
    Ok(String::from_utf8(bytes).map_err(|error| named(io::Error::other(error)))?)
}
