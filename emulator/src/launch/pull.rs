//! Resolves a reference as containerd does on linux/amd64: to an image of OCI or Docker, or through an
//! index (containerd, `images.Manifest`).

use std::collections::BTreeMap;

use content::json::JsonError;
use content::{Digest, json, limits};
use oci::{Config, Descriptor, Reference, Tag, Target, media};
use remote::Registry;
use serde::Deserialize;
use serde::de::IgnoredAny;

// Docker's media types (distribution, "Image Manifest Version 2, Schema 2").
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// The largest number of nested indexes.
const NESTED: usize = 4;

/// A resolved image; its layers are not fetched yet.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// The digest of the manifest or index that the reference names. Confidential Space reports it as
    /// `image_digest`.
    pub image_digest: Digest,
    /// The digest of the configuration, which Confidential Space reports as `image_id`.
    pub image_id: Digest,
    /// The configuration.
    pub config: Config,
    /// The layers, lowest first; the configuration has one diff ID for each.
    pub layers: Vec<Descriptor>,
}

/// Why an image cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry cannot be reached, or does not have the image.
    #[error(transparent)]
    Registry(Box<remote::Error>),
    /// The tag does not exist.
    #[error("finding tag {tag}: the repository has no such tag")]
    Tag {
        /// The tag.
        tag: Tag,
    },
    /// A manifest or index is malformed.
    #[error("reading {digest}: {source}")]
    Json {
        /// The digest of the document.
        digest: Digest,
        /// The cause.
        source: JsonError,
    },
    /// The media type of a document is not supported.
    #[error("reading {digest}: expected an image or an index, found {media_type:?}")]
    MediaType {
        /// The digest of the document.
        digest: Digest,
        /// The media type.
        media_type: String,
    },
    /// A document is both an image and an index, or neither.
    #[error("reading {digest}: it names both layers and manifests, or neither")]
    Ambiguous {
        /// The digest of the document.
        digest: Digest,
    },
    /// The configuration is invalid, or does not match the manifest.
    #[error("reading {digest}: {source}")]
    Image {
        /// The digest of the manifest.
        digest: Digest,
        /// The cause.
        source: oci::Error,
    },
    /// An index has no image for linux/amd64.
    #[error("reading index {digest}: no manifest for linux/amd64")]
    Platform {
        /// The digest of the index.
        digest: Digest,
    },
    /// Too many indexes are nested.
    #[error("reading index {digest}: more than {NESTED} nested indexes")]
    Nested {
        /// The digest of the index.
        digest: Digest,
    },
}

impl PullError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Tag { .. } => "was the image pushed under this tag?",
            Self::Platform { .. } => {
                "machines of Confidential Space are linux/amd64: build the image for them"
            }
            Self::Json { .. }
            | Self::MediaType { .. }
            | Self::Ambiguous { .. }
            | Self::Image { .. }
            | Self::Nested { .. } => "this image cannot be run; build it again",
        }
    }
}

impl From<remote::Error> for PullError {
    fn from(error: remote::Error) -> Self {
        Self::Registry(Box::new(error))
    }
}

/// Resolves a reference to an image.
///
/// # Errors
/// The registry does not have the image, or it cannot run on linux/amd64.
pub async fn pull(registry: &Registry, reference: &Reference) -> Result<Pulled, PullError> {
    let image_digest = resolve(registry, &reference.target).await?;
    let mut digest = image_digest;
    for _ in 0..=NESTED {
        let bytes = registry.manifest(&digest).await?;
        match Document::parse(digest, &bytes)? {
            Document::Image { config, layers } => {
                let found = (image_digest, digest);
                return image(registry, found, &config, layers).await;
            }
            Document::Index(entries) => {
                digest = choose(&entries).ok_or(PullError::Platform { digest })?;
            }
        }
    }
    Err(PullError::Nested {
        digest: image_digest,
    })
}

async fn resolve(registry: &Registry, target: &Target) -> Result<Digest, PullError> {
    match target {
        Target::Digest(digest) => Ok(*digest),
        Target::Tag(tag) => {
            let found = registry.resolve(tag).await?;
            let found = found.ok_or_else(|| PullError::Tag { tag: tag.clone() })?;
            Ok(found.digest)
        }
    }
}

async fn image(
    registry: &Registry,
    (image_digest, digest): (Digest, Digest),
    config: &Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Pulled, PullError> {
    if ![media::CONFIG, DOCKER_CONFIG].contains(&config.media_type.as_str()) {
        let media_type = shortened(&config.media_type);
        return Err(PullError::MediaType { digest, media_type });
    }
    let bytes = registry.blob(config, limits::CONFIG).await?;
    let failed = |source| PullError::Image { digest, source };
    let parsed = Config::parse(&bytes).map_err(failed)?;
    let (count, diff_ids) = (layers.len(), parsed.rootfs.diff_ids.len());
    if count != diff_ids {
        return Err(failed(oci::Error::diff_ids(count, diff_ids)));
    }
    Ok(Pulled {
        image_digest,
        image_id: config.digest,
        config: parsed,
        layers,
    })
}

/// The document with a digest.
enum Document {
    Image {
        config: Box<Descriptor>,
        layers: Vec<Descriptor>,
    },
    Index(Vec<Entry>),
}

/// One manifest of an index. A manifest without a platform is for every machine.
struct Entry {
    digest: Digest,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

/// The fields of manifests and indexes of OCI and Docker.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Option<Vec<Descriptor>>,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
}

/// The platforms of an index, which [`Descriptor`] does not keep.
#[derive(Deserialize)]
struct Platforms {
    manifests: Vec<OfPlatform>,
}

#[derive(Deserialize)]
struct OfPlatform {
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(flatten)]
    _rest: BTreeMap<String, IgnoredAny>,
}

