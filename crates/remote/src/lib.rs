//! Images in registries: pull, push and referrers (OCI distribution specification 1.1). The only
//! code that speaks to a registry.
//!
//! What comes in, tokens too, is read under limits, and its size and digest are checked. What fails
//! for the moment is tried again, a few times and within a limit.
#![forbid(unsafe_code)]

mod access;
mod attach;
mod authorities;
mod credentials;
mod error;
mod helper;
mod hint;
mod http;
mod legacy;
mod list;
mod login;
mod pages;
mod pieces;
mod referrers;
mod registry;
mod retry;
mod tag;
mod token;
mod transport;
mod upload;

pub use attach::Attached;
pub use authorities::Authorities;
pub use error::Error;
pub use login::CredentialFault;
pub use referrers::{PassedOver, Referrers};
pub use registry::Registry;
pub use transport::{Transport, is_loopback_host};
