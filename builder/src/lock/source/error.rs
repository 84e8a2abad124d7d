//! What can be wrong with a source.

use std::io;
use std::path::{Path, PathBuf};

use super::listing::FILES;
use crate::host::HostError;
use crate::store::StoreError;

/// Source that cannot be named or staged.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// git.
    #[error("reading source: {0}")]
    Host(#[from] HostError),
    /// No repository, or one that git does not let us read.
    #[error("reading source: {} is in no git repository that can be read: {source}", folder.display())]
    Repository {
        /// The folder with `Image.toml`.
        folder: PathBuf,
        /// What git said.
        source: HostError,
    },
    /// A repository without a commit.
    #[error("reading source: the repository around {} has no commit yet", folder.display())]
    Unborn {
        /// The folder with `Image.toml`.
        folder: PathBuf,
    },
    /// Files that differ from the last commit, or are not in it.
    #[error("reading source: not committed: {}{}", files.join(", "), if *.more { " and more" } else { "" })]
    Dirty {
        /// Their paths in the repository, the first of them.
        files: Vec<String>,
        /// Whether there are more.
        more: bool,
    },
    /// Something other than files in folders.
    #[error("reading source: {path} has git mode {mode}; only files can be staged")]
    Kind {
        /// Which path.
        path: String,
        /// What git says it is.
        mode: String,
    },
    /// A path that leads out of the source, or into git's own folder.
    #[error("reading source: {path:?} in the commit is no plain path below its repository")]
    Path {
        /// What git lists.
        path: String,
    },
    /// Which of two files readers see depends on how they read.
    #[error("reading source: the commit has two files at {path}")]
    Twice {
        /// Their path in the repository.
        path: String,
    },
    /// Configuration that cargo would obey.
    #[error("reading source: {path} could replace crates, compiler and linker")]
    Configuration {
        /// Its path in the repository.
        path: String,
    },
    /// More files than any source.
    #[error("reading source: more than {FILES} files")]
    Files,
    /// A path dependency outside the repository.
    #[error("reading source: {manifest} uses {path:?}, which is outside the repository")]
    Outside {
        /// Whose dependency.
        manifest: String,
        /// The path in it.
        path: String,
    },
    /// A crate that the last commit does not have.
    #[error("reading source: the last commit has no {manifest}")]
    Absent {
        /// Its manifest.
        manifest: String,
    },
    /// A manifest that is none.
    #[error("parsing {manifest}: {source}")]
    Manifest {
        /// Which one.
        manifest: String,
        /// Why not.
        source: toml::de::Error,
    },
    /// git answered something else.
    #[error("reading source: git answered {found:?}")]
    Answer {
        /// What it said.
        found: String,
    },
    /// A file of the working tree cannot be read, or one cannot be staged.
    #[error("staging {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no room to stage it.
    #[error(transparent)]
    Store(StoreError),
}

impl SourceError {
    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Dirty { .. } => {
                Some("what is built is the last commit; commit or discard these files")
            }
            Self::Unborn { .. } | Self::Absent { .. } => {
                Some("what is built is the last commit; commit the source first")
            }
            Self::Configuration { .. } => {
                Some("remove it from what is built; settings of a build belong into Cargo.toml")
            }
            Self::Host(error) => error.hint(),
            Self::Repository { source, .. } => {
                let clone = "build in a clone of the source's repository that is yours";
                Some(source.hint().unwrap_or(clone))
            }
            Self::Store(error) => error.hint(),
            Self::Kind { .. } => Some("commit the file itself in place of a link or submodule"),
            _ => None,
        }
    }

    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match crate::store::is_full(&source) {
            true => Self::Store(StoreError::at(&path, source)),
            false => Self::File { path, source },
        }
    }
}
