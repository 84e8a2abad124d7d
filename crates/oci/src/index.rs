use std::collections::BTreeMap;

use content::{Digest, json, limits};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::descriptor::optional_media_type;
use crate::{Descriptor, Document, Error, Verify, media};

/// A list of manifests (OCI image specification, image-index.md): the index of a layout, or the referrers
/// of an image.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "D: Verify"))]
pub struct Index<D = Digest> {
    /// Always 2.
    pub schema_version: u64,
    /// Always [`media::INDEX`], which is also assumed if the member is absent.
    #[serde(default = "own_media_type", deserialize_with = "media_type_or_own")]
    pub media_type: String,
    /// The type of the artifacts, if these are not images.
    #[serde(
        default,
        deserialize_with = "optional_media_type",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor<D>>,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor<D>>,
    /// Annotations. They are not verified.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

fn own_media_type() -> String {
    media::INDEX.to_owned()
}

fn media_type_or_own<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(optional_media_type(deserializer)?.unwrap_or_else(own_media_type))
}

/// Annotations of a descriptor: that it is an attestation, and of which manifest (BuildKit,
/// `docs/attestations/attestation-storage.md`).
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

impl Index {
    /// The attestations that BuildKit has put into the index, about `image` or, if that is the index, about any image in it.
    /// They have no signature of their own.
    pub fn attestations_of(&self, image: &Digest) -> impl Iterator<Item = &Descriptor> {
        let image_is_listed = self.manifests.iter().any(|one| one.digest == *image);
        let image = image.to_string();
        self.manifests.iter().filter(move |listed| {
            let kind = listed.annotations.get(REFERENCE_TYPE);
            let about = listed.annotations.get(REFERENCE_DIGEST);
            kind.is_some_and(|kind| kind == "attestation-manifest")
                && (!image_is_listed || about == Some(&image))
        })
    }

    /// An index of these manifests.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: own_media_type(),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }

    /// Parses an index with digests by SHA-256.
    ///
    /// # Errors
    /// Those of [`Index::parse_any`], or a digest is by another algorithm.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_any(bytes)
    }

    /// Writes the index as canonical JSON.
    ///
    /// # Errors
    /// None for an index that was parsed or built here.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(self).map_err(|fault| Error::document(Document::Index, fault))
    }
}

impl<D: Verify> Index<D> {
    /// Parses an index.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::MANIFEST`], not strict JSON, not an index, have another schema
    /// version or media type, or could be parsed as a manifest too.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, Error> {
        let document = Document::Index;
        let json = |fault| Error::document(document, fault);
        let index: Self = json::parse(bytes, limits::MANIFEST).map_err(json)?;
        let both: AlsoManifest = json::parse(bytes, limits::MANIFEST).map_err(json)?;
        if both.layers.is_some() || both.config.is_some() {
            return Err(Error::ambiguous(document));
        }
        index.check()?;
        Ok(index)
    }

    fn check(&self) -> Result<(), Error> {
        let document = Document::Index;
        if self.schema_version != 2 {
            return Err(Error::schema_version(document, self.schema_version));
        }
        if self.media_type != media::INDEX {
            return Err(Error::media_type(document, media::INDEX, &self.media_type));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct AlsoManifest {
    layers: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
}
