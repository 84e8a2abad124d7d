//! Hints: what the user can do about an error.

use std::error::Error;
use std::fmt::Display;
use std::io;

use content::ReadError;
pub use content::at::is_full;

/// If temporary files cannot be written.
pub const TEMPORARY: &str =
    "check the free space; TMPDIR names the folder for temporary files, which must be writable";

/// If standard output cannot be written.
pub const PRINT: &str = "standard output was closed, or the disk is full";

/// An error that no code decides by: its message is written where it occurs, with what the user can do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Hinted {
    message: String,
    hint: Option<&'static str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Hinted {
    /// An error with this message, and without a hint.
    pub fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            source: None,
        }
    }

    /// The error `{doing}: {source}`, and without a hint of its own.
    pub fn doing(doing: impl Display, source: impl Error + Send + Sync + 'static) -> Self {
        Self::from_error(source).during(doing)
    }

    /// The error `{source}`, and without a hint of its own.
    pub fn from_error(source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            message: source.to_string(),
            hint: None,
            source: Some(Box::new(source)),
        }
    }

    /// The error `{doing}: {self}`, with the same hint.
    #[must_use]
    pub fn during(self, doing: impl Display) -> Self {
        Self {
            message: format!("{doing}: {}", self.message),
            ..self
        }
    }

    /// Temporary files cannot be written.
    pub fn temporary(source: io::Error) -> Self {
        Self::doing("making a temporary directory", source).hinting(TEMPORARY)
    }

    /// The process has no threads, signals or name.
    pub fn starting(source: io::Error) -> Self {
        Self::doing("starting", source).hinting(crate::runtime::HINT)
    }

    /// Standard output is closed or full.
    pub fn printing(source: io::Error) -> Self {
        Self::doing("writing to standard output", source).hinting(PRINT)
    }

    /// The same error with what the user can do, on one line.
    #[must_use]
    pub fn hinting(self, hint: &'static str) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }

    /// What the user can do, on one line: the error's own hint, or that of [`of`].
    pub fn hint(&self) -> Option<&'static str> {
        self.hint.or_else(|| of(self))
    }
}

/// The hint for the first error of the system among `error` and its sources that has one.
pub fn of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let system = error.downcast_ref::<io::Error>();
        if let Some(hint) = system.and_then(of_system) {
            return Some(hint);
        }
        cause = error.source();
    }
    None
}

/// The hint for an error of a file that the user has named.
pub fn of_file(error: &(dyn Error + 'static)) -> &'static str {
    of(error).unwrap_or("check that the path exists and that you have access to it")
}

fn of_system(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        _ if is_full(error) => "free some space, and repeat the command",
        _ if is_large(error) => "the file is larger than any file of its kind: check the path",
        io::ErrorKind::PermissionDenied => "check that you may read or write it",
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "check the path",
        io::ErrorKind::IsADirectory => "this is a directory: name a file",
        io::ErrorKind::AlreadyExists => "it exists already: choose another path, or remove it",
        io::ErrorKind::BrokenPipe => "the program that read the output has ended",
        _ => return None,
    })
}

fn is_large(error: &io::Error) -> bool {
    let read = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(read, Some(ReadError::Limit { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_of_the_system_decides() {
        let outer = |source: io::Error| Hinted::doing("reading", source);
        let absent = outer(io::ErrorKind::NotFound.into());
        assert_eq!(of(&absent), Some("check the path"));
        assert_eq!(absent.hint(), Some("check the path"));
        let own = absent.hinting("own").during("doing");
        assert_eq!(own.hint(), Some("own"));
        assert!(own.to_string().starts_with("doing: reading: "), "{own}");
        assert_eq!(of(&outer(io::Error::other("x"))), None);
        assert_eq!(outer(io::Error::other("x")).to_string(), "reading: x");
        assert_eq!(of(&std::fmt::Error), None);
        assert_eq!(Hinted::new("x").hint(), None);
    }

    #[test]
    fn a_directory_given_as_a_file_is_not_to_be_removed() {
        let read = content::at::read(&std::env::temp_dir(), 1);
        let hint = of(&read.unwrap_err());
        assert_eq!(hint, Some("this is a directory: name a file"));
    }

    #[test]
    fn distinguishes_a_large_file_from_a_full_disk() {
        let large = content::read_limited(&[0; 2][..], 1).map_err(io::Error::other);
        let hint = of_system(&large.unwrap_err());
        assert!(hint.unwrap().contains("larger than any file"), "{hint:?}");
        let full = io::ErrorKind::StorageFull.into();
        assert!(of_system(&full).unwrap().starts_with("free some space"));
    }
}
