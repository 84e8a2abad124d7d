//! The documents of a base image. Unlike all other images, it may have Docker's media types (Image Manifest Version 2,
//! Schema 2), whose structure is that of OCI's.

use content::{Digest, json, limits};
use oci::{Config, Descriptor, media};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::LAYERS;
use crate::lock::base::Blob;
use crate::untrusted::shown;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// The only operating system of Confidential Space, by Go's name.
const OS: &str = "linux";

/// A manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    schema_version: u64,
    media_type: Option<String>,
    pub(super) config: Descriptor,
    /// With OCI's media types.
    pub(super) layers: Vec<Descriptor>,
}

/// An index: an image for each platform.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Vec<Descriptor>,
}

impl Manifest {
    /// Parses a manifest of an image.
    ///
    /// # Errors
    /// It is not one, or has layers that cannot be read.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let parsed = json::parse(bytes, limits::MANIFEST);
        let mut manifest: Self = parsed.map_err(|error| shown(&error.to_string()))?;
        let media_type = manifest.media_type.as_deref().unwrap_or(media::MANIFEST);
        if manifest.schema_version != 2 || ![media::MANIFEST, DOCKER_MANIFEST].contains(&media_type)
        {
            return Err(format!("expected a manifest, found {}", shown(media_type)));
        }
        let config = manifest.config.media_type.as_str();
        if ![media::CONFIG, DOCKER_CONFIG].contains(&config) {
            return Err(format!("expected an image, found {}", shown(config)));
        }
        if manifest.layers.is_empty() || manifest.layers.len() >= limits::LAYERS {
            return Err(format!("expected 1 to {} layers", limits::LAYERS - 1));
        }
        for layer in &mut manifest.layers {
            let found = LAYERS.iter().find(|(other, _)| *other == layer.media_type);
            let (_, own) = found.ok_or_else(|| {
                format!(
                    "expected layers in tar, gzip or zstd, found {}",
                    shown(&layer.media_type)
                )
            })?;
            *layer = Descriptor::new(own, layer.digest, layer.size);
        }
        Ok(manifest)
    }

    /// The configuration as a lock names it.
    pub(super) fn config(&self) -> Blob<{ limits::CONFIG }> {
        locked(&self.config)
    }

    /// The layers as a lock names them.
    pub(super) fn layers(&self) -> Vec<Blob<{ limits::LAYER }>> {
        self.layers.iter().map(locked).collect()
    }
}

fn locked<const LIMIT: u64>(descriptor: &Descriptor) -> Blob<LIMIT> {
    Blob {
        sha256: descriptor.digest,
        size: descriptor.size,
    }
}

impl Index {
    /// Whether a document is an index.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Kind {
            manifests: Option<IgnoredAny>,
        }
        let kind: Result<Kind, _> = json::parse(bytes, limits::MANIFEST);
        kind.is_ok_and(|kind| kind.manifests.is_some())
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let parsed = json::parse(bytes, limits::MANIFEST);
        let index: Self = parsed.map_err(|error| shown(&error.to_string()))?;
        let media_type = index.media_type.as_deref().unwrap_or(media::INDEX);
        match index.schema_version == 2 && [media::INDEX, DOCKER_INDEX].contains(&media_type) {
            true => Ok(index),
            false => Err(format!("expected an index, found {}", shown(media_type))),
        }
    }

    /// The digest of the only image for a processor.
    ///
    /// # Errors
    /// No manifest matches, or several do.
    pub(super) fn manifest(&self, architecture: &str) -> Result<Digest, String> {
        let is_wanted = |one: &&Descriptor| {
            let platform = one.platform.as_ref();
            platform.is_some_and(|platform| {
                let variant = platform.variant.as_deref();
                platform.os == OS
                    && platform.architecture == architecture
                    && is_default(architecture, variant)
            })
        };
        let mut wanted = self.manifests.iter().filter(is_wanted);
        match (wanted.next(), wanted.next()) {
            (Some(only), None) => Ok(only.digest),
            (None, _) => Err(format!("the index has no image for linux/{architecture}")),
            (Some(_), Some(_)) => Err(format!(
                "the index has several images for linux/{architecture}"
            )),
        }
    }
}

