//! What Google Confidential Space says about a workload and how a workload, a relying party and a
//! launcher read it: attestation tokens and their claims, launch policy, measured events, and the
//! conditions of an identity provider as text. No network, no clock, no signature check.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
pub mod event_log;
pub mod launch_policy;

pub use error::Error;
