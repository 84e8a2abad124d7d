//! JSON schemas.

mod formats;

use std::sync::LazyLock;

use formats::{is_email, is_reference};
use jsonschema::{Draft, Registry, Validator};
use serde_json::Value;

use crate::{Error, Format};

/// A schema that is compiled when it is first used.
pub(crate) type Schema = LazyLock<Option<Validator>>;

/// The schemas that the others refer to: the identifiers of licences, signatures inside documents, and algorithms.
const REFERENCES: [(&str, &str); 3] = [
    (
        "http://cyclonedx.org/schema/spdx.schema.json",
        include_str!("../schema/spdx.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/jsf-0.82.schema.json",
        include_str!("../schema/jsf-0.82.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/cryptography-defs.schema.json",
        include_str!("../schema/cryptography-defs.schema.json"),
    ),
];

/// Checks a document against a schema.
///
/// # Errors
/// The document violates the schema; the error has the first violation.
pub(crate) fn check(
    schema: &Schema,
    document: &Value,
    format: Format,
    version: &str,
) -> Result<(), Error> {
    let schema = schema.as_ref().ok_or_else(|| {
        let expected = "a version whose schema can be compiled";
        Error::value(format, expected, version)
    })?;
    schema.validate(document).map_err(|violation| {
        // Without the value in the document, which may be large.
        let place = violation.instance_path();
        let found = format!("{} at {:?}", violation.masked(), place.as_str());
        Error::schema(format, version, &found)
    })
}

/// Compiles a schema; `None` if it is not one, which a test rules out.
pub(crate) fn compile(schema: &str) -> Option<Validator> {
    compile_value(&serde_json::from_str(schema).ok()?)
}

/// Compiles a schema that is already parsed as JSON.
pub(crate) fn compile_value(schema: &Value) -> Option<Validator> {
    let mut registry = Registry::new();
    for (uri, text) in REFERENCES {
        let reference: Value = serde_json::from_str(text).ok()?;
        registry = registry.add(uri, reference).ok()?;
    }
    let registry = registry.prepare().ok()?;
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .with_registry(&registry)
        .should_validate_formats(true)
        .with_format("idn-email", is_email)
        .with_format("iri-reference", is_reference)
        .build(schema)
        .ok()
}
