//! The bytes that a registry or a saved layout has about an image, before they are verified.

use content::Digest;
use oci::{Descriptor, ImageRef};

pub use crate::carrier::Carrier;
use crate::contents::Contents;
use crate::damage::Damage;

pub(crate) mod layer;

/// Everything that was fetched for one digest.
#[derive(Clone, Debug)]
pub struct Published {
    /// The image that was requested.
    pub image: ImageRef,
    /// Where it was found.
    pub source: Source,
    /// The contents of the image, unless they are damaged.
    pub contents: Option<Contents>,
    /// Possible signatures and statements, from both layouts.
    pub pieces: Vec<Piece>,
    /// Bills of materials under the legacy tag.
    pub boms: Vec<Bom>,
    /// Files of package indices. They are fetched only if a rebuild needs them.
    pub index_files: Vec<Descriptor>,
    /// Bytes with another digest, or of another form, than they should have.
    pub damage: Vec<Damage>,
    /// Referrers, signatures and statements that are listed but cannot be read, as text. They do not count: the effect
    /// is the same as if the registry did not list them.
    pub passed_over: Vec<String>,
}

/// Where an image was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// In the repository by which it is named.
    Repository,
    /// In a layout, which names no repository. The policy's is assumed.
    Layout,
}

/// The form of a signature or statement.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Form {
    /// A simple-signing payload. Its signature is in an annotation, in base64.
    SimpleSigning {
        /// The annotation `dev.cosignproject.cosign/signature`.
        signature: String,
    },
    /// A DSSE envelope.
    Envelope,
    /// A Sigstore bundle.
    Bundle,
}

/// A bill of materials under the legacy tag (cosign, `specs/SBOM_SPEC.md`). It is unsigned by itself: a signature is
/// over the digest of its manifest, and neither names the image.
#[derive(Clone, Debug)]
pub struct Bom {
    /// Where it is attached.
    pub carrier: Carrier,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The media type of its document.
    pub media_type: String,
    /// Possible signatures over the digest.
    pub signatures: Vec<Piece>,
}

/// Annotations of a layer in the legacy layout with the certificate of its signature, or what a log or a timestamp authority says
/// of it (cosign, `pkg/oci/static/signature.go`).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Certified {
    /// `dev.sigstore.cosign/certificate`; a signature with a key has none.
    pub certificate: Option<String>,
    /// `dev.sigstore.cosign/chain`.
    pub chain: Option<String>,
    /// `dev.sigstore.cosign/bundle`.
    pub promise: Option<String>,
    /// `dev.sigstore.cosign/rfc3161timestamp`.
    pub timestamp: Option<String>,
}

/// One signature or statement.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it is attached.
    pub carrier: Carrier,
    /// The form.
    pub form: Form,
    /// The certificate beside it, in the legacy layout.
    pub certified: Option<Certified>,
    /// The predicate type that the carrier claims, which is not signed.
    pub claimed_type: Option<String>,
    /// The digest that was requested.
    pub digest: Digest,
    /// The bytes that were served.
    pub bytes: Vec<u8>,
}
