use content::json;
use serde::Deserialize as _;
use serde_json::Value;

use super::document::Spdx;
use super::rules;
use super::version::{check_2_2, other_version};
use crate::schema::{self, Schema, compile};
use crate::{Document, Error, Format};

/// That of version 2.3, also for 2.2: a document of 2.2 may lack members that only 2.2 requires. It has none of those that 2.3 added.
static SCHEMA: Schema = Schema::new(|| compile(include_str!("../../schema/spdx-2.3.schema.json")));

/// Reads a document that is already parsed as JSON.
///
/// # Errors
/// Of another version, refused by the published schema, with names that differ only in case, with more than
/// [`COMPONENTS`](crate::COMPONENTS) packages and files, or against a rule of the specification that the schema does not
/// have: what version 2.2 does not have yet, the forms of identifiers, times, creators and checksums, identifiers that are not unique, references to what the
/// document does not have, and invalid licence expressions.
pub fn from_value(value: Value) -> Result<Document, Error> {
    read(value, Format::SpdxJson)
}

pub(super) fn read(value: Value, format: Format) -> Result<Document, Error> {
    let version = match value["spdxVersion"].as_str() {
        Some("SPDX-2.2") => "2.2",
        Some("SPDX-2.3") => "2.3",
        other => return Err(other_version(format, other.unwrap_or("no spdxVersion"))),
    };
    let value = as_schema_has_it(value);
    schema::check(&SCHEMA, &value, format, version)?;
    json::distinct_names(&value).map_err(|source| Error::Json { format, source })?;
    let spdx = Spdx::deserialize(value).map_err(|error| Error::text(format, error))?;
    rules::check(&spdx, format)?;
    if version == "2.2" {
        check_2_2(&spdx, format)?;
    }
    Ok(spdx.document(format, version))
}

/// The document as version 2.3 of the schema has it. Version 2.3.1 also allows `$schema`, and an operating system is
/// `OPERATING-SYSTEM` in the text of the specification (section 7.24) and in schemas that other programs check with.
fn as_schema_has_it(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut()
        && members.get("$schema").is_some_and(Value::is_string)
    {
        members.remove("$schema");
    }
    let packages = value.get_mut("packages").and_then(Value::as_array_mut);
    for package in packages.into_iter().flatten() {
        if let Some(purpose) = package.get_mut("primaryPackagePurpose")
            && purpose == "OPERATING-SYSTEM"
        {
            *purpose = "OPERATING_SYSTEM".into();
        }
    }
    value
}
