//! Predicate types, and cosign's names for them (`--type`).

/// SLSA provenance v1.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// A CycloneDX bill of materials.
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// SLSA verification summary v1: a verdict.
pub const VSA: &str = "https://slsa.dev/verification_summary/v1";
/// A signature on an image, in the bundle layout (cosign, `sign`).
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The predicate type for cosign's name; a URI stands for itself.
pub fn by_name(name: &str) -> Option<&str> {
    match name {
        "slsaprovenance1" => Some(PROVENANCE),
        "cyclonedx" => Some(CYCLONEDX),
        "vsa" => Some(VSA),
        uri if uri.starts_with("https://") => Some(uri),
        _ => None,
    }
}
