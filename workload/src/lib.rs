//! The workload that runs in the TEE: it learns from its attestation token which image it is, asks
//! that every party has signed that image, obtains each collaborator's data with that
//! collaborator's own key, and counts words. Whom it serves is baked into the image.

pub mod job;
pub mod platform;
pub mod run;
pub mod terms;

pub use platform::{Error, Refusal, Secret};
