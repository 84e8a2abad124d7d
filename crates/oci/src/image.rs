use content::{Digest, read_checked};

use crate::{Config, Document, Error, Manifest, media};

/// An image: the received bytes of manifest and configuration, and both parsed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    manifest_bytes: Vec<u8>,
    config_bytes: Vec<u8>,
    manifest: Manifest,
    config: Config,
}

impl Image {
    /// Parses an image from its manifest and its configuration.
    ///
    /// # Errors
    /// The manifest or the configuration cannot be parsed, the configuration is not the one that the manifest
    /// describes, or the number of diff IDs differs from the number of layers.
    pub fn parse(manifest_bytes: Vec<u8>, config_bytes: Vec<u8>) -> Result<Self, Error> {
        let manifest = Manifest::parse(&manifest_bytes)?;
        check_config(&manifest, &config_bytes)?;
        let config = Config::parse(&config_bytes)?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(Error::diff_ids(layers, diff_ids));
        }
        Ok(Self {
            manifest_bytes,
            config_bytes,
            manifest,
            config,
        })
    }

    /// The digest of the manifest: what Confidential Space reports as `image_digest`.
    pub fn image_digest(&self) -> Digest {
        Digest::of(&self.manifest_bytes)
    }

    /// The digest of the configuration: what Confidential Space reports as `image_id`. It covers the
    /// layers before compression.
    pub fn image_id(&self) -> Digest {
        self.manifest.config.digest
    }

    /// The parsed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The parsed configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The received bytes of the manifest.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.manifest_bytes
    }

    /// The received bytes of the configuration.
    pub fn config_bytes(&self) -> &[u8] {
        &self.config_bytes
    }
}

fn check_config(manifest: &Manifest, bytes: &[u8]) -> Result<(), Error> {
    let document = Document::Config;
    let descriptor = &manifest.config;
    if descriptor.media_type != media::CONFIG {
        let actual = &descriptor.media_type;
        return Err(Error::media_type(document, media::CONFIG, actual));
    }
    read_checked(bytes, descriptor.digest, descriptor.size, u64::MAX)
        .map(drop)
        .map_err(Error::content(document.to_string()))
}
