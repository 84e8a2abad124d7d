//! What every job needs in a TEE: which image this is, that all have signed it, and data from each
//! collaborator, opened with that collaborator's key.

pub mod backlog;
pub mod deadline;
pub mod decrypt;
mod error;
pub mod exchange;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod late_binding;
pub mod ledger;
pub mod objections;
mod secret;
pub mod session;

pub use error::{Error, Refusal};
pub use secret::Secret;
