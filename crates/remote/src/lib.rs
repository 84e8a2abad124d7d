//! Images in registries: pull, push and referrers (OCI distribution specification 1.1). The only
//! code that speaks to a registry.
//!
//! What comes in, tokens too, is read here under limits, and its size and digest are checked. What
//! goes out is oci-client's to send.
#![forbid(unsafe_code)]

mod authorities;
mod credentials;
mod error;
mod hint;
mod http;
mod legacy;
mod referrers;
mod registry;
mod tag;
mod token;
mod upload;

pub use authorities::Authorities;
pub use credentials::CredentialFault;
pub use error::Error;
pub use http::Transport;
pub use registry::Registry;
