//! What Google Confidential Space says about a workload and how a workload, a relying party and a
//! launcher read it: attestation tokens and their claims, launch policy, measured events, and the
//! conditions of an identity provider as text. No network, no clock, no signature check.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod claims;
pub mod condition;
mod error;
pub mod event_log;
pub mod jwks;
pub mod launch_policy;
pub mod token;

pub use claims::Claims;
pub use error::Error;
pub use token::Token;
