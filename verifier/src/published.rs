//! What a registry holds about an image: bytes, of which nothing is believed yet.

use content::Digest;
use oci::{Descriptor, ImageRef};

pub use crate::carrier::Carrier;
use crate::contents::Contents;
use crate::damage::Damage;

/// Everything that was fetched for one digest.
#[derive(Clone, Debug)]
pub struct Published {
    /// What was asked for.
    pub image: ImageRef,
    /// The image itself, unless its bytes are not those of the digest.
    pub contents: Option<Contents>,
    /// Whatever may be a signature or a statement, from both layouts.
    pub pieces: Vec<Piece>,
    /// Files of package indices, which a rebuild may need; none is fetched before that.
    pub index_files: Vec<Descriptor>,
    /// Bytes that are not what their digest says, or that no reader can take for what they are.
    pub damage: Vec<Damage>,
    /// Referrers and pieces that are listed and cannot be read, in words. They do not count: a registry
    /// could as well leave them out.
    pub passed_over: Vec<String>,
}

/// How the bytes of a piece are meant.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Form {
    /// A simple-signing payload; its signature stands beside it, in base64.
    SimpleSigning {
        /// The annotation `dev.cosignproject.cosign/signature`.
        signature: String,
    },
    /// A DSSE envelope.
    Envelope,
    /// A Sigstore bundle.
    Bundle,
}

/// One signature or statement.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it hangs.
    pub carrier: Carrier,
    /// How it is meant.
    pub form: Form,
    /// The predicate type that the carrier claims; a hint that nobody signed.
    pub claimed_type: Option<String>,
    /// The digest under which it was fetched.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Vec<u8>,
}
