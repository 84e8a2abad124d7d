//! One document of each format, all of which say the same.

use sbom::{Document, Error};

pub const CYCLONEDX_JSON: &str = include_str!("cyclonedx.json");
pub const CYCLONEDX_XML: &str = include_str!("cyclonedx.xml");
pub const SPDX_JSON: &str = include_str!("spdx.json");
pub const SPDX_TAG_VALUE: &str = include_str!("spdx.tag");

pub fn parse(text: &str) -> Result<Document, Error> {
    sbom::parse(text.as_bytes())
}
