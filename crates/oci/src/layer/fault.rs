//! What is wrong with a layer, as an error with the path of the entry.

use std::io;

use content::{CheckError, ReadError};

use crate::{Error, LayerFault};

/// A fault at `path`, of which the error names the first 300 characters.
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

/// The archive reader reports its own refusals as plain text of the kind `Other`.
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
