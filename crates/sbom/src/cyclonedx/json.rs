use content::json::distinct_names;
use jsonschema::Validator;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::bom::Bom;
use crate::schema::{self, Schema, compile, compile_value};
use crate::{Document, Error, Format};

pub(super) const FORMAT: Format = Format::CycloneDxJson;

/// The versions that are read; 1.2 was the first in JSON.
const VERSIONS: &str = "version 1.2, 1.3, 1.4, 1.5, 1.6 or 1.7";

static V1_2: Schema = Schema::new(|| {
    let schema = include_str!("../../schema/bom-1.2-strict.schema.json");
    compile_strict(schema, "1.2")
});
static V1_3: Schema = Schema::new(|| {
    let schema = include_str!("../../schema/bom-1.3-strict.schema.json");
    compile_strict(schema, "1.3")
});
static V1_4: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.4.schema.json")));
static V1_5: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.5.schema.json")));
static V1_6: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.6.schema.json")));
static V1_7: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.7.schema.json")));

/// Reads a document that is already parsed as JSON, as in a statement.
///
/// # Errors
/// Of another version, refused by the published schema, with names that differ only in case, with two different components of one
/// `bom-ref`, or with more than [`COMPONENTS`](crate::COMPONENTS) components.
pub fn from_value(value: Value) -> Result<Document, Error> {
    check(&value)?;
    checked(value)
}

/// Checks a document against the published schema of its version.
pub(super) fn check(value: &Value) -> Result<(), Error> {
    let version = value["specVersion"].as_str().unwrap_or("no specVersion");
    schema::check(schema_of(version)?, value, FORMAT, version)?;
    distinct_names(value).map_err(|source| Error::Json {
        format: FORMAT,
        source,
    })
}

/// Reads a document that the schema has checked.
pub(super) fn checked(value: Value) -> Result<Document, Error> {
    let bom = Bom::deserialize(value).map_err(|error| Error::text(FORMAT, error))?;
    bom.document(FORMAT)
}

/// Compiles the strict schema of a version that also has a lax one. Each was published under several names, such as
/// `bom-1.3a.schema.json`, and a document may have any of these as `$schema`: programs write that of the lax one.
fn compile_strict(schema: &str, version: &str) -> Option<Validator> {
    let mut schema: Value = serde_json::from_str(schema).ok()?;
    let version = version.replace('.', r"\.");
    let names =
        format!(r"^http://cyclonedx\.org/schema/bom-{version}[a-z]?(-strict)?\.schema\.json$");
    let member = schema.pointer_mut("/properties/$schema")?;
    *member = json!({ "type": "string", "pattern": names });
    compile_value(&schema)
}

fn schema_of(version: &str) -> Result<&'static Schema, Error> {
    Ok(match version {
        "1.2" => &V1_2,
        "1.3" => &V1_3,
        "1.4" => &V1_4,
        "1.5" => &V1_5,
        "1.6" => &V1_6,
        "1.7" => &V1_7,
        _ => return Err(Error::value(FORMAT, VERSIONS, version)),
    })
}
