//! The client: it sends a collaborator's data to a workload, encrypted under the collaborator's own key.
//!
//! ```text
//! grant, digest -> inspect (is the key open to this image alone?) -> seal (Cloud KMS) -> send (Pub/Sub)
//! ```
//!
//! `publish` has all steps in order. What `docs/messages.md` describes is in `message`.

pub mod error;
pub mod inspect;
pub mod message;
pub mod plaintext;
pub mod publish;
pub mod report;
pub mod seal;
pub mod send;
