//! The published schemas of CycloneDX.

use std::sync::LazyLock;

use jsonschema::{Draft, Registry, Validator};
use serde_json::Value;

use crate::Error;

/// Maximum length of the text of a violation in an error, in characters.
const SHOWN: usize = 300;

type Schema = LazyLock<Option<Validator>>;

static V1_3: Schema =
    LazyLock::new(|| compile(include_str!("../../schema/bom-1.3-strict.schema.json")));
static V1_4: Schema = LazyLock::new(|| compile(include_str!("../../schema/bom-1.4.schema.json")));
static V1_5: Schema = LazyLock::new(|| compile(include_str!("../../schema/bom-1.5.schema.json")));

/// The schemas that the others refer to: the identifiers of licences, and signatures inside documents.
const REFERENCES: [(&str, &str); 2] = [
    (
        "http://cyclonedx.org/schema/spdx.schema.json",
        include_str!("../../schema/spdx.schema.json"),
    ),
    (
        "http://cyclonedx.org/schema/jsf-0.82.schema.json",
        include_str!("../../schema/jsf-0.82.schema.json"),
    ),
];

/// Checks a document against the schema of the version that it names.
///
/// # Errors
/// The version is not supported, or the document violates its schema; the error has the first violation.
pub(super) fn check(document: &Value) -> Result<(), Error> {
    let version = document["specVersion"].as_str().unwrap_or("no specVersion");
    let schema = match version {
        "1.3" => &V1_3,
        "1.4" => &V1_4,
        "1.5" => &V1_5,
        _ => return Err(unexpected("version 1.3, 1.4 or 1.5", version)),
    };
    let schema = schema.as_ref().ok_or_else(|| {
        let expected = "a version whose schema can be compiled";
        unexpected(expected, version)
    })?;
    schema.validate(document).map_err(|violation| {
        // Without the value in the document, which may be large.
        let place = violation.instance_path();
        let found = format!("{} at {:?}", violation.masked(), place.as_str());
        unexpected(&format!("a document of version {version}"), &found)
    })
}

fn compile(schema: &str) -> Option<Validator> {
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
        .build(&serde_json::from_str(schema).ok()?)
        .ok()
}

fn unexpected(expected: &str, found: &str) -> Error {
    Error::Value {
        what: "CycloneDX",
        expected: expected.to_owned(),
        found: found.chars().take(SHOWN).collect(),
    }
}
