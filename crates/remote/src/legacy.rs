//! Signatures and attestations under legacy tags: the layout that cosign used before referrers, and
//! that Confidential Space reads.

use content::json::{self, JsonError};
use content::{Digest, limits};
use oci::{Config, Descriptor, Execution, Manifest, RootFs, Tag, Target, media};
use serde_json::Value;

use crate::tag::Changed;
use crate::{Error, Registry};

impl Registry {
    /// Adds `layer`, whose content is `blob`, to the manifest under `tag`, and creates the manifest if
    /// there is none. The change is repeated until it survives the writes of other clients. Everything
    /// else in the manifest is kept; a layer that the manifest already has is not added again.
    ///
    /// A writer that takes much longer than this one between its read and its write can still remove the
    /// layer unnoticed, because registries have no conditional writes for manifests.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] if `blob` is not the content that `layer` describes, [`Error::Entries`]
    /// if the manifest is full, [`Error::Refused`] if other clients keep changing the tag, or the error
    /// of a manifest that cannot be parsed or a request that fails.
    pub async fn append_layer(
        &self,
        tag: &Tag,
        layer: Descriptor,
        blob: &[u8],
    ) -> Result<(), Error> {
        let pushed = self.push_blob(&layer.media_type, blob).await?;
        let url = self.manifest_url(&Target::Tag(tag.clone())).await?;
        crate::http::check_digest(&url, layer.digest, pushed.digest)?;
        self.change_tag(tag, |current| self.with_layer(current, &layer, &url))
            .await
    }

    /// The manifest with the layer added; `None` if it already has the layer.
    fn with_layer(
        &self,
        current: Option<&[u8]>,
        layer: &Descriptor,
        url: &str,
    ) -> Result<Option<Changed>, Error> {
        let unread = |e| self.image_error(e);
        let Some(bytes) = current else {
            let config = config_of(&[layer.digest]).to_bytes().map_err(unread)?;
            let described = Descriptor::of(media::CONFIG, &config);
            let manifest = Manifest::new(described, vec![layer.clone()]);
            let bytes = manifest.to_bytes().map_err(unread)?;
            return Ok(Some(changed(bytes, config)));
        };
        let manifest = Manifest::parse(bytes).map_err(unread)?;
        if manifest.layers.contains(layer) {
            return Ok(None);
        }
        let limit = limits::SIGNATURES;
        if manifest.layers.len() >= limit {
            let url = url.to_owned();
            return Err(Error::Entries { url, limit });
        }
        let layers = manifest.layers.iter().chain([layer]);
        let digests: Vec<Digest> = layers.map(|layer| layer.digest).collect();
        let config = config_of(&digests).to_bytes().map_err(unread)?;
        let bytes = change(bytes, layer, &config).map_err(Error::unchanged)?;
        Ok(Some(changed(bytes, config)))
    }
}

fn changed(bytes: Vec<u8>, config: Vec<u8>) -> Changed {
    Changed {
        bytes,
        media_type: media::MANIFEST,
        config: Some((media::CONFIG, config)),
    }
}

/// Changes the JSON document, so that members that [`Manifest`] does not know are kept.
fn change(bytes: &[u8], layer: &Descriptor, config: &[u8]) -> Result<Vec<u8>, JsonError> {
    let mut document: Value = json::parse(bytes, limits::MANIFEST)?;
    let to_value = |descriptor: &Descriptor| -> Result<Value, JsonError> {
        json::parse(&json::canonical(descriptor)?, limits::MANIFEST)
    };
    document["config"] = to_value(&Descriptor::of(media::CONFIG, config))?;
    if let Some(layers) = document["layers"].as_array_mut() {
        layers.push(to_value(layer)?);
    }
    json::canonical(&document)
}

/// The configuration that cosign writes: no architecture, no operating system, and the layers'
/// digests as diff IDs.
fn config_of(layers: &[Digest]) -> Config {
    Config {
        architecture: String::new(),
        os: String::new(),
        config: Execution::default(),
        rootfs: RootFs::of_layers(layers.to_vec()),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_kept() {
        let before = br#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"x","size":1},
            "layers":[{"mediaType":"a/b","size":1,"digest":"y","urls":["z"]}],"other":[true]}"#;
        let layer = Descriptor::of("a/c", b"new");
        let after: Value = serde_json::from_slice(&change(before, &layer, b"{}").unwrap()).unwrap();
        assert_eq!(after["layers"][0]["urls"][0], "z");
        assert_eq!(after["layers"][1]["digest"], layer.digest.to_string());
        assert_eq!(after["other"][0], true);
        assert_eq!(after["config"]["mediaType"], media::CONFIG);
    }
}
