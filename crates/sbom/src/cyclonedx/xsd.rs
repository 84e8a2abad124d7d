//! The published schemas for XML.

use std::sync::LazyLock;

use uppsala::Document;
use uppsala::xsd::XsdValidator;

use crate::{Error, Format};

/// A schema that is compiled when it is first used.
type Schema = LazyLock<Option<XsdValidator>>;

const FORMAT: Format = Format::CycloneDxXml;
/// The versions that are read.
const VERSIONS: &str = "version 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6 or 1.7";
/// The most violations whose lines are counted.
const LOCATED: usize = 20;

/// The identifiers of licences, which are in a namespace of their own.
const LICENSES: &str = include_str!("../../schema/spdx.xsd");

static V1_0: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.0.xsd")));
static V1_1: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.1.xsd")));
static V1_2: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.2.xsd")));
static V1_3: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.3.xsd")));
static V1_4: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.4.xsd")));
static V1_5: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.5.xsd")));
static V1_6: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.6.xsd")));
static V1_7: Schema = Schema::new(|| compile(include_str!("../../schema/bom-1.7.xsd")));

/// Checks a document without its text against the schema of this version. The validator reads all text before a violation to
/// count its lines, which takes hours if a large document has many. Only if they are few, `located` is called for the document
/// with its text, so that the error has the line.
///
/// # Errors
/// The version is not supported, or the document violates its schema; the error has the first violation.
pub(super) fn check<'a>(
    document: &Document<'static>,
    version: &str,
    located: impl FnOnce() -> Option<Document<'a>>,
) -> Result<(), Error> {
    let schema = schema_of(version)?;
    let violations = schema.validate(document);
    let Some(first) = violations.first() else {
        return Ok(());
    };
    let located = match violations.len() <= LOCATED {
        true => located(),
        false => None,
    };
    let located = located.and_then(|document| schema.validate(&document).into_iter().next());
    let found = located.map_or_else(|| first.message.clone(), |violation| violation.to_string());
    Err(Error::schema(FORMAT, version, &found))
}

fn schema_of(version: &str) -> Result<&'static XsdValidator, Error> {
    let schema = match version {
        "1.0" => &V1_0,
        "1.1" => &V1_1,
        "1.2" => &V1_2,
        "1.3" => &V1_3,
        "1.4" => &V1_4,
        "1.5" => &V1_5,
        "1.6" => &V1_6,
        "1.7" => &V1_7,
        _ => return Err(Error::value(FORMAT, VERSIONS, version)),
    };
    schema.as_ref().ok_or_else(|| {
        let expected = "a version whose schema can be compiled";
        Error::value(FORMAT, expected, version)
    })
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
