use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use oci::{Descriptor, media};

use super::Error;

/// A layer of Docker's (distribution, "Image Manifest Version 2, Schema 2"), as it is and in gzip.
const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// How a layer is packed, by its media type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// In gzip.
    Gzip,
}

impl Packing {
    /// What the manifest says of a layer. The launcher's container engine goes by it alone.
    ///
    /// # Errors
    /// A type of another kind.
    pub fn of(layer: &Descriptor) -> Result<Self, Error> {
        match layer.media_type.as_str() {
            media::LAYER_TAR | DOCKER_TAR => Ok(Self::Plain),
            media::LAYER_GZIP | DOCKER_GZIP => Ok(Self::Gzip),
            other => Err(Error::LayerType {
                digest: layer.digest,
                media_type: other.chars().take(200).collect(),
            }),
        }
    }

    /// What a layer's first bytes say.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn found_in(file: &File) -> io::Result<Self> {
        let mut first = [0; 2];
        // A shorter file is no gzip.
        file.read_at(&mut first, 0)?;
        // RFC 1952, section 2.3.1: ID1 and ID2.
        Ok(match first {
            [0x1f, 0x8b] => Self::Gzip,
            _ => Self::Plain,
        })
    }
}
