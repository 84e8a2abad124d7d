//! A signature over a file.

use std::path::{Path, PathBuf};

use ::signature::{Algorithm, detached};
use console::at;
use content::limits;

use super::{Judgement, keys};
use crate::Error;

/// The largest file that is read, in bytes.
const FILE: u64 = 1 << 30;

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// The file that was signed.
    pub file: &'a Path,
    /// The signature: its bytes, their base64, or the bundle that cosign writes.
    pub signature: &'a Path,
    /// The public keys. A signature by one of them is enough.
    pub keys: &'a [PathBuf],
    /// The only algorithm, in place of those of each key's type.
    pub algorithm: Option<Algorithm>,
}

/// Checks whether one of the keys signed the file.
///
/// # Errors
/// A file or key cannot be read, or a key does not sign with the algorithm.
pub fn signature(request: &Signature<'_>) -> Result<Judgement, Error> {
    let keys = keys::read(request.keys, request.algorithm)?;
    let signature = detached(at::read(request.signature, limits::PAYLOAD)?);
    let message = at::read(request.file, FILE)?;
    let is_signed = keys
        .iter()
        .any(|key| key.verify(&message, &signature).is_ok());
    Ok(match is_signed {
        true => Judgement::Accepted,
        false => Judgement::Refused(format!(
            "the signature over this file does not verify with {}",
            keys::described(&keys)
        )),
    })
}
