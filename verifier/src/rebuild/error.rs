//! What keeps a rebuild from being carried out, or read.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::commit::{Commit, InvalidCommit};
use crate::damage::Damage;

/// A rebuild that could not be carried out. It says nothing about the image.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A program is not there.
    #[error("starting {program}: {source}")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program is not installed.
    #[error(transparent)]
    Absent(#[from] console::process::Absent),
    /// The source cannot be had.
    #[error("cloning {origin}: {last_line}")]
    Clone {
        /// Whence.
        origin: String,
        /// The last line that git wrote.
        last_line: String,
    },
    /// The source is more than can be fetched.
    #[error("cloning {origin}: it takes more than {limit}")]
    Limit {
        /// Whence.
        origin: String,
        /// The limit that was reached.
        limit: String,
    },
    /// The commit is more than can be checked out.
    #[error("reading source: commit {commit} unpacks to more than {limit}")]
    Large {
        /// The commit.
        commit: Commit,
        /// The limit that was reached.
        limit: String,
    },
    /// A source with a part of its history only does not have the commit.
    #[error("reading {source_name}: it is a shallow clone, and commit {commit} is not in it")]
    Shallow {
        /// The source.
        source_name: String,
        /// The commit.
        commit: Commit,
    },
    /// The caller asked for a commit that the source does not have.
    #[error("reading {source_name}: no branch or tag leads to commit {commit}")]
    NoCommit {
        /// The source.
        source_name: String,
        /// The commit.
        commit: Commit,
    },
    /// The commit has no such directory, or it would lead out of the source.
    #[error("reading source: commit {commit} has no directory {directory:?}")]
    NoDirectory {
        /// What the caller named.
        directory: String,
        /// The commit.
        commit: Commit,
    },
    /// A file of the package index does not come.
    #[error("fetching {name} of the locked package index: {source}")]
    Index {
        /// Its name.
        name: String,
        /// Why not.
        source: Box<remote::Error>,
    },
    /// A program ended otherwise than it should.
    #[error("{doing}: {status}: {last_line}")]
    Status {
        /// What it was doing.
        doing: String,
        /// How it ended.
        status: ExitStatus,
        /// The last line that it wrote for people.
        last_line: String,
    },
    /// A file of the result is not there.
    #[error("reading {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is no room for the source.
    #[error("writing {path}: {source}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The result is no layout.
    #[error("reading rebuilt layout: {0}")]
    Layout(#[from] oci::Error),
    /// The result is a layout of damaged blobs.
    #[error("reading rebuilt layout: {0}")]
    Damaged(Box<Damage>),
    /// The builder's own description cannot be read.
    #[error("reading rebuilt layout: {0}")]
    Description(#[from] attest::Error),
    /// The layout does not say which commit it was built from.
    #[error("reading rebuilt layout: provenance.json names no commit, or several")]
    NoSource,
    /// The layout is not one that a rebuild left.
    #[error("reading rebuilt layout: no record of a rebuild: expected {path}")]
    NoRecord {
        /// Where it should be.
        path: PathBuf,
    },
    /// The record is of another rebuild than the layout.
    #[error(
        "reading rebuilt layout: expected {what} {expected}, as rebuild.json says, found {found}"
    )]
    Record {
        /// Image or commit.
        what: &'static str,
        /// What the record says.
        expected: String,
        /// What the layout holds.
        found: String,
    },
    /// The builder ended well without a layout.
    #[error("running {program}: it ended well, and built nothing")]
    Nothing {
        /// Which program.
        program: PathBuf,
    },
    /// The builder built something else than it was given.
    #[error("reading rebuilt layout: expected commit {expected}, found {found}")]
    Commit {
        /// What was checked out.
        expected: Commit,
        /// What the builder says it built.
        found: String,
    },
    /// The builder built another directory than it was given.
    #[error("reading rebuilt layout: expected directory {expected:?}, found {found:?}")]
    Directory {
        /// The directory that was ordered.
        expected: String,
        /// What the builder says it built.
        found: String,
    },
    /// `HEAD` of the source is not a commit.
    #[error("reading HEAD of the source: {0}")]
    Head(#[from] InvalidCommit),
}
