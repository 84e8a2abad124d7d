//! CycloneDX, versions 1.2 to 1.7 (ECMA-424).

mod analysis;
mod bom;
mod json;
mod xml;
mod xsd;

pub use analysis::{
    Affected, AffectedVersion, Analysed, Analysis, Reference, Vulnerability, analysed,
};
pub use json::from_value;
pub use xml::parse_xml;

/// The versions that are read.
const VERSIONS: &str = "version 1.2, 1.3, 1.4, 1.5, 1.6 or 1.7";
