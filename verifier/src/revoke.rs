//! Revokes a grant, without a verdict or a registry.

use content::Digest;

use crate::error::Error;
use crate::grant::apply::{Change, Keys};
use grant::Grant;

/// Removes the member for `digest` from the policy of the key, and nothing else.
///
/// # Errors
/// The key service fails.
pub async fn revoke(keys: &Keys, grant: &Grant, digest: &Digest) -> Result<Change, Error> {
    Ok(keys.remove(grant, digest).await?)
}
