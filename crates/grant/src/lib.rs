//! The grant of a collaborator, and whether what is live in Google Cloud is what the grant describes.
//!
//! [`Grant`] is parsed from the file that its owner writes. [`live`] has what Google answers about the policy of a key,
//! about a pool and about its providers; [`inspect`] compares both. This crate uses no network, no file and no clock.
#![forbid(unsafe_code)]

mod document;
pub mod inspect;
pub mod live;
mod provider;

pub use document::{Grant, InvalidGrant, Protection};
pub use provider::{GrantedProvider, InvalidProvider};
