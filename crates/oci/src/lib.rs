//! Container images: references, manifests, configurations, layers and layouts on disk (OCI image
//! specification 1.1). This crate uses no network.
#![forbid(unsafe_code)]

pub mod archive;
mod config;
mod descriptor;
mod digest;
mod error;
mod evidence;
mod image;
mod index;
pub mod layer;
pub mod layout;
mod manifest;
pub mod media;
mod reference;

pub use config::{Config, Execution, History, Nothing, RootFs};
pub use descriptor::{Descriptor, Platform};
pub use digest::{AnyDigest, AnyHasher, InvalidDigest, Verify};
pub use error::{Document, Error};
pub use evidence::{Evidence, InvalidEvidence};
pub use image::Image;
pub use index::Index;
pub use layout::Layout;
pub use manifest::Manifest;
pub use reference::{ImageRef, Reference, Repository, Tag, Target};
