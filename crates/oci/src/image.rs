use content::{Digest, read_checked};

use crate::{Config, Document, Error, Manifest, media};

/// An image: the bytes that were received or written, what they say, and both identities.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Image {
    manifest_bytes: Vec<u8>,
    config_bytes: Vec<u8>,
    manifest: Manifest,
    config: Config,
}

impl Image {
    /// Reads an image from its manifest and its configuration.
    ///
    /// # Errors
    /// A manifest or configuration that cannot be read, a configuration that is not the one the
    /// manifest describes, or one diff ID more or fewer than there are layers.
    pub fn parse(manifest_bytes: Vec<u8>, config_bytes: Vec<u8>) -> Result<Self, Error> {
        let manifest = Manifest::parse(&manifest_bytes)?;
        check_config(&manifest, &config_bytes)?;
        let config = Config::parse(&config_bytes)?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            return Err(Error::DiffIds { layers, diff_ids });
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

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What the configuration says.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The manifest as it came.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.manifest_bytes
    }

    /// The configuration as it came.
    pub fn config_bytes(&self) -> &[u8] {
        &self.config_bytes
    }
}

fn check_config(manifest: &Manifest, bytes: &[u8]) -> Result<(), Error> {
    let document = Document::Config;
    let descriptor = &manifest.config;
    if descriptor.media_type != media::CONFIG {
        return Err(Error::MediaType {
            document,
            expected: media::CONFIG,
            actual: descriptor.media_type.clone(),
        });
    }
    read_checked(bytes, descriptor.digest, descriptor.size, u64::MAX)
        .map(drop)
        .map_err(|source| Error::Content { document, source })
}
