//! The layouts of several images in one folder: each has the name of its image, and a list is beside them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use attest::{ImageList, ImageName, ListedImage};
use console::hint::Hinted;

use super::assemble::Identities;
use crate::at::At;

/// An image that was built.
#[derive(Clone, Debug)]
pub struct BuiltImage {
    /// Its name, if `Image.toml` gives it one.
    pub name: Option<ImageName>,
    /// Its digests.
    pub identities: Identities,
}

/// The layout of the image `name` in an output: a folder of that name if no image was `chosen`, but all with names are built.
pub fn layout(output: &Path, chosen: Option<&ImageName>, name: Option<&ImageName>) -> PathBuf {
    match (chosen, name) {
        (None, Some(name)) => output.join(name.as_str()),
        _ => output.to_owned(),
    }
}

/// Writes the list of the images with names, whose layouts are in `folder`; nothing if the image has no name.
///
/// # Errors
/// It cannot be written.
pub(crate) fn list(images: &[BuiltImage], folder: &Path) -> Result<(), At> {
    let named = images.iter().filter_map(|image| {
        Some(ListedImage {
            name: image.name.clone()?,
            image_digest: image.identities.image_digest,
            image_id: image.identities.image_id,
        })
    });
    let list = ImageList {
        images: named.collect(),
    };
    if list.images.is_empty() {
        return Ok(());
    }
    let path = folder.join(ImageList::FILE);
    let bytes = list.to_bytes().map_err(io::Error::other);
    bytes
        .and_then(|bytes| fs::write(&path, bytes))
        .map_err(At::writing(&path))
}

/// Checks that a folder is not one with the layouts of several images, where the layout of one is needed.
///
/// # Errors
/// It is, or its list cannot be read.
pub(crate) fn check_single(folder: &Path) -> Result<(), Hinted> {
    let Some(list) = ImageList::read(folder).map_err(Hinted::from_error)? else {
        return Ok(());
    };
    let layouts = list.images.iter().map(|one| folder.join(one.name.as_str()));
    let layouts: Vec<_> = layouts.map(|path| path.display().to_string()).collect();
    Err(Hinted::new(format_args!(
        "reading {}: it has the layouts of several images: {}",
        folder.display(),
        layouts.join(", ")
    ))
    .hinting("name one of these layouts"))
}
