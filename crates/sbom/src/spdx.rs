//! SPDX, versions 2.2 and 2.3 (ISO/IEC 5962:2021).

mod document;
pub(super) mod json;
mod rules;
mod tag_value;
mod tags;
mod version;

pub use json::from_value;
pub use tag_value::parse_tag_value;
pub(crate) use version::other_version;
