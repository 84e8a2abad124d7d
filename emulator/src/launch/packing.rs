//! The compression of layers.

use oci::layer::Compression;
use oci::{Descriptor, media};

use super::Error;

/// The media type of an uncompressed layer of Docker (distribution, "Image Manifest Version 2, Schema 2").
const DOCKER_TAR: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// The media type of a gzip layer of Docker (the same).
const DOCKER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The compression by the media type in the manifest, which alone the launcher's container engine uses.
///
/// # Errors
/// The media type is not supported.
pub fn declared(layer: &Descriptor) -> Result<Compression, Error> {
    match layer.media_type.as_str() {
        media::LAYER_TAR | DOCKER_TAR => Ok(Compression::Plain),
        media::LAYER_GZIP | DOCKER_GZIP => Ok(Compression::Gzip),
        media::LAYER_ZSTD => Ok(Compression::Zstd),
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
