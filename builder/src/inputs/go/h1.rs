//! The hash of a module (golang.org/x/mod/sumdb/dirhash, `Hash1`, `HashZip`).

use std::collections::BTreeMap;
use std::io;

use content::{Digest, Hasher};

use crate::inputs::zip::{self, Limits};
use crate::lock::modules::{H1, Part};

/// Limits on the archive of a module (golang.org/x/mod/zip, `MaxZipFile`), and on that of the toolchain, which is smaller.
pub(in crate::inputs) const LIMITS: Limits = Limits {
    entries: 200_000,
    unpacked: 1 << 30,
};

/// The hash of a file of a module.
///
/// # Errors
/// The bytes are not an archive of plain files.
pub(super) fn of(part: Part, bytes: &[u8]) -> io::Result<H1> {
    match part {
        Part::Manifest => Ok(summary([("go.mod".to_owned(), Digest::of(bytes))].into())),
        Part::Archive => {
            let mut files = BTreeMap::new();
            zip::each_file(bytes, LIMITS, &mut |path, content| {
                let mut hasher = Hasher::new();
                io::copy(content, &mut hasher)?;
                files.insert(path.to_owned(), hasher.finish());
                Ok(())
            })?;
            Ok(summary(files))
        }
    }
}

/// A line for each file, by name.
fn summary(files: BTreeMap<String, Digest>) -> H1 {
    let mut hasher = Hasher::new();
    for (name, digest) in files {
        hasher.update(format!("{}  {name}\n", digest.hex()).as_bytes());
    }
    H1::from_digest(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes that `go.sum` files have for the module `golang.org/x/mod`, version v0.20.0, and for an archive of two files.
    #[test]
    fn hashes_are_those_of_go() {
        let manifest = b"module golang.org/x/mod\n\ngo 1.18\n\nrequire golang.org/x/tools v0.13.0 // tagx:ignore\n";
        let found = of(Part::Manifest, manifest).unwrap().to_string();
        assert_eq!(found, "h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=");
        let archive = zip::archive(&[("m@v1.0.0/b", b"b"), ("m@v1.0.0/a", b"")]);
        let lines = format!(
            "{}  m@v1.0.0/a\n{}  m@v1.0.0/b\n",
            Digest::of(b"").hex(),
            Digest::of(b"b").hex()
        );
        let expected = H1::from_digest(Digest::of(lines.as_bytes()));
        assert_eq!(of(Part::Archive, &archive).unwrap(), expected);
    }
}
