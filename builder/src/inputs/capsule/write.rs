//! Writes a capsule to a file: an OCI layout in an uncompressed tar archive.

use std::fs::{self, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use console::hint::Hinted;
use content::{Digest, json};
use oci::{Descriptor, Index};
use serde_json::json;
use tar::Builder;
use tempfile::NamedTempFile;

use super::assemble::Assembled;
use super::bundle::{append_file, header};
use crate::at::At;
use crate::error::Error;
use crate::inputs::Supply;

impl Assembled {
    /// Writes the file at once: it appears when it is complete. Returns the digest of the manifest.
    ///
    /// # Errors
    /// An input cannot be read or has other bytes, the file cannot be written, or the work was interrupted.
    pub fn write(&self, path: &Path, supply: &Supply<'_>) -> Result<Digest, Error> {
        let failed = At::writing(path);
        let beside = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let beside = beside.unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(beside).map_err(&failed)?;
        let mut archive = Builder::new(BufWriter::new(file));
        let (manifest, descriptor) = self.manifest_bytes()?;
        let digest = descriptor.digest;
        for (name, bytes) in documents(descriptor, manifest)? {
            let header = header(&name, bytes.len() as u64).map_err(&failed)?;
            archive.append(&header, &bytes[..]).map_err(&failed)?;
        }
        supply.during("write the capsule", |step| {
            step.of(self.blobs.len(), self.sizes());
            for blob in &self.blobs {
                supply.interrupt.check()?;
                let Descriptor { digest, size, .. } = blob.descriptor;
                append_file(&mut archive, &named(&digest), &blob.path, digest, size)?;
                step.add(1, size);
            }
            Ok::<_, Error>(())
        })?;
        let mut written = archive.into_inner().map_err(&failed)?;
        written.flush().map_err(&failed)?;
        let file = written
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        fs::set_permissions(file.path(), Permissions::from_mode(0o644)).map_err(&failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(digest)
    }
}

/// The documents of the layout, with their names.
fn documents(descriptor: Descriptor, manifest: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Hinted> {
    let name = named(&descriptor.digest);
    let index = Index::new(vec![descriptor]).to_bytes();
    let index = index.map_err(|error| Hinted::doing("making capsule", error))?;
    let layout = json::canonical(&json!({ "imageLayoutVersion": "1.0.0" }));
    let layout = layout.map_err(|error| Hinted::doing("making capsule", error))?;
    Ok(vec![
        ("oci-layout".to_owned(), layout),
        ("index.json".to_owned(), index),
        (name, manifest),
        (named(&Descriptor::empty().digest), b"{}".to_vec()),
    ])
}

fn named(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}
