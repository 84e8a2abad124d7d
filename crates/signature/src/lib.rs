//! Keys, and the three formats of a signature on an image: the simple-signing payload of the legacy
//! layout, the DSSE envelope, and the Sigstore bundle, which contains an envelope. This crate creates and
//! verifies them; it uses no network and no clock.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod envelope;
mod error;
mod key;
mod pem;
pub mod simple_signing;

pub use error::Error;
pub use key::{PrivateKey, PublicKey};
