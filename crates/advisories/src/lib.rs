//! Whether advisories are about a package, and what its supplier says of them: advisories in the format of OSV (schema 1),
//! versions as each ecosystem orders them, and VEX documents in OpenVEX and CycloneDX. Uses neither network nor clock.
#![forbid(unsafe_code)]

mod debian;
mod ecosystem;
mod level;
mod osv;
mod package;
mod range;
mod version;
pub mod vex;

pub use ecosystem::Ecosystem;
pub use level::{InvalidLevel, Level};
pub use osv::{Advisory, Found, InvalidAdvisory, LARGEST, Match};
pub use package::{Binary, Package, Uncompared, versioned};
