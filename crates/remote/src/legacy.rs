//! Signatures and attestations under tags, as cosign kept them before there were referrers, and as
//! Confidential Space looks for them.

use content::{Digest, json, limits};
use oci::{Config, Descriptor, Execution, Manifest, RootFs, Tag, Target, media};
use serde_json::Value;

use crate::tag::Changed;
use crate::{Error, Registry};

impl Registry {
    /// Adds `layer`, whose content is `blob`, to the manifest under `tag`, which is made if it is
    /// not there, and sees to it that it stays there while others add theirs. Everything else in it
    /// stays as it is; a layer that is there already is not added again.
    ///
    /// A writer that takes much longer than this one between its reading and its writing can still
    /// take the layer away unnoticed, since registries store manifests without conditions.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] if `blob` is not what `layer` describes, [`Error::Entries`] if
    /// there is no room, [`Error::Contended`] if others never leave the tag in peace, a manifest
    /// that cannot be read, or a registry that refuses.
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

    /// The manifest with the layer; `None` if it has it.
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
        let bytes = change(bytes, layer, &config)?;
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

/// Changes the JSON and not what we know of it: members of others survive.
fn change(bytes: &[u8], layer: &Descriptor, config: &[u8]) -> Result<Vec<u8>, Error> {
    let mut document: Value = json::parse(bytes, limits::MANIFEST)?;
    let to_value = |descriptor: &Descriptor| -> Result<Value, Error> {
        let bytes = json::canonical(descriptor)?;
        Ok(json::parse(&bytes, limits::MANIFEST)?)
    };
    document["config"] = to_value(&Descriptor::of(media::CONFIG, config))?;
    if let Some(layers) = document["layers"].as_array_mut() {
        layers.push(to_value(layer)?);
    }
    Ok(json::canonical(&document)?)
}

/// The configuration that cosign writes: an image of no machine, whose layers are what they are.
fn config_of(layers: &[Digest]) -> Config {
    Config {
        created: None,
        architecture: String::new(),
        os: String::new(),
        variant: None,
        config: Execution::default(),
        rootfs: RootFs::of_layers(layers.to_vec()),
        history: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_survives() {
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
