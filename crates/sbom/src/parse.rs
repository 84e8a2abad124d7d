//! Which parser reads a document.

use content::json;
use serde_json::Value;

use crate::{Document, Error, Format, SIZE, cyclonedx, spdx};

/// The bytes in which the format of a document that is not JSON is looked for.
const START: usize = 4096;
/// How the context of a document of SPDX 3 begins.
const SPDX_3: &str = "https://spdx.org/rdf/3.";

/// Parses a document of any format. The first character decides between JSON, XML and tag-value, and the members
/// `bomFormat` and `spdxVersion` between the documents in JSON. A byte order mark before a document is passed over.
///
/// # Errors
/// The format of the document is unknown, or the document is larger than [`SIZE`], or invalid.
pub fn parse(bytes: &[u8]) -> Result<Document, Error> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match text.trim_ascii_start().first() {
        Some(b'{') => parse_json(text),
        Some(b'<') => cyclonedx::parse_xml(text),
        Some(_) if is_tag_value(text) => spdx::parse_tag_value(text),
        _ => Err(Error::Format),
    }
}

fn parse_json(bytes: &[u8]) -> Result<Document, Error> {
    let value: Value = json::parse(bytes, SIZE).map_err(|source| Error::Json {
        // The document is probably in the format whose member it begins with.
        format: match contains(&bytes[..bytes.len().min(START)], b"\"spdxVersion\"") {
            true => Format::SpdxJson,
            false => Format::CycloneDxJson,
        },
        source,
    })?;
    match (value.get("bomFormat"), value.get("spdxVersion")) {
        (Some(_), None) => cyclonedx::from_value(value),
        (None, Some(_)) => spdx::from_value(value),
        _ => Err(unknown(&value)),
    }
}

/// What is wrong with a document in JSON of neither format. One of SPDX 3 has a context in place of a version.
fn unknown(value: &Value) -> Error {
    let context = value["@context"].as_str().unwrap_or_default();
    match context.starts_with(SPDX_3) {
        true => spdx::other_version(Format::SpdxJson, context),
        false => Error::Format,
    }
}

/// Whether a line of the document begins with the tag that each document has.
fn is_tag_value(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    lines.any(|line| line.trim_ascii_start().starts_with(b"SPDXVersion:"))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
