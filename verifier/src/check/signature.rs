//! A signature over a file.

use std::path::{Path, PathBuf};

use ::signature::{Algorithm, detached};
use console::at;
use content::limits;

use super::Judgement;
use super::keys::Keys;
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

/// Checks whether one of the keys signed the file. A key that cannot be parsed has signed nothing.
///
/// # Errors
/// A file cannot be read, that of a key has no public key in PEM, or a key does not sign with the algorithm.
pub fn signature(request: &Signature<'_>) -> Result<Judgement, Error> {
    let keys = Keys::read(request.keys, request.algorithm)?;
    let signature = detached(at::read(request.signature, limits::PAYLOAD)?);
    let message = at::read(request.file, FILE)?;
    Ok(
        match keys.any(|key| key.verify(&message, &signature).is_ok()) {
            true => Judgement::Accepted,
            false => keys.refusal(|keys| {
                format!("the signature over this file does not verify with {keys}")
            }),
        },
    )
}
