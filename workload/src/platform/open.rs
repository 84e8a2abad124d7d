//! Decrypts a message with its sender's key. The additional authenticated data binds the ciphertext to its sender, its name and
//! this image.

use google::kms::Key;
use serde_json::json;
use tee::{Access, Bound, Secret};

use crate::platform::Error;
use crate::platform::inbox::EncryptedMessage;

/// The outcome of decrypting a message.
pub enum Opened {
    /// The decrypted data.
    Plaintext(Secret),
    /// The key does not decrypt this message, with the reason that Cloud KMS states. The message is at
    /// fault, not the workload.
    NotOpened(String),
}

/// Decrypts `message` with `key`.
///
/// # Errors
/// The key's owner denies access or has disabled the key; or the answer is missing, invalid or
/// corrupted.
pub fn open(
    message: &EncryptedMessage,
    key: &Key,
    access: &Access,
    bound: &Bound,
) -> Result<Opened, Error> {
    let EncryptedMessage {
        collaborator, name, ..
    } = message;
    let doing = format!("decrypting message {name} of {collaborator}");
    let aad = associated_data(message, bound)?;
    match access.decrypt(&doing, key, &message.ciphertext, &aad) {
        Ok(data) => Ok(Opened::Plaintext(data)),
        Err(tee::Error::NotDecrypted { reason, .. }) => Ok(Opened::NotOpened(reason)),
        Err(error) => Err(error.into()),
    }
}

/// `{"collaborator":…,"image_digest":…,"message":…}`: sorted by name, without white space.
fn associated_data(message: &EncryptedMessage, bound: &Bound) -> Result<Vec<u8>, Error> {
    let data = json!({
        "collaborator": message.collaborator,
        "image_digest": bound.image_digest(),
        "message": message.name,
    });
    content::json::canonical(&data).map_err(Error::Request)
}
