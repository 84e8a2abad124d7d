//! Shows what is attached to an image, and which reader sees what. Nothing is judged here: only signatures by known keys are
//! verified, and those with certificates are shown with the names in the certificates.

mod collect;
mod read;
mod readers;
mod table;

use content::Digest;
use oci::ImageRef;
use serde::Serialize;
use signature::PublicKey;

pub use collect::collect;
pub use read::read;
pub use table::table;

/// A public key that the user names.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The key.
    pub key: PublicKey,
}

/// Where a manifest is attached.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// Under a tag.
    Tag(String),
    /// Among the referrers.
    Referrer(Digest),
    /// In another repository than the image.
    Elsewhere {
        /// The repository.
        repository: String,
        /// Where it is attached there.
        at: Box<Self>,
    },
}

/// What was fetched of an image, before it is read.
#[derive(Debug)]
pub struct Fetched {
    image: ImageRef,
    size: u64,
    layers: Vec<Layer>,
    notes: Vec<String>,
}

/// A layer of a manifest that is attached to the image.
#[derive(Debug)]
struct Layer {
    place: Place,
    /// The digest that its signatures are for: that of the image, or of the manifest of a bill of materials.
    about: Digest,
    artifact_type: Option<String>,
    claimed_type: Option<String>,
    descriptor: oci::Descriptor,
    /// The content, if it has a form that is read.
    bytes: Option<Vec<u8>>,
}

/// What is attached to an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    image: String,
    /// The size of the image's manifest in bytes.
    size: u64,
    items: Vec<Item>,
    /// What each reader sees of the signatures.
    readers: Vec<readers::Summary>,
    /// What cannot be read.
    notes: Vec<String>,
}

/// One signature, attestation or other piece.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    place: Place,
    layout: Layout,
    kind: Kind,
    digest: Digest,
    /// The size in bytes.
    size: u64,
    signers: Vec<Signer>,
    /// Whether the payload names the key, as Confidential Space needs.
    names_key: bool,
}

/// How a piece is stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Layout {
    /// A simple-signing payload or an envelope, with annotations.
    Legacy,
    /// A Sigstore bundle.
    Bundle,
    /// A file without a signature.
    File,
}

/// What a piece is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    /// A signature on the image.
    Signature,
    /// A statement about the image: its type of predicate. The type is signed if the signer is known, and otherwise the
    /// claim of an annotation.
    Attestation(String),
    /// A bill of materials in a file of its own: its media type (cosign, `SBOM_SPEC.md`).
    Sbom(String),
    /// A signature on the manifest of such a bill of materials, which does not name the image.
    SbomSignature,
    /// Something else: its media type.
    Other(String),
}

/// Who signed a piece.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
enum Signer {
    /// A key with which the signature verifies.
    #[serde(rename_all = "camelCase")]
    Key {
        key_id: String,
        name: Option<String>,
        key_type: String,
        algorithm: String,
        /// Whether it is the algorithm of the key's type.
        #[serde(skip)]
        is_default: bool,
        /// Whether it is of a type that Confidential Space reads.
        #[serde(skip)]
        is_read_in_confidential_space: bool,
    },
    /// The key with this ID, according to an unsigned hint.
    #[serde(rename_all = "camelCase")]
    Hinted { key_id: String },
    /// A certificate, and whom it names. It is not verified here.
    #[serde(rename_all = "camelCase")]
    Certificate {
        subject: Option<String>,
        issuer: Option<String>,
    },
    /// A key that is not known.
    Unknown,
}
