//! The services that every job needs in a TEE: the digest of its image, the check that all parties signed it, and
//! the data of each collaborator, decrypted with that collaborator's key.

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
pub mod refusal_log;
mod secret;
pub mod session;

pub use error::{Error, Refusal};
pub use secret::Secret;
