//! What is to be signed, for a key that signs elsewhere. Nothing is sent to a registry.

use std::path::Path;

use ::attest::{PredicateType, Statement};
use chrono::{DateTime, Utc};
use oci::ImageRef;
use serde_json::Value;
use signature::envelope::{IN_TOTO, pae};
use signature::{Annotations, PublicKey};

use super::attest::read;
use crate::error::Error;

/// The layout that a signature is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// The tag `sha256-<hex>.sig`.
    Legacy,
    /// A bundle among the referrers.
    Bundle,
}

/// The bytes to sign for a signature on an image, in this layout, with this key.
///
/// # Errors
/// The annotations are too large.
pub fn of_signature(
    image: &ImageRef,
    layout: Layout,
    key: &PublicKey,
    annotations: &Annotations,
) -> Result<Vec<u8>, Error> {
    match layout {
        Layout::Legacy => Ok(signer::payload(image, key, annotations)?),
        Layout::Bundle => encoded(&signer::signature_statement(image, annotations)),
    }
}

/// The bytes to sign for a statement with the predicate in a file about an image. They are the same for both layouts.
/// `now` is the time in predicates that have no other place for one.
///
/// # Errors
/// The file is not such a predicate.
pub fn of_statement(
    image: &ImageRef,
    kind: &PredicateType,
    path: &Path,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Error> {
    let predicate = read(kind, path, now)?;
    encoded(&signer::statement(image, kind, predicate))
}

/// The statement as it is signed in an envelope.
fn encoded(statement: &Statement<Value>) -> Result<Vec<u8>, Error> {
    let statement = statement.to_bytes().map_err(signer::Error::from)?;
    Ok(pae(IN_TOTO, &statement))
}
