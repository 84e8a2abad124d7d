use console::at::At;
use trust::{OutOfReach, Twins};

use crate::commit::InvalidCommit;

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The policy is not UTF-8.
    #[error("parsing policy: {0}")]
    Text(#[from] std::str::Utf8Error),
    /// The policy is not TOML, or has other entries than it should.
    #[error("parsing policy: {0}")]
    Toml(#[from] toml::de::Error),
    /// The repository is invalid.
    #[error("parsing policy: repository `{found}`: {source}")]
    Repository {
        /// The entry.
        found: String,
        /// The error of the parser.
        source: Box<oci::Error>,
    },
    /// A key file cannot be read.
    #[error("parsing policy: key of `{principal}`: {source}")]
    KeyFile {
        /// The name of the principal.
        principal: String,
        /// The error of the file.
        source: At,
    },
    /// A key is not a P-256 public key in PEM.
    #[error("parsing policy: key of `{principal}`: {source}")]
    Key {
        /// The name of the principal.
        principal: String,
        /// The error of the parser.
        source: signature::Error,
    },
    /// A principal has neither or both of `key` and `pem`.
    #[error("parsing policy: principal `{principal}`: expected one of `key` and `pem`")]
    KeySource {
        /// The name of the principal.
        principal: String,
    },
    /// Two principals share a name or a key.
    #[error("parsing policy: {0}")]
    Twins(#[from] Twins),
    /// A list has the name of an unknown principal.
    #[error("parsing policy: `{field}` names `{found}`, but no [[principal]] has this name")]
    Stranger {
        /// The entry.
        field: &'static str,
        /// The unknown name.
        found: String,
    },
    /// A list has a name twice.
    #[error("parsing policy: `{field}` names `{found}` twice")]
    Repeated {
        /// The entry.
        field: &'static str,
        /// The repeated name.
        found: String,
    },
    /// A threshold that every image meets, or none.
    #[error("parsing policy: signatures.threshold: {0}")]
    Threshold(#[from] OutOfReach),
    /// Any image that one of the principals has signed would pass.
    #[error(
        "parsing policy: it admits any image: expected signers in signatures.require, predicates in \
         attestations.require, or rebuild.require = true"
    )]
    AdmitsAny,
    /// The pinned commit is invalid.
    #[error("parsing policy: source.commit: {0}")]
    Commit(#[from] InvalidCommit),
    /// No rule would compare the pinned commit with anything.
    #[error(
        "parsing policy: source.commit is compared with provenance and with the rebuild, and the \
         policy requires neither"
    )]
    UnusedCommit,
    /// Attestations are required, but no principal may attest.
    #[error("parsing policy: attestations.by is empty, but attestations.require is not")]
    NobodyAttests,
    /// The parameter has an entry of its own, or a value that JSON does not have.
    #[error("parsing policy: parameters.{name} cannot be set here")]
    Parameter {
        /// The name of the parameter.
        name: String,
    },
}
