//! Publishes a bill of materials as `cosign attach sbom` does.

use std::path::Path;

use console::hint::Hinted;
use content::Digest;
use oci::{Config, Descriptor, Execution, ImageRef, Manifest, RootFs, Tag, Target, media};
use remote::{Registry, Transport};
use sbom::Format;

use super::sign::find;
use crate::at;
use crate::error::Error;

/// The tag's suffix (cosign, `SBOM_SPEC.md`).
const SUFFIX: &str = ".sbom";

/// Stores the bill of materials in a file, in CycloneDX or SPDX, under the tag `sha256-<hex>.sbom` of an image that is in the
/// registry, in place of an earlier one. Returns its name, by which it can be signed like an image.
///
/// # Errors
/// The file is not such a document, the image is not in the registry, or the registry fails.
pub async fn attach_sbom(
    image: &ImageRef,
    transport: &Transport,
    path: &Path,
) -> Result<ImageRef, Error> {
    // The file is read before any request to the registry.
    let bytes = at::read(path, sbom::SIZE)?;
    let document = sbom::parse(&bytes).map_err(|error| {
        Hinted::doing(format_args!("reading {}", path.display()), error)
            .hinting("pass a CycloneDX or SPDX document, such as `builder build` writes")
    })?;
    let registry = find(image, transport).await?;
    let digest = store(&registry, image, media_type(document.format), &bytes).await?;
    Ok(ImageRef {
        repository: image.repository.clone(),
        digest,
    })
}

/// The media type of a document (cosign, `SBOM_SPEC.md`).
fn media_type(format: Format) -> &'static str {
    match format {
        Format::CycloneDxJson => "application/vnd.cyclonedx+json",
        Format::CycloneDxXml => "application/vnd.cyclonedx+xml",
        Format::SpdxJson => "text/spdx+json",
        Format::SpdxTagValue => "text/spdx",
    }
}

/// Stores a manifest of one layer.
async fn store(
    registry: &Registry,
    image: &ImageRef,
    media_type: &str,
    bytes: &[u8],
) -> Result<Digest, Hinted> {
    let attaching = || format!("attaching to {image}");
    let failed = |error: remote::Error| {
        let hint = error.hint();
        Hinted::doing(attaching(), error).hinting(hint)
    };
    let layer = Descriptor::of(media_type, bytes);
    let documents =
        manifest(layer).and_then(|made| Ok((made, Tag::of_digest(&image.digest, SUFFIX)?)));
    let ((config, manifest), tag) = documents.map_err(|error| Hinted::doing(attaching(), error))?;
    registry
        .push_blob(media_type, bytes)
        .await
        .map_err(failed)?;
    registry
        .push_blob(media::CONFIG, &config)
        .await
        .map_err(failed)?;
    let target = Target::Tag(tag);
    let pushed = registry.push_manifest(&target, &manifest, media::MANIFEST);
    pushed.await.map_err(failed)
}

/// The configuration that cosign writes, and the manifest.
fn manifest(layer: Descriptor) -> Result<(Vec<u8>, Vec<u8>), oci::Error> {
    let config = Config {
        architecture: String::new(),
        os: String::new(),
        config: Execution::default(),
        rootfs: RootFs::of_layers(vec![layer.digest]),
        ..Config::default()
    };
    let config = config.to_bytes()?;
    let described = Descriptor::of(media::CONFIG, &config);
    let manifest = Manifest::new(described, vec![layer]).to_bytes()?;
    Ok((config, manifest))
}
