//! In-toto statements about an image: provenance, software bill of materials and verdict. This crate has
//! only the formats; the envelope that contains a statement says who signed it.
#![forbid(unsafe_code)]

mod error;
mod image_list;
mod image_name;
pub mod kind;
mod list;
pub mod predicate;
pub mod provenance;
pub mod sbom;
mod statement;
pub mod text;
mod vsa;

pub use self::sbom::Sbom;
pub use error::Error;
pub use image_list::{ImageList, ListedImage};
pub use image_name::{ImageName, InvalidImageName};
pub use kind::PredicateType;
pub use predicate::Predicate;
pub use provenance::Provenance;
pub use statement::{Statement, Subject};
pub use vsa::{PolicyDescriptor, Verifier, Vsa};
