//! Expected and found values of findings, as data. `report` converts them to text.

use std::collections::BTreeMap;

use attest::Predicate;
use content::Digest;
use oci::ImageRef;
use trust::Identity;

use crate::fact::{Claim, Objection, Reason, RegistryCheck, Visibility};

/// A side of a comparison.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Absent.
    Nothing,
    /// Untrusted text of a document, a program or an error.
    Text(String),
    /// A digest.
    Digest(Digest),
    /// A number of things.
    Count(usize),
    /// A size in bytes.
    Bytes(u64),
    /// At most this value.
    AtMost(Box<Self>),
    /// More than the limit; how much is not known.
    More,
    /// Any value of this kind.
    A(Thing),
    /// A JSON value.
    Json(serde_json::Value),
    /// The digests of dependencies, each by algorithm.
    Digests(Vec<BTreeMap<String, String>>),
    /// A link to a path.
    LinkTo(String),
    /// The parts of an image, and what is attached to it.
    Inventory {
        /// Layers.
        layers: usize,
        /// Entries in all layers.
        entries: usize,
        /// Signatures and statements.
        pieces: usize,
    },
    /// A signature over an image.
    Signature {
        /// The signer.
        by: Identity,
        /// The image, in its repository.
        image: ImageRef,
    },
    /// A number of distinct principals.
    Quorum {
        /// The least number.
        threshold: usize,
        /// The number of principals that the policy names.
        principals: usize,
    },
    /// Principals, by their names in the policy.
    Principals(Vec<String>),
    /// A statement signed by one of these principals.
    Statement {
        /// The predicate.
        predicate: Predicate,
        /// The names of the principals.
        by: Vec<String>,
    },
    /// Claims of a statement that do not match.
    Claims(Vec<Claim>),
    /// Why something does not count.
    Reason(Reason),
    /// Why a statement does not meet conditions.
    Objections(Vec<Objection>),
    /// Whether Confidential Space counts a signature.
    Visibility(Visibility),
    /// Whether crates were compared with the registry.
    Registry(RegistryCheck),
    /// A commit of a source.
    CommitIn {
        /// The commit.
        commit: String,
        /// The source.
        source: String,
    },
    /// A commit that the policy pins.
    Pinned(String),
    /// The last line of a builder that refused a source.
    Refusal(String),
}

/// A kind of value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Thing {
    /// An OCI image manifest.
    Manifest,
    /// OCI manifests.
    Manifests,
    /// The config that a manifest names.
    Config,
    /// An image.
    Image,
    /// All that is in an image.
    Inventory,
    /// A rebuild of the verifier.
    OwnRebuild,
    /// A directory.
    Directory,
    /// A symbolic link.
    SymbolicLink,
    /// A predicate of a type.
    Predicate(Predicate),
    /// A finding.
    Finding,
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl From<Thing> for Value {
    fn from(thing: Thing) -> Self {
        Self::A(thing)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// `None` becomes [`Value::Nothing`].
impl From<Option<&serde_json::Value>> for Value {
    fn from(value: Option<&serde_json::Value>) -> Self {
        value.map_or(Self::Nothing, |value| Self::Json(value.clone()))
    }
}

/// `None` becomes [`Value::Nothing`].
impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, Self::from)
    }
}
