use std::collections::BTreeMap;

use content::{Digest, json, limits};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::descriptor::optional_media_type;
use crate::{Descriptor, Document, Error, Verify, media};

/// An image manifest, also used for signatures and attestations (OCI image specification, manifest.md).
/// Digests are computed over the received bytes, never over a manifest that was written again.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "D: Verify"))]
pub struct Manifest<D = Digest> {
    /// Always 2.
    pub schema_version: u64,
    /// Always [`media::MANIFEST`], which is also assumed if the member is absent.
    #[serde(default = "own_media_type", deserialize_with = "media_type_or_own")]
    pub media_type: String,
    /// The type of the artifact, if this is not an image.
    #[serde(
        default,
        deserialize_with = "optional_media_type",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact_type: Option<String>,
    /// The image's configuration, or [`Descriptor::empty`].
    pub config: Descriptor<D>,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor<D>>,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor<D>>,
    /// Annotations. They are not verified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

fn own_media_type() -> String {
    media::MANIFEST.to_owned()
}

fn media_type_or_own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(optional_media_type(deserializer)?.unwrap_or_else(own_media_type))
}

impl Manifest {
    /// The manifest of an image.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: own_media_type(),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The manifest of an artifact with one layer that refers to `subject`.
    pub fn referrer(artifact_type: &str, layer: Descriptor, subject: Descriptor) -> Self {
        Self {
            artifact_type: Some(artifact_type.to_owned()),
            subject: Some(subject),
            ..Self::new(Descriptor::empty(), vec![layer])
        }
    }

    /// Parses a manifest with digests by SHA-256.
    ///
    /// # Errors
    /// Those of [`Manifest::parse_any`], or a digest is by another algorithm.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_any(bytes)
    }

    /// Writes the manifest as canonical JSON.
    ///
    /// # Errors
    /// None for a manifest that was parsed or built here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(self).map_err(|fault| Error::document(Document::Manifest, fault))
    }
}

impl<D: Verify> Manifest<D> {
    /// Parses a manifest.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::MANIFEST`], not strict JSON, not a manifest, have another schema
    /// version or media type, more than [`limits::LAYERS`] layers or, for an image, none, neither a configuration
    /// nor an artifact type, or could be parsed as an index too.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, Error> {
        let document = Document::Manifest;
        let json = |fault| Error::document(document, fault);
        let kind: Kind = json::parse(bytes, limits::MANIFEST).map_err(json)?;
        kind.check()?;
        let manifest: Self = json::parse(bytes, limits::MANIFEST).map_err(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Error> {
        let document = Document::Manifest;
        if self.schema_version != 2 {
            let version = self.schema_version;
            return Err(Error::schema_version(document, version));
        }
        let (count, limit) = (self.layers.len(), limits::LAYERS);
        if count > limit {
            return Err(Error::layers(count, limit));
        }
        // manifest.md: "The array MUST have the base layer at index 0" if the configuration is an
        // image's; artifacts may have no layer.
        if count == 0 && self.config.media_type == media::CONFIG {
            let fault = "an image must have at least one layer";
            return Err(Error::document(document, fault));
        }
        // manifest.md, artifactType: "This MUST be set when config.mediaType is set to the empty value."
        if self.artifact_type.is_none() && self.config.media_type == media::EMPTY {
            let fault = "artifactType is required if the configuration is empty";
            return Err(Error::document(document, fault));
        }
        Ok(())
    }
}

/// The members that show the kind of a document, parsed before the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
}

impl Kind {
    fn check(self) -> Result<(), Error> {
        let document = Document::Manifest;
        match self.media_type {
            Some(actual) if actual != media::MANIFEST => {
                Err(Error::media_type(document, media::MANIFEST, &actual))
            }
            _ if self.manifests.is_some() => Err(Error::ambiguous(document)),
            _ => Ok(()),
        }
    }
}
