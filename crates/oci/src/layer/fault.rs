//! Faults of a layer, as errors with the path of the entry.

use std::borrow::Cow;
use std::io;

use content::{CheckError, ReadError};

use crate::Error;

/// Why a layer or one of its entries is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fault(Cow<'static, str>);

/// The path is empty, leaves the root, or contains `.`, `..` or an empty part.
pub(crate) const PATH: Fault = of("path is not a plain path below the root");
pub(crate) const ENCODING: Fault = of("path is not UTF-8");
pub(crate) const LINK: Fault = of("link target is empty, too long or contains NUL");
/// A control character is of Unicode's category Cc.
pub(crate) const CONTROL: Fault = of("path or link target contains a control character");
pub(crate) const DUPLICATE: Fault = of("path appears twice");
/// Format v2 has no other modes.
pub(crate) const MODE: Fault =
    of("mode has bits that are not allowed here: files have 0777, directories 1777, links none");
pub(crate) const PARENT: Fault = of("parent is not a directory");
/// The extended header may also contradict the entry's header.
pub(crate) const EXTENSION: Fault = of("extended header is malformed");
pub(crate) const HEADER: Fault = of("header is malformed");
pub(crate) const TRAILING: Fault = of("bytes after the end of the archive");
/// A file changed its size or type.
pub(crate) const CHANGED: Fault = of("file changed while it was read");

pub(crate) const fn of(text: &'static str) -> Fault {
    Fault(Cow::Borrowed(text))
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

pub(crate) fn path_length(limit: usize) -> Fault {
    format!("path is longer than {limit} bytes").into()
}

pub(crate) fn link(target: &str) -> Fault {
    format!("link target {:?} leaves the root", shortened(target)).into()
}

/// The target of a hard link is not a regular file of this layer or a lower one.
pub(crate) fn hard_link(target: &str) -> Fault {
    format!("hard link target {:?} is not a file", shortened(target)).into()
}

pub(crate) fn entries(limit: usize) -> Fault {
    format!("more than {limit} entries").into()
}

pub(crate) fn size(limit: u64) -> Fault {
    format!("more than {limit} bytes unpacked").into()
}

/// At most 300 characters of a path.
fn shortened(path: &str) -> String {
    path.chars().take(300).collect()
}

/// A fault in the entry at `path`. The error has at most 300 characters of the path.
pub(crate) fn at(path: &str, fault: Fault) -> Error {
    let path = shortened(path);
    Error::invalid(format!("reading layer: entry {path:?}"), fault)
}

/// A fault of the layer as a whole.
pub(crate) fn whole(fault: Fault) -> Error {
    Error::invalid("reading layer", fault)
}

/// Converts an error of the archive reader, which reports malformed headers as text of kind `Other`.
pub(crate) fn unreadable(error: io::Error) -> Error {
    if let Some(inner) = error.get_ref() {
        if let Some(fault) = inner.downcast_ref::<Fault>() {
            return whole(fault.clone());
        }
        if error.kind() == io::ErrorKind::Other && !inner.is::<CheckError>() {
            return whole(HEADER);
        }
    }
    Error::ReadLayer(ReadError::from(error))
}
