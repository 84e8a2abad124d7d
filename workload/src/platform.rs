//! What every job that takes messages needs: the data of each collaborator, decrypted with that collaborator's key. Identity, late
//! binding and access to keys are those of the crate `tee`.

pub mod backlog;
mod error;
pub mod inbox;
pub mod ledger;
pub mod open;
pub mod refusal_log;
pub mod session;

pub use error::Error;
