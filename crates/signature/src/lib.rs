//! Keys, and the three formats of a signature on an image: the simple-signing payload of the legacy
//! layout, the DSSE envelope, and the Sigstore bundle, which contains an envelope. This crate creates and
//! verifies them; it uses no network and no clock.
#![forbid(unsafe_code)]

mod algorithm;
mod annotations;
pub mod bundle;
mod detached;
mod ecdsa;
mod encrypted;
pub mod envelope;
mod error;
mod pem;
mod private;
mod pss;
mod public;
mod rsa;
mod scheme;
pub mod simple_signing;
mod spki;

pub use algorithm::{Algorithm, Encoding, Hash, KeyType, PssParameters};
pub use annotations::{Annotation, Annotations};
pub use detached::detached;
pub use error::Error;
pub use private::PrivateKey;
pub use public::PublicKey;
