//! Why the emulator cannot be started.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use console::hint::{self, Hinted};
use content::at::{self, At};

/// Why the services cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file or folder of the state cannot be used.
    #[error(transparent)]
    File(#[from] At),
    /// A project or a file is refused, a key cannot be made, or ports, threads, signals or output fail.
    #[error(transparent)]
    Other(#[from] Hinted),
}

/// If nothing else is known.
const START: &str =
    "check the limits on processes and open files, and that standard output is open";

impl StartError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(at) => hint::of_file(&at.source),
            Self::Other(error) => error.hint().unwrap_or(START),
        }
    }

    /// Threads, signals or output of the process fail.
    pub fn start(source: io::Error) -> Self {
        Hinted::doing("starting services", source)
            .hinting(START)
            .into()
    }

    /// A port cannot be opened.
    pub(crate) fn listen(address: SocketAddr, source: io::Error) -> Self {
        let doing = format!("listening on {address}");
        // No port was chosen: another choice would not help.
        let hint = match address.port() {
            0 => START,
            _ => "check that the port is free, or choose others with --port-base",
        };
        Hinted::doing(doing, source).hinting(hint).into()
    }

    pub(crate) fn refused(doing: impl Display, fault: impl Display, hint: &'static str) -> Self {
        Hinted::new(format!("{doing}: {fault}"))
            .hinting(hint)
            .into()
    }

    /// The file of an earlier run is refused.
    pub(crate) fn file(path: &Path, fault: impl Display, hint: &'static str) -> Self {
        Self::refused(format!("reading {}", at::shown(path)), fault, hint)
    }

    /// The state of a service cannot be kept.
    pub(crate) fn state(owner: &dyn Display) -> Self {
        Self::refused(
            format!("keeping the state of {owner}"),
            "it cannot be written",
            "check that the state folder can be written, and that there is room on its disk",
        )
    }

    /// The keys of a service or project cannot be made.
    pub(crate) fn keys(owner: &dyn Display) -> Self {
        Self::refused(
            format!("making keys of {owner}"),
            "the cryptographic library failed",
            "check that the system's random number generator is available",
        )
    }
}
