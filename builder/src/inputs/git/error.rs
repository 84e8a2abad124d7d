//! What can be wrong with a source.

use std::io;
use std::path::{Path, PathBuf};

use super::limits::{ENTRIES, PATH, TOTAL};
use crate::host::HostError;
use crate::inputs::store::StoreError;
use crate::told::{self, shown};

/// What helps against a crate from elsewhere than the public registry.
pub(crate) const ELSEWHERE: &str = "use the crate of the public registry, or copy its source into the repository and name it by path";

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
    #[error("reading source: not committed: {}{}", listed(files), if *more { " and more" } else { "" })]
    Dirty {
        /// Their paths in the repository, the first of them.
        files: Vec<String>,
        /// Whether there are more.
        more: bool,
    },
    /// Something other than files in folders.
    #[error(
        "reading source: {} has git mode {mode}; only files can be staged",
        shown(path)
    )]
    Kind {
        /// Which path.
        path: String,
        /// What git says it is.
        mode: String,
    },
    /// A path that leads out of the source, or into git's own folder.
    #[error(
        "reading source: \"{}\" in the commit is not a plain path below its repository",
        shown(path)
    )]
    Path {
        /// What git lists.
        path: String,
    },
    /// Which of two files readers see depends on how they read.
    #[error("reading source: the commit has two files at {}", shown(path))]
    Twice {
        /// Their path in the repository.
        path: String,
    },
    /// Configuration that cargo would obey.
    #[error(
        "reading source: {} could replace crates, compiler and linker",
        shown(path)
    )]
    Configuration {
        /// Its path in the repository.
        path: String,
    },
    /// More files and folders than a source may have.
    #[error("reading source: more than {ENTRIES} files and folders")]
    Files,
    /// More bytes than a source may have.
    #[error("reading source: its files unpack to more than {TOTAL} bytes")]
    Large,
    /// One file, list or commit that is too large.
    #[error("reading source: git object {name} has {size} bytes: expected at most {limit}")]
    LargeObject {
        /// Its name.
        name: String,
        /// Bytes that it has.
        size: u64,
        /// Bytes that it may have.
        limit: u64,
    },
    /// A path that no system opens.
    #[error("reading source: a path has more than {PATH} bytes: {}", shown(path))]
    LongPath {
        /// The path in the repository.
        path: String,
    },
    /// An object whose bytes are not those that its name is the digest of.
    #[error("reading source: git object {name} does not have the content that its name says")]
    Object {
        /// Its name.
        name: String,
    },
    /// An object that the repository does not have.
    #[error("reading source: the repository has no git object {name}")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A symbolic link on the way to the folder.
    #[error("reading source: {} is a symbolic link", shown(&path.to_string_lossy()))]
    Link {
        /// Which one.
        path: PathBuf,
    },
    /// A pattern for members of a workspace that is not one.
    #[error(
        "reading source: \"{}\" is not a pattern for workspace members",
        shown(pattern)
    )]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// A path dependency outside the repository.
    #[error(
        "reading source: {} uses \"{}\", which is outside the repository",
        shown(manifest),
        shown(path)
    )]
    Outside {
        /// Whose dependency.
        manifest: String,
        /// The path in it.
        path: String,
    },
    /// A crate of another registry, or of a git repository.
    #[error(
        "reading source: {} takes crate {} from elsewhere than the public registry: {}",
        shown(manifest),
        shown(dependency),
        shown(found)
    )]
    Elsewhere {
        /// Whose dependency.
        manifest: String,
        /// The name of the crate.
        dependency: String,
        /// What says so in the manifest.
        found: String,
    },
    /// A crate that the source does not have.
    #[error("reading source: there is no {}", shown(manifest))]
    Absent {
        /// Its manifest.
        manifest: String,
    },
    /// Not a manifest.
    #[error("parsing {}: {}", shown(manifest), told::toml(source))]
    Manifest {
        /// Which one.
        manifest: String,
        /// Why not.
        source: toml::de::Error,
    },
    /// git answered something else.
    #[error("reading source: git answered \"{}\"", shown(found))]
    Answer {
        /// What it said.
        found: String,
    },
    /// A file of the working tree cannot be read, or one cannot be staged.
    #[error("staging {}: {source}", shown(&path.to_string_lossy()))]
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
    /// Whether this is an answer about the source, and the same for everyone.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Elsewhere { .. })
    }

    /// What helps, if we know.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Elsewhere { .. } => Some(ELSEWHERE),
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
            Self::Link { .. } => Some("name the directory that it leads to"),
            Self::Object { .. } | Self::Missing { .. } => Some(
                "the repository is incomplete or damaged, see `git fsck`; build in a new clone",
            ),
            Self::Files | Self::Large | Self::LargeObject { .. } | Self::LongPath { .. } => {
                Some("is it the right directory? no source that can be built is so large")
            }
            _ => None,
        }
    }

    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match crate::inputs::store::is_full(&source) {
            true => Self::Store(StoreError::at(&path, source)),
            false => Self::File { path, source },
        }
    }
}

fn listed(files: &[String]) -> String {
    let files: Vec<_> = files.iter().map(|file| shown(file)).collect();
    files.join(", ")
}
