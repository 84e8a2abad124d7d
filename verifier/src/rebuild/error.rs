//! What prevents a rebuild.

use std::fmt::Display;
use std::io;
use std::process::ExitStatus;

use console::at::At;
use console::hint::{self, Hinted};
use console::process::Absent;

/// A rebuild that could not be carried out or read. It says nothing about the image.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A file cannot be read or written.
    #[error(transparent)]
    At(#[from] At),
    /// The source cannot be cloned, is too large, or does not have what is to be built.
    #[error(transparent)]
    Source(Hinted),
    /// A file that the source has locked cannot be fetched from where the image is.
    #[error(transparent)]
    Index(Hinted),
    /// A program cannot be run, or has failed.
    #[error(transparent)]
    Program(Hinted),
    /// The rebuilt layout is damaged, or is of another rebuild.
    #[error("reading rebuilt layout: {0}")]
    Layout(Hinted),
}

impl RebuildError {
    /// What the user can do, on one line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::At(at) => hint::of(&at.source).or(Some(LAYOUT)),
            Self::Index(error)
            | Self::Source(error)
            | Self::Program(error)
            | Self::Layout(error) => error.hint(),
        }
    }

    pub(super) fn source(message: impl Display, hint: &'static str) -> Self {
        Self::Source(Hinted::new(message).hinting(hint))
    }

    pub(super) fn starting(program: &str, source: io::Error) -> Self {
        let starting = format!("starting {program}");
        Self::Program(Hinted::doing(starting, source).hinting(found_at(program)))
    }

    /// `said` is what the program printed, which the user has not seen.
    pub(super) fn silent(doing: impl Display, status: ExitStatus, said: &str) -> Self {
        Self::Program(Hinted::new(format_args!("{doing}: {status}: {said}")))
    }

    /// `last_line` is the last line that the program printed for people.
    pub(super) fn failed(doing: impl Display, status: ExitStatus, last_line: &str) -> Self {
        let said = Hinted::new(format_args!("{doing}: {status}: {last_line}"));
        Self::Program(said.hinting("see the program's messages above"))
    }

    pub(super) fn damaged(fault: impl Display) -> Self {
        Self::Layout(Hinted::new(fault).hinting(LAYOUT))
    }

    /// `what` is `commit`, `directory` or `image`.
    pub(super) fn other(what: &str, expected: impl Display, found: impl Display) -> Self {
        let other = format_args!("expected {what} {expected}, found {found}");
        Self::Layout(Hinted::new(other).hinting(BUILDER))
    }
}

impl From<Absent> for RebuildError {
    fn from(absent: Absent) -> Self {
        let hint = found_at(&absent.0.to_string_lossy());
        Self::Program(Hinted::new(absent).hinting(hint))
    }
}

/// Where a program comes from.
fn found_at(program: &str) -> &'static str {
    match program {
        "git" => "install git",
        "setpriv" | "prlimit" => "install util-linux",
        _ => BESIDE,
    }
}

pub(super) const BUILDER: &str = "check that --builder names the builder";
pub(super) const LARGE: &str = "check the source; --limit-repository and --limit-source raise the limits on its \
                                size; a clone of one branch is smaller: git clone --single-branch";
pub(super) const NOT_OURS: &str =
    "--rebuilt takes a layout of `verifier rebuild -o`, not one of `builder build`";
const BESIDE: &str = "without --builder, `builder` in the directory of this program is started";
const LAYOUT: &str = "pass a layout that `verifier rebuild -o` wrote";
