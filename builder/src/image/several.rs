//! The layouts of several images in one folder: each has the name of its image, and a list is beside them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use attest::ImageName;
use console::hint::Hinted;
use content::{Digest, json, limits};
use serde::{Deserialize, Serialize};

use super::assemble::Identities;
use crate::at::{self, At};

/// The name of the list.
pub(super) const LIST: &str = "images.json";

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

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: ImageName,
    image_digest: Digest,
    image_id: Digest,
}

/// Writes the list of the images with names, whose layouts are in `folder`; nothing if the image has no name.
///
/// # Errors
/// It cannot be written.
pub(crate) fn list(images: &[BuiltImage], folder: &Path) -> Result<(), At> {
    let named = images.iter().filter_map(|image| {
        Some(Listed {
            name: image.name.clone()?,
            image_digest: image.identities.image_digest,
            image_id: image.identities.image_id,
        })
    });
    let listed: Vec<_> = named.collect();
    if listed.is_empty() {
        return Ok(());
    }
    let path = folder.join(LIST);
    let bytes = json::canonical(&listed).map_err(io::Error::other);
    bytes
        .and_then(|bytes| fs::write(&path, bytes))
        .map_err(At::writing(&path))
}

/// Checks that a folder is not one with the layouts of several images, where the layout of one is needed.
///
/// # Errors
/// It is.
pub(crate) fn check_single(folder: &Path) -> Result<(), Hinted> {
    let path = folder.join(LIST);
    if !path.is_file() {
        return Ok(());
    }
    let bytes = at::read(&path, limits::DOCUMENT).map_err(Hinted::from_error)?;
    let listed: Vec<Listed> = json::parse(&bytes, limits::DOCUMENT)
        .map_err(|error| Hinted::doing(format_args!("reading {}", path.display()), error))?;
    let layouts = listed.iter().map(|one| folder.join(one.name.as_str()));
    let layouts: Vec<_> = layouts.map(|path| path.display().to_string()).collect();
    Err(Hinted::new(format_args!(
        "reading {}: it has the layouts of several images: {}",
        folder.display(),
        layouts.join(", ")
    ))
    .hinting("name one of these layouts"))
}
