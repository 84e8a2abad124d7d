//! The published schemas for XML.

use std::sync::LazyLock;

use uppsala::Document;
use uppsala::xsd::XsdValidator;

use crate::{Error, Format};

/// A schema that is compiled when it is first used.
type Schema = LazyLock<Option<XsdValidator>>;

/// The identifiers of licences, which are in a namespace of their own.
const LICENSES: &str = include_str!("../../schema/spdx.xsd");

static V1_2: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.2.xsd")));
static V1_3: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.3.xsd")));
static V1_4: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.4.xsd")));
static V1_5: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.5.xsd")));
static V1_6: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.6.xsd")));
static V1_7: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.7.xsd")));

/// Checks a document against the schema of this version.
///
/// # Errors
/// The version is not supported, or the document violates its schema; the error has the first violation.
pub(super) fn check(document: &Document<'_>, version: &str) -> Result<(), Error> {
    let format = Format::CycloneDxXml;
    let schema = match version {
        "1.2" => &V1_2,
        "1.3" => &V1_3,
        "1.4" => &V1_4,
        "1.5" => &V1_5,
        "1.6" => &V1_6,
        "1.7" => &V1_7,
        _ => return Err(Error::value(format, super::VERSIONS, version)),
    };
    let schema = schema.as_ref().ok_or_else(|| {
        let expected = "a version whose schema can be compiled";
        Error::value(format, expected, version)
    })?;
    match schema.validate(document).first() {
        Some(violation) => Err(Error::schema(format, version, &violation.to_string())),
        None => Ok(()),
    }
}

fn compile(schema: &str) -> Option<XsdValidator> {
    let schema = with_licenses(schema)?;
    let document = uppsala::parse(&schema).ok()?;
    XsdValidator::from_schema(&document).ok()
}

/// The schema with the type of licences in its own namespace, in place of the import: an import would be read from a file.
fn with_licenses(schema: &str) -> Option<String> {
    let (before, import) = schema.split_once("<xs:import")?;
    let (_, after) = import.split_once("/>")?;
    let (after, end) = after.rsplit_once("</xs:schema>")?;
    let [start, stop] = ["<xs:simpleType", "</xs:simpleType>"];
    let licenses = LICENSES.get(LICENSES.find(start)?..LICENSES.rfind(stop)? + stop.len())?;
    let after = after.replace("spdx:licenseId", "bom:licenseId");
    Some(format!("{before}{after}{licenses}</xs:schema>{end}"))
}
