//! A bill of materials.

use std::path::Path;

use console::at;

use super::{Facts, Judgement};
use crate::Error;

/// Checks whether a file is a valid bill of materials, in CycloneDX or SPDX. The facts are the `format`, the `version` of the
/// specification, and the number of `components` and of the `files` among them.
///
/// # Errors
/// The file cannot be read, or is larger than [`sbom::SIZE`].
pub fn sbom(path: &Path, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
    let bytes = at::read(path, sbom::SIZE)?;
    let document = match sbom::parse(&bytes) {
        Ok(document) => document,
        Err(error) => return Ok(Judgement::Refused(error.to_string())),
    };
    let (components, files) = (document.components.len(), document.files());
    let name = document.format.name();
    let described = format!(
        "{name} {}, {components} components, {files} of them files",
        document.version
    );
    if let Some(facts) = facts {
        facts.insert("format".to_owned(), name.into());
        facts.insert("version".to_owned(), document.version.into());
        facts.insert("components".to_owned(), components.into());
        facts.insert("files".to_owned(), files.into());
    }
    Ok(Judgement::AcceptedAs(described))
}
