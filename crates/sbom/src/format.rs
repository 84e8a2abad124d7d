//! The forms of a document.

use std::fmt;

/// The form of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// CycloneDX as JSON.
    CycloneDxJson,
    /// CycloneDX as XML.
    CycloneDxXml,
    /// SPDX as JSON.
    SpdxJson,
    /// SPDX as lines of tags and values.
    SpdxTagValue,
}

impl Format {
    /// The name in reports as JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::CycloneDxJson => "cyclonedx-json",
            Self::CycloneDxXml => "cyclonedx-xml",
            Self::SpdxJson => "spdx-json",
            Self::SpdxTagValue => "spdx-tag-value",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::CycloneDxJson => "CycloneDX as JSON",
            Self::CycloneDxXml => "CycloneDX as XML",
            Self::SpdxJson => "SPDX as JSON",
            Self::SpdxTagValue => "SPDX as tag-value",
        })
    }
}
