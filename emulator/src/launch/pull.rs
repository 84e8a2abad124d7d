//! Resolves a reference as containerd does on linux/amd64: to an image of OCI or Docker, or through an
//! index (containerd, `images.Manifest`).

use std::collections::BTreeMap;
use std::fmt::Display;

use content::{Digest, json, limits};
use oci::{Config, Descriptor, Reference, Target, media};
use remote::Registry;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Error;

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

/// Resolves a reference to an image.
///
/// # Errors
/// The registry does not have the image, or it cannot run on linux/amd64.
pub async fn pull(registry: &Registry, reference: &Reference) -> Result<Pulled, Error> {
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
                digest = choose(&entries).ok_or_else(|| {
                    Error::platform(reading_index(digest), "no manifest for linux/amd64")
                })?;
            }
        }
    }
    Err(Error::image(
        reading_index(image_digest),
        format!("more than {NESTED} nested indexes"),
    ))
}

async fn resolve(registry: &Registry, target: &Target) -> Result<Digest, Error> {
    match target {
        Target::Digest(digest) => Ok(*digest),
        Target::Tag(tag) => {
            let found = registry.resolve(tag).await?;
            let found = found.ok_or_else(|| {
                Error::refused(
                    format!("pulling image: finding tag {tag}"),
                    "the repository has no such tag",
                    "check that the image was pushed under this tag",
                )
            })?;
            Ok(found.digest)
        }
    }
}

async fn image(
    registry: &Registry,
    (image_digest, digest): (Digest, Digest),
    config: &Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Pulled, Error> {
    if ![media::CONFIG, DOCKER_CONFIG].contains(&config.media_type.as_str()) {
        return Err(media_type(digest, &config.media_type));
    }
    let bytes = registry.blob(config, limits::CONFIG).await?;
    let failed = |fault| refused(digest, fault);
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
    fn parse(digest: Digest, bytes: &[u8]) -> Result<Self, Error> {
        let malformed = |fault| refused(digest, fault);
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
            _ => Err(refused(
                digest,
                "it contains both layers and manifests, or neither",
            )),
        }
    }
}

impl Raw {
    /// Checks that the fields are those of the media type, if the document names one.
    fn check_type(&self, digest: Digest) -> Result<(), Error> {
        let is_index = self.manifests.is_some();
        let found = self.media_type.as_deref().unwrap_or_default();
        let is_right = match found {
            "" => true,
            media::MANIFEST | DOCKER_MANIFEST => !is_index,
            media::INDEX | DOCKER_LIST => is_index,
            _ => false,
        };
        match is_right && self.schema_version == 2 {
            true => Ok(()),
            false => Err(media_type(digest, found)),
        }
    }
}

fn check_count(digest: Digest, count: usize) -> Result<(), Error> {
    let limit = limits::LAYERS;
    match count <= limit {
        true => Ok(()),
        false => Err(refused(digest, oci::Error::layers(count, limit))),
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

fn refused(digest: Digest, fault: impl Display) -> Error {
    Error::image(format!("pulling image: reading {digest}"), fault)
}

fn media_type(digest: Digest, found: &str) -> Error {
    let shown: String = found.chars().take(200).collect();
    let fault = format!("expected an image or an index, found {shown:?}");
    refused(digest, fault)
}

fn reading_index(digest: Digest) -> String {
    format!("pulling image: reading index {digest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(document: &Value) -> Result<Document, Error> {
        let bytes = document.to_string().into_bytes();
        Document::parse(Digest::of(&bytes), &bytes)
    }

    /// Why the document is refused.
    fn refusal(document: &Value) -> String {
        let digest = Digest::of(document.to_string().as_bytes());
        let error = parse(document).err().unwrap().to_string();
        let doing = format!("pulling image: reading {digest}: ");
        error.strip_prefix(&doing).unwrap().to_owned()
    }

    fn unexpected(media_type: &str) -> String {
        format!("expected an image or an index, found {media_type:?}")
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
            assert_eq!(refusal(&image(media_type)), unexpected(media_type));
        }
        let mut both = image(media::MANIFEST);
        both["mediaType"] = Value::Null;
        assert!(parse(&both).is_ok());
        both["manifests"] = json!([]);
        assert_eq!(
            refusal(&both),
            "it contains both layers and manifests, or neither"
        );
        both["schemaVersion"] = 1.into();
        assert_eq!(refusal(&both), unexpected(""));
    }
}
