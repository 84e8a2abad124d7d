//! What a program in Google Confidential Space does first, before it may have anybody's data.
//!
//! 1. [`Tee::identity`] asks the launcher for an attestation token, verifies it, and so learns which image this is.
//! 2. [`Quorum::bind`] checks that enough parties have signed that image (late binding), and makes a [`Bound`].
//! 3. [`Tee::exchange`] gives an attestation token to a party's identity provider, and gets [`Access`]. It takes the `Bound`: no party's
//!    key or secret can be used before the parties have signed.
//! 4. [`Access`] decrypts with the party's key, reads its secrets and objects, and signs.
//!
//! ```no_run
#![doc = include_str!("../examples/sealed.rs")]
//! ```
//!
//! The crate is not in a registry: a program depends on it by git (`tee = { git = "https://…" }`, the repository of Countersign), and
//! `builder lock` names its commit. What the calls take, such as a [`Provider`] or a [`Key`], is parsed from the names that Google
//! Cloud gives it.
//!
//! Everything is synchronous. The crate reads no clock but the one it is given, and no environment; it prints nothing, and starts no
//! process. Every answer has a limit, and no error quotes a token, a secret, or any part of a request.
//!
//! The caller keeps what the crate cannot: any process in the container may ask the launcher for tokens, so that a program which starts
//! others must hide the launcher's socket from them; and what is in a [`Secret`] is only cleared from memory there.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod clock;
mod crc32c;
pub mod deadline;
mod encode;
mod endpoint;
mod error;
pub mod http;
pub mod identity;
pub mod key;
mod late_binding;
pub mod launcher;
mod nonce;
mod quorum;
mod repository;
mod secret;
mod services;
mod signed;
mod source;
mod tally;
mod tee;

pub use access::{Access, Algorithm, Federation, SigningKey};
pub use clock::{Clock, Stopped, SystemClock};
pub use content::Digest;
pub use crc32c::crc32c;
pub use encode::{base64, from_base64, printable};
pub use endpoint::{Endpoint, InvalidAddress, MetadataServer};
pub use error::{Error, Fault, Refusal};
pub use google::identity::Provider;
pub use google::kms::{Key, KeyVersion};
pub use google::secret::SecretVersion;
pub use google::storage::Object;
pub use identity::Identity;
pub use key::{InvalidKey, PublicKey};
pub use late_binding::Patience;
pub use launcher::{InvalidTokenRequest, SOCKET, TokenKind, TokenRequest};
pub use quorum::{InvalidQuorum, Party, Quorum};
pub use repository::{InvalidRepository, Repository};
pub use secret::Secret;
pub use services::{Issuer, Services};
pub use signed::{CARRIED, Objection, Signed};
pub use source::{Carrier, Source, VARIABLE};
pub use tally::Bound;
pub use tee::Tee;
