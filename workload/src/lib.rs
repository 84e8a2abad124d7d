//! The workload that runs in the TEE: it learns from its attestation token which image it is, asks
//! that every party has signed that image, obtains each collaborator's data with that
//! collaborator's own key, and counts words. Whom it serves is baked into the image.

pub mod backlog;
pub mod count;
pub mod deadline;
pub mod decrypt;
mod error;
pub mod exchange;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod late_binding;
pub mod objections;
pub mod run;
mod secret;
pub mod terms;

pub use error::{Error, Refusal};
pub use secret::Secret;
