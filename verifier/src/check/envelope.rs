//! A DSSE envelope.

use std::path::{Path, PathBuf};

use console::at;
use content::limits;
use signature::Algorithm;

use super::Judgement;
use super::keys::Keys;
use crate::Error;

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The envelope.
    pub file: &'a Path,
    /// The public keys. A signature by one of them is enough.
    pub keys: &'a [PathBuf],
    /// The only algorithm, in place of those of each key's type.
    pub algorithm: Option<Algorithm>,
    /// The only type that the payload may have.
    pub payload_type: Option<&'a str>,
}

/// Checks whether one of the keys signed the envelope's payload and type. Key IDs in the envelope are hints and
/// have no effect. A key that cannot be parsed has signed nothing.
///
/// # Errors
/// A file cannot be read, that of a key has no public key in PEM, or a key does not sign with the algorithm.
pub fn envelope(request: &Envelope<'_>) -> Result<Judgement, Error> {
    let keys = Keys::read(request.keys, request.algorithm)?;
    let bytes = at::read(request.file, limits::STATEMENT)?;
    let envelope = match signature::envelope::Envelope::parse(&bytes) {
        Ok(envelope) => envelope,
        Err(error) => return Ok(Judgement::Refused(error.to_string())),
    };
    if !keys.any(|key| envelope.verify(key).is_ok()) {
        return Ok(keys.refusal(|keys| format!("no signature verifies with {keys}")));
    }
    let found = envelope.payload_type();
    Ok(match request.payload_type {
        Some(expected) if expected != found => {
            let found = content::printable(found, 200);
            Judgement::Refused(format!(
                "checking payload type: expected {expected}, found {found}"
            ))
        }
        _ => Judgement::Accepted,
    })
}
