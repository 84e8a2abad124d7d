use sbom::Crate;
use serde::Deserialize;

/// A crate in `Cargo.lock`.
#[derive(Clone, Debug, Deserialize)]
pub struct Locked {
    name: String,
    version: String,
    /// The SHA-256 of its archive, as hex; crates of the source have none.
    checksum: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

/// Reads the crates of a `Cargo.lock`. The caller limits the size.
///
/// # Errors
/// Why it is not such a file.
pub fn locked(bytes: &[u8]) -> Result<Vec<Locked>, String> {
    let lock = content::toml::parse::<Lock>(bytes).map_err(|error| error.message().to_owned())?;
    Ok(lock.package)
}

impl Locked {
    pub(super) fn is(&self, other: &Crate) -> bool {
        self.name == other.name && self.version == other.version
    }

    /// Whether a digest may be that of the crate; a crate without checksum, or without digest, cannot disagree.
    pub(super) fn agrees(&self, digest: Option<&str>) -> bool {
        match (&self.checksum, digest) {
            (Some(checksum), Some(digest)) => checksum.eq_ignore_ascii_case(digest),
            _ => true,
        }
    }
}
