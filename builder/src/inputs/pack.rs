//! Packs the inputs of a directory's lock into a capsule.

use std::path::Path;

use oci::Descriptor;

use super::archive;
use super::capsule::{Annotated, Assembled, assemble};
use super::git::repositories;
use super::obtain::obtain;
use super::supply::Supply;
use super::wanted::Wanted;
use crate::error::Error;

/// Packs all inputs that the lock in a directory of the working tree names. Those that the store does not have are fetched. The
/// capsule refers to the image `subject`, if there is one.
///
/// # Errors
/// There is no lock of this directory, or an input cannot be obtained, or the work was interrupted.
pub fn pack(
    directory: &Path,
    subject: Option<Descriptor>,
    supply: &Supply<'_>,
) -> Result<Assembled, Error> {
    let wanted = Wanted::read(directory)?;
    let (lock, digest) = wanted.lock_in(Path::new(""), directory)?;
    let images = wanted.images(&lock)?;
    drop(obtain(&wanted, &lock, &digest, &images, supply)?);
    archive::complete(&wanted.spec.archives, &lock.archives, supply)?;
    let git = repositories::pack(&lock.repositories, supply)?;
    let annotated = Annotated {
        spec: &wanted.spec,
        lock: &lock,
        digest,
        subject,
    };
    assemble(&annotated, &git, supply)
}
