//! The formats of Google Confidential Space, as a workload, a relying party and a launcher read them:
//! attestation tokens and their claims, launch policy, and measured events. This crate uses no network and
//! no clock, and verifies no signature itself.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod claims;
mod error;
pub mod event_log;
pub mod jwks;
pub mod launch_policy;
pub mod token;

pub use claims::Claims;
pub use error::Error;
pub use token::Token;
