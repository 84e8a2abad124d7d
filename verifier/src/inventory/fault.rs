use std::fmt;

use content::Digest;
use sbom::Crate;

/// What was found when a bill of materials was compared with an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// What does not agree.
    pub faults: Vec<Fault>,
    /// The components of which the image shows nothing either way: crates, if no program has a list of crates or one was not
    /// read, packages of an operating system without files, whose objects may be linked, and the operating system.
    pub unshown: Vec<String>,
    /// The components without files of which a rebuild shows nothing either: neither crates, Debian packages, Go modules nor Python packages.
    pub unbuilt: Vec<String>,
}

/// What an image has at a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Held {
    /// A file with this digest.
    File(Digest),
    /// A hard link to this path.
    HardLink(String),
}

/// A disagreement. Paths have no leading slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A file of the image belongs to no component.
    Unlisted {
        /// The path.
        path: String,
        /// What the image has there.
        held: Held,
    },
    /// A component's file is not in the image.
    Absent {
        /// The path.
        path: String,
        /// The SHA-256 in the bill of materials, as hex.
        listed: Option<String>,
    },
    /// Two components are the same file.
    Twice(String),
    /// The component of a file does not have exactly one SHA-256.
    NoDigest(String),
    /// The image has another file at the path.
    Other {
        /// The path.
        path: String,
        /// The SHA-256 in the bill of materials, as hex.
        listed: String,
        /// What the image has there.
        held: Held,
    },
    /// A package URL has different digests, of one component or of several.
    TwoDigests(String),
    /// A component has several package URLs.
    TwoUrls(String),
    /// A package URL names another crate or package than its component does.
    Identity {
        /// The crate or package of the URL, with its version.
        named: String,
        /// The name and version of the component.
        found: String,
    },
    /// The list of crates in a program is invalid.
    Program {
        /// The path of the program.
        path: String,
        /// Why it is.
        reason: String,
    },
    /// A program contains a crate that is no component.
    UnlistedCrate {
        /// The path of the program.
        path: String,
        /// The crate.
        one: Crate,
    },
    /// A program of Go contains a module that is no component.
    UnlistedModule {
        /// The path of the program.
        path: String,
        /// The module and its version.
        one: String,
    },
    /// A crate is a component, but in no program.
    Unlinked(Crate),
    /// A component has no file in the image, and is not linked into a program.
    NoFile(String),
    /// A crate is not in `Cargo.lock`.
    NotLocked(Crate),
    /// A crate has another checksum in `Cargo.lock`.
    OtherChecksum(Crate),
}

impl fmt::Display for Held {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(digest) => digest.fmt(out),
            Self::HardLink(target) => write!(out, "a hard link to {target}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { path, .. } => {
                write!(out, "file {path} of the image belongs to no component")
            }
            Self::Absent { path, .. } => write!(out, "file {path} is not in the image"),
            Self::Twice(path) => write!(out, "file {path} is listed twice"),
            Self::NoDigest(path) => write!(out, "file {path} is listed without one SHA-256"),
            Self::Other { path, listed, held } => {
                write!(out, "file {path}: expected sha256:{listed}, found {held}")
            }
            Self::TwoDigests(purl) => write!(out, "package URL {purl} has different digests"),
            Self::TwoUrls(name) => write!(out, "component {name} has several package URLs"),
            Self::Identity { named, found } => {
                write!(out, "component {found} has the package URL of {named}")
            }
            Self::Program { path, reason } => write!(out, "program {path}: {reason}"),
            Self::UnlistedCrate { path, one } => {
                write!(out, "crate {one} of program {path} is no component")
            }
            Self::UnlistedModule { path, one } => {
                write!(out, "module {one} of program {path} is no component")
            }
            Self::Unlinked(one) => write!(out, "crate {one} is in no program of the image"),
            Self::NoFile(name) => write!(
                out,
                "component {name} has neither a file in the image nor a crate or module in a program"
            ),
            Self::NotLocked(one) => write!(out, "crate {one} is not in Cargo.lock"),
            Self::OtherChecksum(one) => {
                write!(out, "crate {one} has another checksum in Cargo.lock")
            }
        }
    }
}
