//! The grant of a collaborator, and whether what is live in Google Cloud is what the grant describes.
//!
//! [`Grant`] is parsed from the file that its owner writes. [`live`] has what Google answers about the policy of a key,
//! about a pool and about its providers; [`inspect`] compares both: the one judgement of who may use a key, which the verifier's audit and
//! the client both print. This crate uses no network, no file and no clock.
#![forbid(unsafe_code)]

mod document;
pub mod inspect;
pub mod live;
mod provider;
pub mod role;
mod unread;
mod verdicts;
pub mod window;

/// The hint for a grant that is invalid, or that lacks what is needed.
pub const EXAMPLE: &str = "policies/grant.toml is an example with every entry explained";

pub use document::{Grant, InvalidGrant, Protection};
pub use provider::{GrantedProvider, InvalidProvider};
pub use verdicts::{Standing, Verdicts};
