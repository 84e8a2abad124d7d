//! Keys, and the three shapes that a signature on an image comes in: the simple-signing payload of
//! the legacy layout, the DSSE envelope, and the Sigstore bundle around one. Makes and verifies;
//! no network, no clock.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod envelope;
mod error;
mod key;
mod pem;
pub mod simple_signing;

pub use error::Error;
pub use key::{PrivateKey, PublicKey};
