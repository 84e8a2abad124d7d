//! The workload that runs in the TEE. It learns from its attestation token which image it is, checks
//! that the parties have signed that image, decrypts each collaborator's data with that collaborator's
//! own key, and counts words or hands it to a program. The collaborators are fixed in the image.

pub mod job;
pub mod lend;
pub mod platform;
pub mod run;
pub mod terms;

pub use platform::Error;
pub use tee::{Refusal, Secret};
