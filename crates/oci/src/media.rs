//! Media types.

/// An image manifest (OCI image specification, manifest.md).
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index (OCI image specification, image-index.md).
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// An image configuration (OCI image specification, config.md).
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer: an uncompressed tar archive (OCI image specification, layer.md).
pub const LAYER_TAR: &str = "application/vnd.oci.image.layer.v1.tar";
/// A layer: a tar archive in gzip (OCI image specification, layer.md).
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// A layer: a tar archive in zstd (OCI image specification, layer.md).
pub const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The two bytes `{}` (OCI image specification, manifest.md: empty descriptor).
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A simple-signing payload (cosign, `SIGNATURE_SPEC.md`).
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A signed statement under a legacy attestation tag (cosign, `ATTESTATION_SPEC.md`).
pub const DSSE_ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// A Sigstore bundle, as artifact type and as layer (cosign, `BUNDLE_SPEC.md`).
pub const SIGSTORE_BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Bills of materials under the legacy tag (cosign, `SBOM_SPEC.md`). XML has no type of its own in SPDX.
pub const BOMS: [&str; 7] = [
    "text/spdx",
    "text/spdx+json",
    "text/spdx+xml",
    "application/vnd.cyclonedx",
    "application/vnd.cyclonedx+json",
    "application/vnd.cyclonedx+xml",
    "application/vnd.syft+json",
];

/// Artifact type of a signed Debian package index: the release file, the package list and the keyring
/// from which the packages of an image's build root were resolved. Its layers are named by
/// [`TITLE`] and have the type [`OCTETS`].
pub const PACKAGE_INDEX: &str = "application/vnd.countersign.package-index.v1";
/// Artifact type of a capsule: all inputs that a lock names.
pub const CAPSULE: &str = "application/vnd.countersign.capsule.v1";
/// Any bytes (RFC 2046, section 4.5.1).
pub const OCTETS: &str = "application/octet-stream";
/// Annotation: the file name of a layer (OCI image specification, annotations.md).
pub const TITLE: &str = "org.opencontainers.image.title";

/// Whether `text` is a media type: `type/subtype` of RFC 6838, section 4.2.
pub(crate) fn is_media_type(text: &str) -> bool {
    let Some((kind, subtype)) = text.split_once('/') else {
        return false;
    };
    is_restricted_name(kind) && is_restricted_name(subtype)
}

fn is_restricted_name(text: &str) -> bool {
    let first_is_alphanumeric = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    first_is_alphanumeric && text.len() <= 127 && text.bytes().all(allowed)
}
