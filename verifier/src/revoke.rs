//! Takes a grant back. No verdict is needed for that, and no registry.

use content::Digest;

use crate::error::Error;
use crate::grant::Grant;
use crate::grant::apply::{Change, Keys};

/// Removes the member that stands for `digest` from the key of `grant`, and nothing else.
///
/// # Errors
/// The key service fails.
pub async fn revoke(keys: &Keys, grant: &Grant, digest: &Digest) -> Result<Change, Error> {
    Ok(keys.remove(grant, digest).await?)
}
