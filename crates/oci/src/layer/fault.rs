//! Faults of a layer, as errors with the path of the entry.

use std::io;

use content::{CheckError, ReadError};

use crate::{Error, LayerFault};

/// A fault in the entry at `path`. The error has at most 300 characters of the path.
pub(crate) fn at(path: &str, fault: LayerFault) -> Error {
    Error::Layer {
        path: path.chars().take(300).collect(),
        fault,
    }
}

/// A fault of the layer as a whole.
pub(crate) fn whole(fault: LayerFault) -> Error {
    at("", fault)
}

/// Converts an error of the archive reader, which reports malformed headers as text of kind `Other`.
pub(crate) fn unreadable(error: io::Error) -> Error {
    if let Some(inner) = error.get_ref() {
        if let Some(fault) = inner.downcast_ref::<LayerFault>() {
            return whole(fault.clone());
        }
        if error.kind() == io::ErrorKind::Other && !inner.is::<CheckError>() {
            return whole(LayerFault::Header);
        }
    }
    Error::ReadLayer(ReadError::from(error))
}