impl Document {
    fn parse(digest: Digest, bytes: &[u8]) -> Result<Self, PullError> {
        let malformed = |source| PullError::Json { digest, source };
        let raw: Raw = json::parse(bytes, limits::MANIFEST).map_err(malformed)?;
        raw.check_type(digest)?;
        match (raw.config, raw.layers, raw.manifests) {
            (Some(config), Some(layers), None) => {
                check_count(digest, layers.len())?;
                let config = Box::new(config);
                Ok(Self::Image { config, layers })
            }
            (None, None, Some(manifests)) => {
                let platforms: Platforms =
                    json::parse(bytes, limits::MANIFEST).map_err(malformed)?;
                let platforms = platforms.manifests.into_iter().map(|of| of.platform);
                let entry = |(descriptor, platform): (Descriptor, _)| Entry {
                    digest: descriptor.digest,
                    platform,
                };
                let entries = manifests.into_iter().zip(platforms).map(entry);
                Ok(Self::Index(entries.collect()))
            }
            _ => Err(PullError::Ambiguous { digest }),
        }
    }
}

impl Raw {
    /// Checks that the fields are those of the media type, if the document names one.
    fn check_type(&self, digest: Digest) -> Result<(), PullError> {
        let is_index = self.manifests.is_some();
        let media_type = self.media_type.as_deref().unwrap_or_default();
        let is_right = match media_type {
            "" => true,
            media::MANIFEST | DOCKER_MANIFEST => !is_index,
            media::INDEX | DOCKER_LIST => is_index,
            _ => false,
        };
        match is_right && self.schema_version == 2 {
            true => Ok(()),
            false => Err(PullError::MediaType {
                digest,
                media_type: shortened(media_type),
            }),
        }
    }
}

fn check_count(digest: Digest, count: usize) -> Result<(), PullError> {
    let limit = limits::LAYERS;
    match count <= limit {
        true => Ok(()),
        false => Err(PullError::Image {
            digest,
            source: oci::Error::layers(count, limit),
        }),
    }
}

/// The first manifest for linux/amd64; one without a platform comes after those that have one
/// (containerd, `images.Manifest`).
fn choose(entries: &[Entry]) -> Option<Digest> {
    let fits = |entry: &&Entry| entry.platform.as_ref().is_some_and(Platform::is_ours);
    let named = entries.iter().find(fits);
    let any = || entries.iter().find(|entry| entry.platform.is_none());
    named.or_else(any).map(|entry| entry.digest)
}

impl Platform {
    /// Variant `v1` means plain amd64 (containerd, `platforms.Normalize`).
    fn is_ours(&self) -> bool {
        (self.os.as_str(), self.architecture.as_str()) == ("linux", "amd64")
            && ["", "v1"].contains(&self.variant.as_str())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(document: &Value) -> Result<Document, PullError> {
        let bytes = document.to_string().into_bytes();
        Document::parse(Digest::of(&bytes), &bytes)
    }

    fn entry(name: &str, platform: Value) -> Value {
        let mut entry = json!({
            "mediaType": media::MANIFEST,
            "digest": Digest::of(name.as_bytes()).to_string(),
            "size": 1,
        });
        if !platform.is_null() {
            entry["platform"] = platform;
        }
        entry
    }

    fn chosen(entries: Vec<Value>) -> Option<Digest> {
        let index = json!({"schemaVersion": 2, "manifests": entries});
        match parse(&index).unwrap() {
            Document::Index(entries) => choose(&entries),
            Document::Image { .. } => panic!("an index"),
        }
    }

    #[test]
    fn chooses_the_manifest_for_linux_amd64() {
        let amd64 =
            |variant: &str| json!({"os": "linux", "architecture": "amd64", "variant": variant});
        let arm = json!({"os": "linux", "architecture": "arm64"});
        let windows = json!({"os": "windows", "architecture": "amd64", "os.version": "10"});
        let unknown = json!({"os": "unknown", "architecture": "unknown"});
        let is = |name: &str| Some(Digest::of(name.as_bytes()));
        let all = vec![
            entry("any", Value::Null),
            entry("unknown", unknown.clone()),
            entry("arm", arm.clone()),
            entry("windows", windows),
            entry("v3", amd64("v3")),
            entry("first", amd64("")),
            entry("second", amd64("v1")),
        ];
        assert_eq!(chosen(all), is("first"));
        let any = vec![entry("arm", arm.clone()), entry("any", Value::Null)];
        assert_eq!(chosen(any), is("any"));
        assert_eq!(chosen(vec![entry("a", arm), entry("b", unknown)]), None);
        assert_eq!(chosen(vec![]), None);
    }

    #[test]
    fn refuses_ambiguous_documents() {
        let descriptor = json!({
            "mediaType": media::CONFIG, "digest": Digest::of(b"c").to_string(), "size": 1,
        });
        let image = |media_type: &str| json!({"schemaVersion": 2, "mediaType": media_type, "config": descriptor, "layers": []});
        for media_type in [media::MANIFEST, DOCKER_MANIFEST] {
            assert!(parse(&image(media_type)).is_ok(), "{media_type}");
        }
        for media_type in [media::INDEX, DOCKER_LIST, "application/json"] {
            let refused = parse(&image(media_type)).err();
            assert!(
                matches!(refused, Some(PullError::MediaType { .. })),
                "{media_type}"
            );
        }
        let mut both = image(media::MANIFEST);
        both["mediaType"] = Value::Null;
        assert!(parse(&both).is_ok());
        both["manifests"] = json!([]);
        assert!(matches!(parse(&both), Err(PullError::Ambiguous { .. })));
        both["schemaVersion"] = 1.into();
        assert!(matches!(parse(&both), Err(PullError::MediaType { .. })));
    }
}
