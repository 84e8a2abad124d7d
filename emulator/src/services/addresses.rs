//! Where services find each other.

use std::net::SocketAddr;

/// Addresses that services name, or call.
pub struct Addresses {
    /// The address for access tokens, which key files name.
    pub token_uri: String,
    /// The attestation service, which launchers call.
    pub attestation: crate::launch::Address,
    /// The metadata server of the machine that runs.
    pub metadata: SocketAddr,
}
