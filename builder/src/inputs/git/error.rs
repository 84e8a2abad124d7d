//! Why a source cannot be staged.

use std::io;
use std::path::{Path, PathBuf};

use super::limits::{ENTRIES, PATH, TOTAL};
use crate::at::At;
use crate::host::HostError;
use crate::inputs::cargo::ELSEWHERE;
use crate::untrusted::{self, shown};

/// A source that cannot be staged.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// git cannot be run, or fails.
    #[error("reading source: {0}")]
    Host(#[from] HostError),
    /// The directory is in no repository that git reads.
    #[error("reading source: {} is in no git repository that can be read: {source}", directory.display())]
    Repository {
        /// The directory of `Image.toml`.
        directory: PathBuf,
        /// What git says.
        source: HostError,
    },
    /// The repository has no commit.
    #[error("reading source: the repository around {} has no commit yet", directory.display())]
    Unborn {
        /// The directory of `Image.toml`.
        directory: PathBuf,
    },
    /// Files differ from the last commit, or are not in it.
    #[error("reading source: not committed: {}{}", listed(files), if *more { " and more" } else { "" })]
    Dirty {
        /// The first paths in the repository.
        files: Vec<String>,
        /// Whether there are more.
        more: bool,
    },
    /// The commit has something other than files and folders.
    #[error(
        "reading source: {} has git mode {mode}; only files can be staged",
        shown(path)
    )]
    Kind {
        /// The path in the repository.
        path: String,
        /// Its mode in git.
        mode: String,
    },
    /// A path leads out of the source, or into git's own folder.
    #[error(
        "reading source: \"{}\" in the commit is not a plain path below its repository",
        shown(path)
    )]
    Path {
        /// The path in the commit.
        path: String,
    },
    /// A folder of the commit has two entries of one name: readers may see either.
    #[error("reading source: the commit has two files at {}", shown(path))]
    Twice {
        /// Their path in the repository.
        path: String,
    },
    /// The source has configuration that cargo would obey.
    #[error(
        "reading source: {} could replace crates, compiler and linker",
        shown(path)
    )]
    Configuration {
        /// The path in the repository.
        path: String,
    },
    /// The source has too many files and folders.
    #[error("reading source: more than {ENTRIES} files and folders")]
    Files,
    /// The source is too large.
    #[error("reading source: its files unpack to more than {TOTAL} bytes")]
    Large,
    /// A git object is too large.
    #[error("reading source: git object {name} has {size} bytes: expected at most {limit}")]
    LargeObject {
        /// The name of the object.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// The most bytes that it may have.
        limit: u64,
    },
    /// A path is longer than any that Linux opens.
    #[error("reading source: a path has more than {PATH} bytes: {}", shown(path))]
    LongPath {
        /// The path in the repository.
        path: String,
    },
    /// The name of a git object is not the digest of its content.
    #[error("reading source: git object {name} does not have the content that its name says")]
    Object {
        /// The name of the object.
        name: String,
    },
    /// The repository does not have a git object.
    #[error("reading source: the repository has no git object {name}")]
    Missing {
        /// The name of the object.
        name: String,
    },
    /// The path to the directory has a symbolic link.
    #[error("reading source: {} is a symbolic link", shown(&path.to_string_lossy()))]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A pattern for workspace members is invalid.
    #[error(
        "reading source: \"{}\" is not a pattern for workspace members",
        shown(pattern)
    )]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// A path dependency is outside the repository.
    #[error(
        "reading source: {} uses \"{}\", which is outside the repository",
        shown(manifest),
        shown(path)
    )]
    Outside {
        /// The manifest with the dependency.
        manifest: String,
        /// The path in the manifest.
        path: String,
    },
    /// A crate comes from another registry, or from a git repository.
    #[error(
        "reading source: {} takes crate {} from elsewhere than the public registry: {}",
        shown(manifest),
        shown(dependency),
        shown(found)
    )]
    Elsewhere {
        /// The manifest with the dependency.
        manifest: String,
        /// The name of the crate.
        dependency: String,
        /// The line of the manifest.
        found: String,
    },
    /// The source does not have a crate.
    #[error("reading source: there is no {}", shown(manifest))]
    Absent {
        /// The path of its manifest.
        manifest: String,
    },
    /// A manifest is invalid.
    #[error("parsing {}: {}", shown(manifest), untrusted::toml(source))]
    Manifest {
        /// The path of the manifest.
        manifest: String,
        /// What is wrong.
        source: toml::de::Error,
    },
    /// The answer of git is invalid.
    #[error("reading source: git answered \"{}\"", shown(found))]
    Answer {
        /// The answer.
        found: String,
    },
    /// A file of the working tree cannot be read, or a file cannot be staged.
    #[error(transparent)]
    At(#[from] At),
}

impl SourceError {
    /// Whether this is an answer about the source, and the same on every machine.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Elsewhere { .. }
                | Self::Configuration { .. }
                | Self::Kind { .. }
                | Self::Path { .. }
                | Self::Twice { .. }
        )
    }

    /// What helps, if that is known.
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
                Some("remove it from what is built; settings of a build belong in Cargo.toml")
            }
            Self::Host(error) => error.hint(),
            Self::Repository { source, .. } => {
                let clone = "build in a clone of the source's repository that is yours";
                Some(source.hint().unwrap_or(clone))
            }
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

    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        let at = At::doing("staging", path);
        move |source| at(source).into()
    }
}

fn listed(files: &[String]) -> String {
    let files: Vec<_> = files.iter().map(|file| shown(file)).collect();
    files.join(", ")
}
