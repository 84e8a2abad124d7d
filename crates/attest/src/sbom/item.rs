//! The crates and packages in an image, and their package URLs.

use content::Digest;

use super::unexpected;
use crate::Error;

/// The qualifier for the location of a crate (purl specification, known qualifiers).
const OWN: &str = "download_url";

/// A crate or package that the image was built from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// The package URL.
    pub purl: String,
    /// The name of the crate or package.
    pub name: String,
    /// The version of the crate or package.
    pub version: String,
    /// The SHA-256 digest of the archive; for a crate in the source, of the source.
    pub digest: Digest,
}

impl Item {
    /// Checks that the package URL matches name and version: programs compare the URL, people read the name.
    pub(super) fn check(&self) -> Result<(), Error> {
        let (name, version) = (&self.name, &self.version);
        let expected = match self
            .purl
            .split_once('?')
            .map(|(_, rest)| rest.split_once('='))
        {
            Some(Some(("arch", architecture))) => package_purl(name, version, architecture),
            Some(Some((OWN, folder))) => format!("{}?{OWN}={folder}", crate_purl(name, version)),
            _ => crate_purl(name, version),
        };
        match expected == self.purl {
            true => Ok(()),
            false => Err(unexpected(&expected, &self.purl)),
        }
    }
}

/// The package URL of a crate (purl specification, type `cargo`).
pub fn crate_purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{}@{}", escaped(name), escaped(version))
}

/// The package URL of a crate in `folder` of the source. It differs from that of a registry's crate with
/// the same name.
pub fn own_crate_purl(name: &str, version: &str, folder: &str) -> String {
    let folder = escaped(&format!("file://{folder}"));
    format!("{}?{OWN}={folder}", crate_purl(name, version))
}

/// The package URL of a Debian package (purl specification, type `deb`).
pub fn package_purl(name: &str, version: &str, architecture: &str) -> String {
    let (name, version) = (escaped(name), escaped(version));
    let architecture = escaped(architecture);
    format!("pkg:deb/debian/{name}@{version}?arch={architecture}")
}

/// Percent-encodes all but letters, digits and `.-_~:` (purl specification).
fn escaped(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_~:".contains(byte);
    let escape = |byte: u8| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_are_canonical() {
        assert_eq!(
            crate_purl("wasi", "0.11.0+wasi-snapshot"),
            "pkg:cargo/wasi@0.11.0%2Bwasi-snapshot"
        );
        assert_eq!(
            package_purl("libstdc++-12-dev", "2:12.2.0-14+deb12u1~x", "amd64"),
            "pkg:deb/debian/libstdc%2B%2B-12-dev@2:12.2.0-14%2Bdeb12u1~x?arch=amd64"
        );
    }
}
