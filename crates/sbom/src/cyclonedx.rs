//! CycloneDX, versions 1.2 to 1.7 (ECMA-424) as JSON and 1.0 to 1.7 as XML.

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
