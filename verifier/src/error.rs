//! What keeps us from telling, and what to do about it.

use std::path::PathBuf;

use console::hint;
use console::process::Absent;

use crate::commit::{Commit, SeveralCommits};
use crate::grant::GrantError;
use crate::grant::apply::ApplyError;
use crate::policy::PolicyError;
use crate::rebuild::RebuildError;

/// Something could not be told. Never a word about the image itself: that would be a finding.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the caller cannot be read.
    #[error("reading {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The policy is none.
    #[error("{path}: {source}")]
    Policy {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PolicyError>,
    },
    /// The grant is none.
    #[error("{path}: {source}")]
    Grant {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: GrantError,
    },
    /// The registry does not answer, or not what was asked.
    #[error("{doing}: {source}")]
    Registry {
        /// What was being fetched.
        doing: String,
        /// Why it did not come.
        source: Box<remote::Error>,
    },
    /// There is no such tag.
    #[error("resolving {reference}: no such tag")]
    NoTag {
        /// What was asked for.
        reference: String,
    },
    /// Nothing under that digest.
    #[error("fetching {image}: not in the registry")]
    NoImage {
        /// What was asked for.
        image: String,
    },
    /// The rebuilt image has no place.
    #[error("writing {path}: {source}")]
    Write {
        /// Where it should go.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No place for temporary files.
    #[error("making a temporary directory: {0}")]
    Scratch(#[source] std::io::Error),
    /// The policy asks for a rebuild, and there is nothing to rebuild from.
    #[error("choosing a source: the policy asks for a rebuild, and none was given")]
    NoSource,
    /// Provenance of this image names more than one commit, and nobody was asked whom to believe.
    #[error(transparent)]
    Commits(#[from] SeveralCommits),
    /// The user asks for another commit than the policy.
    #[error("choosing a commit: the policy pins {pinned}, and --commit is {given}")]
    Pinned {
        /// The commit in the policy.
        pinned: Commit,
        /// The commit that was asked for.
        given: Commit,
    },
    /// A tag could not be named.
    #[error("naming a tag: {0}")]
    Name(#[source] oci::Error),
    /// Where to put the rebuilt image is taken.
    #[error("writing {path}: it exists already")]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// The rebuild could not be carried out.
    #[error("rebuilding: {0}")]
    Rebuild(#[source] Box<RebuildError>),
    /// The verdict cannot be worded.
    #[error("writing the verdict: {0}")]
    Verdict(#[source] serde_json::Error),
    /// A signature could not be made or pushed.
    #[error("signing: {0}")]
    Signer(#[source] Box<signer::Error>),
    /// The key's policy cannot be read or changed.
    #[error("opening the key: {0}")]
    Apply(#[source] Box<ApplyError>),
    /// The key's policy was not changed, as far as we know, and everything before was done.
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

    /// What the reader can do, in one line.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Policy { .. } => "policies/release.toml is an example with every entry explained",
            Self::Grant { .. } => "policies/grant.toml is an example with every entry explained",
            Self::NoTag { .. } | Self::NoImage { .. } => "was it pushed, and to this repository?",
            Self::NoSource => "give --source DIR|URL, or --rebuilt LAYOUT of an earlier rebuild",
            Self::Registry { source, .. } => source.hint(),
            Self::Commits(_) => "say which with --commit",
            Self::Pinned { .. } => {
                "leave --commit out, or appraise by a policy that pins that commit"
            }
            Self::Exists { .. } => "choose another path for -o, or remove it",
            Self::Read { source, .. } | Self::Write { source, .. } => hint::of_file(source),
            Self::Scratch(_) => hint::TEMPORARY,
            Self::Rebuild(error) => return rebuild_hint(error),
            Self::Signer(error) => error.hint(),
            Self::Apply(error) | Self::Bind(error) => error.hint(),
            Self::Print(_) => hint::PRINT,
            Self::Runtime(_) => console::runtime::HINT,
            Self::Verdict(_) | Self::Name(_) | Self::Interrupted => return None,
        })
    }
}

fn rebuild_hint(error: &RebuildError) -> Option<&'static str> {
    Some(match error {
        RebuildError::Absent(Absent(program)) if program == "git" => "install git",
        RebuildError::Absent(Absent(program)) if program == "setpriv" || program == "prlimit" => {
            "install util-linux"
        }
        RebuildError::Clone { .. } => {
            "--source is a directory with a git repository of yours, or a URL that git can clone with \
             your rights; the lines above are git's own"
        }
        RebuildError::Absent(_) | RebuildError::Start { .. } => {
            "the builder is looked for beside this program; see --builder"
        }
        RebuildError::Index { source, .. } => source.hint(),
        RebuildError::Write { .. } => hint::TEMPORARY,
        RebuildError::Status { .. } => "the lines above are the program's own",
        RebuildError::Limit { .. } | RebuildError::Large { .. } => {
            "is it the right source? --limit-repository and --limit-source raise the limits on its size; a \
             source without old history takes less: git clone --single-branch"
        }
        RebuildError::Shallow { .. } => {
            "--source is a shallow clone: run `git fetch --unshallow` in it, or name the repository \
             that it was cloned from"
        }
        RebuildError::NoCommit { .. } => {
            "is --commit, or `commit` in the policy, right, and is --source up to date?"
        }
        RebuildError::NoDirectory { .. } => "see --directory, or `directory` in the policy",
        RebuildError::Head(_) => "has the source a commit? --commit says which to build",
        RebuildError::Nothing { .. }
        | RebuildError::Commit { .. }
        | RebuildError::Directory { .. } => "is that program the builder? see --builder",
        RebuildError::NoRecord { .. } | RebuildError::Record { .. } => {
            "--rebuilt takes what `verifier rebuild -o` left; builder build's own layout is none"
        }
        RebuildError::Read { .. }
        | RebuildError::Layout(_)
        | RebuildError::Damaged(_)
        | RebuildError::Description(_)
        | RebuildError::NoSource => "was the layout written by verifier rebuild?",
    })
}