/// Whether a variant of a processor is the one that is meant without a name.
fn is_default(architecture: &str, variant: Option<&str>) -> bool {
    let variant = variant.unwrap_or_default();
    variant.is_empty() || (architecture, variant) == ("arm64", "v8")
}

/// Checks that an image with this configuration can be a base.
///
/// # Errors
/// It is for another platform, or has another number of layers.
pub(super) fn check(config: &Config, architecture: &str, layers: usize) -> Result<(), String> {
    if config.os != OS
        || config.architecture != architecture
        || !is_default(architecture, config.variant.as_deref())
    {
        let (os, found) = (shown(&config.os), shown(&config.architecture));
        return Err(format!("expected linux/{architecture}, found {os}/{found}"));
    }
    match config.rootfs.diff_ids.len() {
        count if count == layers => Ok(()),
        count => Err(format!("{layers} layers, but {count} diff IDs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(b"x"), "size": 1})
    }

    fn manifest(media_type: &str, config: &str, layer: &str) -> Vec<u8> {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": descriptor(config),
            "layers": [descriptor(layer)],
        });
        manifest.to_string().into_bytes()
    }

    #[test]
    fn layers_of_docker_are_those_of_oci() {
        let (gzip, zstd) = (LAYERS[3].0, LAYERS[5].0);
        for (docker, own) in [(gzip, media::LAYER_GZIP), (zstd, media::LAYER_ZSTD)] {
            for (one, config, layer) in [
                (DOCKER_MANIFEST, DOCKER_CONFIG, docker),
                (media::MANIFEST, media::CONFIG, own),
            ] {
                let parsed = Manifest::parse(&manifest(one, config, layer)).unwrap();
                assert_eq!(parsed.layers[0].media_type, own);
            }
        }
        let encrypted = "application/vnd.oci.image.layer.v1.tar+zstd+encrypted";
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        for layer in [encrypted, foreign] {
            let refused = Manifest::parse(&manifest(media::MANIFEST, media::CONFIG, layer)).err();
            assert_eq!(
                refused,
                Some(format!(
                    "expected layers in tar, gzip or zstd, found {layer}"
                ))
            );
        }
        let refused = Manifest::parse(&manifest(media::MANIFEST, media::EMPTY, gzip)).err();
        assert_eq!(
            refused,
            Some(format!("expected an image, found {}", media::EMPTY))
        );
    }

    #[test]
    fn the_image_for_the_processor_is_chosen() {
        let platform = |architecture: &str, variant: Option<&str>, bytes: &[u8]| {
            json!({
                "mediaType": media::MANIFEST,
                "digest": Digest::of(bytes),
                "size": 1,
                "platform": {"os": "linux", "architecture": architecture, "variant": variant},
            })
        };
        let index = json!({
            "schemaVersion": 2,
            "manifests": [
                platform("amd64", None, b"amd64"),
                platform("arm", Some("v7"), b"arm"),
                platform("arm64", Some("v8"), b"arm64"),
                platform("riscv64", None, b"1"),
                platform("riscv64", None, b"2"),
            ],
        });
        let bytes = index.to_string().into_bytes();
        assert!(Index::is_one(&bytes));
        assert!(!Index::is_one(&manifest(
            media::MANIFEST,
            media::CONFIG,
            media::LAYER_TAR
        )));
        let index = Index::parse(&bytes).unwrap();
        assert_eq!(index.manifest("amd64"), Ok(Digest::of(b"amd64")));
        assert_eq!(index.manifest("arm64"), Ok(Digest::of(b"arm64")));
        let none = Err("the index has no image for linux/arm".to_owned());
        assert_eq!(index.manifest("arm"), none);
        let several = Err("the index has several images for linux/riscv64".to_owned());
        assert_eq!(index.manifest("riscv64"), several);
    }
}
