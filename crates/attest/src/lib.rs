//! What is said about an image, as in-toto statements: provenance, software bill of materials,
//! verdict. Formats only: who said it is for the envelope around a statement.
#![forbid(unsafe_code)]

mod error;
pub mod predicate;
pub mod provenance;
pub mod sbom;
mod statement;
mod vsa;

pub use error::Error;
pub use provenance::Provenance;
pub use sbom::Sbom;
pub use statement::{Statement, Subject};
pub use vsa::{PolicyDescriptor, Verifier, Vsa};
