//! The image that a reference names.

use console::hint::Hinted;
use oci::{ImageRef, Reference, Target};
use remote::Registry;

/// The image by digest. A tag is resolved once.
///
/// # Errors
/// There is no such tag, or the registry fails.
pub async fn resolve(registry: &Registry, reference: &Reference) -> Result<ImageRef, Hinted> {
    let digest = match &reference.target {
        Target::Digest(digest) => *digest,
        Target::Tag(tag) => {
            let doing = format!("resolving {reference}");
            let found = registry.resolve(tag).await;
            let found = found.map_err(|error| {
                let hint = error.hint();
                Hinted::doing(&doing, error).hinting(hint)
            })?;
            let absent = || Hinted::new(format!("{doing}: no such tag")).hinting("check the name");
            found.ok_or_else(absent)?.digest
        }
    };
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}
