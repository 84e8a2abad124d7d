//! What prevents a rebuild.

use std::path::PathBuf;
use std::process::ExitStatus;

use console::at::At;
use console::hint;
use console::process::Absent;

use crate::commit::{Commit, InvalidCommit};
use crate::damage::Damage;

/// A rebuild that could not be carried out or read. It says nothing about the image.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A file cannot be read or written.
    #[error(transparent)]
    At(#[from] At),
    /// There is no space for temporary files.
    #[error("making a temporary directory: {0}")]
    Scratch(#[source] std::io::Error),
    /// A program cannot be started.
    #[error("starting {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A program is not installed.
    #[error(transparent)]
    Absent(#[from] Absent),
    /// The source cannot be cloned.
    #[error("cloning {origin}: {last_line}")]
    Clone {
        /// The source.
        origin: String,
        /// The last line that git printed.
        last_line: String,
    },
    /// The source is larger than a limit.
    #[error("cloning {origin}: it takes more than {limit}")]
    Limit {
        /// The source.
        origin: String,
        /// The limit.
        limit: String,
    },
    /// The commit is larger than a limit.
    #[error("reading source: commit {commit} unpacks to more than {limit}")]
    Large {
        /// The commit.
        commit: Commit,
        /// The limit.
        limit: String,
    },
    /// The source is a shallow clone without the commit.
    #[error("reading {origin}: it is a shallow clone, and commit {commit} is not in it")]
    Shallow {
        /// The source.
        origin: String,
        /// The commit.
        commit: Commit,
    },
    /// The source does not have the commit that the user chose.
    #[error("reading {origin}: no branch or tag leads to commit {commit}")]
    NoCommit {
        /// The source.
        origin: String,
        /// The commit.
        commit: Commit,
    },
    /// The commit does not have the directory, or the path leads out of the source.
    #[error("reading source: commit {commit} has no directory {directory:?}")]
    NoDirectory {
        /// The directory that the user named.
        directory: String,
        /// The commit.
        commit: Commit,
    },
    /// `HEAD` of the source is not a commit.
    #[error("reading HEAD of the source: {0}")]
    Head(#[from] InvalidCommit),
    /// A file of the package index cannot be fetched.
    #[error("fetching {name} of the locked package index: {source}")]
    Index {
        /// The name of the file.
        name: &'static str,
        /// The error of the registry.
        source: Box<remote::Error>,
    },
    /// A program failed.
    #[error("{doing}: {status}: {last_line}")]
    Status {
        /// What it was doing.
        doing: String,
        /// The exit status.
        status: ExitStatus,
        /// The last line that it printed for people.
        last_line: String,
    },
    /// The builder succeeded, but there is no layout.
    #[error("running {}: it succeeded, but built nothing", program.display())]
    Nothing {
        /// The program.
        program: PathBuf,
    },
    /// The builder built another commit or directory.
    #[error("reading rebuilt layout: expected {what} {expected}, found {found}")]
    Other {
        /// `commit` or `directory`.
        what: &'static str,
        /// The one that was to be built.
        expected: String,
        /// The one in provenance.
        found: String,
    },
    /// The layout cannot be parsed.
    #[error("reading rebuilt layout: {0}")]
    Layout(#[from] oci::Error),
    /// A blob of the layout is damaged.
    #[error("reading rebuilt layout: {0}")]
    Damaged(Box<Damage>),
    /// The builder's provenance or bill of materials cannot be parsed.
    #[error("reading rebuilt layout: {0}")]
    Description(#[from] attest::Error),
    /// Provenance does not name one commit.
    #[error("reading rebuilt layout: expected one commit in provenance, found none or several")]
    NoSource,
    /// The layout has no record of a rebuild.
    #[error("reading rebuilt layout: it has no {}", path.display())]
    NoRecord {
        /// The expected path of the record.
        path: PathBuf,
    },
    /// The record is of another rebuild.
    #[error(
        "reading rebuilt layout: expected {what} {expected}, as rebuild.json says, found {found}"
    )]
    Record {
        /// `image` or `commit`.
        what: &'static str,
        /// The one in the record.
        expected: String,
        /// The one in the layout.
        found: String,
    },
}

impl RebuildError {
    /// What the user can do, on one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::At(at) => hint::of(&at.source).unwrap_or(LAYOUT),
            Self::Scratch(_) => hint::TEMPORARY,
            Self::Absent(Absent(program)) if program == "git" => "install git",
            Self::Absent(Absent(program)) if program == "setpriv" || program == "prlimit" => {
                "install util-linux"
            }
            Self::Absent(_) | Self::Start { .. } => {
                "without --builder, the builder beside this program is started"
            }
            Self::Clone { .. } => {
                "--source is a directory with a git repository of yours, or a URL that git can clone \
                 with your rights; the lines above are git's own"
            }
            Self::Limit { .. } | Self::Large { .. } => {
                "is it the right source? --limit-repository and --limit-source raise the limits on its \
                 size; a source without old history takes less: git clone --single-branch"
            }
            Self::Shallow { .. } => {
                "run `git fetch --unshallow` in the source, or name the repository that it was cloned from"
            }
            Self::NoCommit { .. } => {
                "is --commit, or `commit` in the policy, right, and is --source up to date?"
            }
            Self::NoDirectory { .. } => "see --directory, or `directory` in the policy",
            Self::Head(_) => "does the source have a commit? --commit names the one to build",
            Self::Index { source, .. } => source.hint(),
            Self::Status { .. } => "the lines above are the program's own",
            Self::Nothing { .. } | Self::Other { .. } => {
                "is that program the builder? see --builder"
            }
            Self::NoRecord { .. } | Self::Record { .. } => {
                "--rebuilt takes a layout of `verifier rebuild -o`, not one of builder build"
            }
            Self::Layout(_) | Self::Damaged(_) | Self::Description(_) | Self::NoSource => LAYOUT,
        }
    }
}

const LAYOUT: &str = "was the layout written by verifier rebuild?";
