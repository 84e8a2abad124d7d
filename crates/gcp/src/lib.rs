//! What several programs request of Google Cloud: policies of keys and of what they are in, pools, their providers, and roles. It judges nothing.
//!
//! Policies are read through Google's client of Cloud KMS, everything else over REST ([`Rest`]).
#![forbid(unsafe_code)]

mod arguments;
mod cloud;
mod error;
mod policies;
mod pools;
mod resources;
mod rest;
#[cfg(test)]
mod testing;

pub use arguments::Access;
pub use cloud::Cloud;
pub use policies::{Policies, Written};
pub use pools::Pools;
pub use resources::Resources;
pub use rest::{Request, Rest, Token};
pub use signer::{Credentials, Endpoint};

use console::hint::Hinted;

/// The application default credentials, with which an access token was obtained.
///
/// # Errors
/// There are none, or they are refused.
pub async fn credentials() -> Result<Credentials, Hinted> {
    let credentials = signer::credentials().await;
    credentials.map_err(|error| error::opening(&error, error.hint().unwrap_or(error::SERVICE)))
}
