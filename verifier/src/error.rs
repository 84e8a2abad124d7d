//! What prevents a verdict, and what the user can do about it.

use std::path::PathBuf;

use console::at::At;
use console::hint;

use crate::commit::{Commit, SeveralCommits};
use crate::grant::GrantError;
use crate::grant::apply::ApplyError;
use crate::policy::PolicyError;
use crate::rebuild::RebuildError;

/// A verdict could not be reached. It says nothing about the image itself: that would be a finding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read or written.
    #[error(transparent)]
    At(#[from] At),
    /// The policy is invalid.
    #[error("{}: {source}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: Box<PolicyError>,
    },
    /// The grant is invalid.
    #[error("{}: {source}", path.display())]
    Grant {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: GrantError,
    },
    /// The registry does not answer, or its answer cannot be used.
    #[error("{doing}: {source}")]
    Registry {
        /// What was being done, as a participle.
        doing: String,
        /// The error of the registry.
        source: Box<remote::Error>,
    },
    /// The registry does not have the image or the tag.
    #[error("fetching {reference}: the registry does not have it")]
    Absent {
        /// The reference.
        reference: String,
    },
    /// There is no space for temporary files.
    #[error("making a temporary directory: {0}")]
    Scratch(#[source] std::io::Error),
    /// The policy requires a rebuild, and there is no source.
    #[error("choosing a source: the policy requires a rebuild, and no source was given")]
    NoSource,
    /// Provenance of this image names several commits.
    #[error(transparent)]
    Commits(#[from] SeveralCommits),
    /// The user chose another commit than the policy.
    #[error("choosing a commit: the policy pins {pinned}, and --commit is {given}")]
    Pinned {
        /// The commit in the policy.
        pinned: Commit,
        /// The commit that the user chose.
        given: Commit,
    },
    /// The name of a legacy tag is invalid.
    #[error("naming a tag: {0}")]
    Name(#[source] oci::Error),
    /// The path of the new layout exists.
    #[error("writing {}: it exists already", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The rebuild could not be carried out.
    #[error("rebuilding: {0}")]
    Rebuild(#[source] Box<RebuildError>),
    /// The verdict cannot be written as JSON.
    #[error("writing the verdict: {0}")]
    Verdict(#[source] serde_json::Error),
    /// Signing failed, or publishing a signature.
    #[error("signing: {0}")]
    Signer(#[source] Box<signer::Error>),
    /// The key's policy cannot be read or changed.
    #[error("opening the key: {0}")]
    Apply(#[source] Box<ApplyError>),
    /// The key's policy was probably not changed. Verdict and countersignature are published.
    #[error("binding, with verdict and countersignature published: {0}")]
    Bind(#[source] Box<ApplyError>),
    /// The process has no threads, signals or name.
    #[error("starting: {0}")]
    Runtime(#[source] std::io::Error),
    /// Standard output is closed or full.
    #[error("writing to standard output: {0}")]
    Print(#[source] std::io::Error),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl From<RebuildError> for Error {
    fn from(error: RebuildError) -> Self {
        Self::Rebuild(Box::new(error))
    }
}

impl From<signer::Error> for Error {
    fn from(error: signer::Error) -> Self {
        Self::Signer(Box::new(error))
    }
}

impl From<ApplyError> for Error {
    fn from(error: ApplyError) -> Self {
        Self::Apply(Box::new(error))
    }
}

impl Error {
    /// Whether the message has lines of the user's own file in it: an excerpt of its parser.
    pub fn quotes_a_file(&self) -> bool {
        matches!(self, Self::Policy { .. } | Self::Grant { .. })
    }

    /// What the user can do, on one line.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Policy { .. } => "policies/release.toml is an example with every entry explained",
            Self::Grant { .. } => "policies/grant.toml is an example with every entry explained",
            Self::Absent { .. } => "was it pushed, and to this repository?",
            Self::NoSource => "give --source DIR|URL, or --rebuilt LAYOUT of an earlier rebuild",
            Self::Registry { source, .. } => source.hint(),
            Self::Commits(_) => "choose one with --commit",
            Self::Pinned { .. } => {
                "leave --commit out, or appraise by a policy that pins that commit"
            }
            Self::Exists { .. } => "choose another path for -o, or remove it",
            Self::At(at) => hint::of_file(&at.source),
            Self::Scratch(_) => hint::TEMPORARY,
            Self::Rebuild(error) => error.hint(),
            Self::Signer(error) => error.hint(),
            Self::Apply(error) | Self::Bind(error) => error.hint(),
            Self::Print(_) => hint::PRINT,
            Self::Runtime(_) => console::runtime::HINT,
            Self::Verdict(_) | Self::Name(_) | Self::Interrupted => return None,
        })
    }
}
