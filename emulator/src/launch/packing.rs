//! The compression of layers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use oci::{Descriptor, media};

use super::Error;

/// The media type of an uncompressed layer of Docker (distribution, "Image Manifest Version 2, Schema 2").
const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// The media type of a gzip layer of Docker (the same).
const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The compression of a layer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// Uncompressed.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
}

impl Packing {
    /// The compression by the media type in the manifest, which alone the launcher's container engine uses.
    ///
    /// # Errors
    /// The media type is not supported.
    pub fn of(layer: &Descriptor) -> Result<Self, Error> {
        match layer.media_type.as_str() {
            media::LAYER_TAR | DOCKER_TAR => Ok(Self::Plain),
            media::LAYER_GZIP | DOCKER_GZIP => Ok(Self::Gzip),
            other => {
                let shown: String = other.chars().take(200).collect();
                let digest = layer.digest;
                Err(Error::image(
                    "reading image",
                    format!("layer {digest} has the unsupported media type {shown:?}"),
                ))
            }
        }
    }

    /// The compression by the first bytes of a layer.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn found_in(file: &File) -> io::Result<Self> {
        let mut first = [0; 2];
        // A shorter file is not gzip.
        file.read_at(&mut first, 0)?;
        // RFC 1952 section 2.3.1: ID1 and ID2.
        Ok(match first {
            [0x1f, 0x8b] => Self::Gzip,
            _ => Self::Plain,
        })
    }
}
