use std::path::PathBuf;

use trust::{OutOfReach, Twins};

use crate::commit::InvalidCommit;

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not UTF-8.
    #[error("parsing policy: {0}")]
    Text(#[from] std::str::Utf8Error),
    /// Not the expected TOML.
    #[error("parsing policy: {0}")]
    Toml(#[from] toml::de::Error),
    /// The repository is none.
    #[error("parsing policy: repository `{found}`: {source}")]
    Repository {
        /// What stands there.
        found: String,
        /// What is wrong with it.
        source: Box<oci::Error>,
    },
    /// A key file that cannot be read.
    #[error("parsing policy: reading key of `{principal}` from {path}: {source}")]
    KeyFile {
        /// Whose key.
        principal: String,
        /// Where it should be.
        path: PathBuf,
        /// Why it is not.
        source: std::io::Error,
    },
    /// A key that is no P-256 public key in PEM.
    #[error("parsing policy: key of `{principal}`: {source}")]
    Key {
        /// Whose key.
        principal: String,
        /// What is wrong with it.
        source: signature::Error,
    },
    /// Neither or both of `key` and `pem`.
    #[error("parsing policy: principal `{principal}`: expected one of `key` and `pem`")]
    KeySource {
        /// Whose key.
        principal: String,
    },
    /// Two principals share a name or a key.
    #[error("parsing policy: {0}")]
    Twins(#[from] Twins),
    /// A name without a `[[principal]]`.
    #[error("parsing policy: `{field}` names `{found}`, which is no [[principal]]")]
    Stranger {
        /// Which entry.
        field: &'static str,
        /// The unknown name.
        found: String,
    },
    /// A list that names one of them twice.
    #[error("parsing policy: `{field}` names `{found}` twice")]
    Repeated {
        /// Which entry.
        field: &'static str,
        /// The repeated name.
        found: String,
    },
    /// A threshold that every image meets, or none.
    #[error("parsing policy: signatures.threshold: {0}")]
    Threshold(#[from] OutOfReach),
    /// An image that any one principal signed would pass, whatever it is and whoever built it.
    #[error(
        "parsing policy: it admits any image: expected signers in signatures.require, predicates in \
         attestations.require, or rebuild.require = true"
    )]
    AdmitsAny,
    /// A pinned commit that is no commit.
    #[error("parsing policy: source.commit: {0}")]
    Commit(#[from] InvalidCommit),
    /// A pinned commit that no rule would compare with anything.
    #[error(
        "parsing policy: source.commit is compared with provenance and with the rebuild, and the \
         policy asks for neither"
    )]
    UnusedCommit,
    /// Attestations are asked for, and from nobody.
    #[error("parsing policy: attestations.by names nobody who could attest")]
    NobodyAttests,
    /// A parameter that the policy fixes elsewhere, or a value that JSON has no word for.
    #[error("parsing policy: parameters.{name} cannot be set here")]
    Parameter {
        /// Which.
        name: String,
    },
}
