//! A registry client: pull, push and referrers (OCI distribution specification 1.1). No other crate
//! sends requests to a registry. Beside it, files that a server publishes below a URL ([`Mirror`]).
//!
//! Every answer, tokens included, is read under a size limit, and the size and digest of content are
//! checked. Transient failures are retried a few times within a time limit.
#![forbid(unsafe_code)]

mod access;
mod attach;
mod authorities;
mod credentials;
mod error;
mod folded;
mod helper;
mod hint;
mod http;
mod legacy;
mod list;
mod login;
mod mirror;
mod pages;
mod pieces;
mod realm;
mod referrers;
mod registry;
mod retry;
mod roots;
mod store;
mod tag;
mod token;
mod transport;
mod upload;

pub use attach::Attached;
pub use authorities::Authorities;
pub use error::{Error, chain};
pub use login::CredentialFault;
pub use mirror::Mirror;
pub use referrers::{PassedOver, Referrers};
pub use registry::Registry;
pub use transport::{Transport, is_loopback_host};
