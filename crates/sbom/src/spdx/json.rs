use content::json;
use serde::Deserialize as _;
use serde_json::Value;

use super::document::Spdx;
use super::rules;
use crate::schema::{self, Schema, compile};
use crate::{Document, Error, Format};

/// That of version 2.3, also for 2.2: a document of 2.2 may lack members that only 2.2 requires.
static SCHEMA: Schema = Schema::new(|| compile(include_str!("../../schema/spdx-2.3.schema.json")));

/// Reads a document that is already parsed as JSON.
///
/// # Errors
/// Of another version, refused by the published schema, with names that differ only in case, with more than
/// [`COMPONENTS`](crate::COMPONENTS) packages and files, or against a rule of the specification that the schema does not
/// have: the forms of identifiers, times, creators and checksums, identifiers that are not unique, references to what the
/// document does not have, and invalid licence expressions.
pub fn from_value(value: Value) -> Result<Document, Error> {
    read(value, Format::SpdxJson)
}

pub(super) fn read(value: Value, format: Format) -> Result<Document, Error> {
    let version = match value["spdxVersion"].as_str() {
        Some("SPDX-2.2") => "2.2",
        Some("SPDX-2.3") => "2.3",
        other => {
            let found = other.unwrap_or("no spdxVersion");
            return Err(Error::value(format, "SPDX-2.2 or SPDX-2.3", found));
        }
    };
    schema::check(&SCHEMA, &value, format, version)?;
    json::distinct_names(&value).map_err(|source| Error::Json { format, source })?;
    let spdx = Spdx::deserialize(value).map_err(|error| Error::text(format, error))?;
    rules::check(&spdx, format)?;
    Ok(spdx.document(format, version))
}
