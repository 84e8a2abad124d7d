//! An OCI image layout on disk (OCI image specification, image-layout.md).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use content::at::{self, At};
use content::{
    CheckedReader, Digest, ReadError, json, limits, open_regular, read_checked, read_limited,
};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::layer::{self, Attributed, Written};
use crate::{Descriptor, Document, Error, Image, Index, media};

mod docker;
mod unpack;

pub use docker::convert;
pub use unpack::unpack;

const VERSION: &str = "1.0.0";

/// A directory with `oci-layout`, `index.json` and `blobs/sha256`. Each file is written under a temporary
/// name and renamed, so that no incomplete file appears.
#[derive(Clone, Debug)]
pub struct Layout {
    dir: PathBuf,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    image_layout_version: String,
}

impl Layout {
    /// Creates a layout in `dir`, and `dir` if it does not exist. The layout has no image before
    /// [`Layout::set_image`].
    ///
    /// # Errors
    /// A directory or file cannot be written.
    pub fn create(dir: &Path) -> Result<Self, Error> {
        let layout = Self {
            dir: dir.to_owned(),
        };
        let blobs = layout.folder();
        fs::create_dir_all(&blobs).map_err(At::writing(&blobs))?;
        let header = Header {
            image_layout_version: VERSION.to_owned(),
        };
        let bytes =
            json::canonical(&header).map_err(|fault| Error::document(Document::Layout, fault))?;
        layout.replace(&dir.join("oci-layout"), &bytes)?;
        Ok(layout)
    }

    /// Opens the layout in `dir`.
    ///
    /// # Errors
    /// The directory is not a layout, or one of another version.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("oci-layout");
        let document = Document::Layout;
        let bytes = read(&path, document)?;
        let header = Header::parse(&bytes)?;
        header.check().map_err(|fault| refused(dir, fault))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The layout's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The path of the blob with this digest. The blob need not exist.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.folder().join(digest.hex())
    }

    /// Writes `bytes` as a blob and returns its descriptor.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_blob(&self, media_type: &str, bytes: &[u8]) -> Result<Descriptor, Error> {
        let descriptor = Descriptor::of(media_type, bytes);
        self.replace(&self.blob_path(&descriptor.digest), bytes)?;
        Ok(descriptor)
    }

    /// Writes `entries` as a layer of format v1 or v2, without holding it in memory.
    ///
    /// # Errors
    /// Those of [`layer::write`], or the file cannot be written.
    pub fn write_layer<E: Into<Attributed>>(
        &self,
        entries: impl IntoIterator<Item = E>,
    ) -> Result<(Descriptor, Written), Error> {
        let blobs = self.folder();
        let mut file = temporary(&blobs)?;
        let written = layer::write(entries, file.as_file_mut());
        let written = written.map_err(|error| match error {
            Error::WriteLayer(source) => At::writing(&blobs)(source).into(),
            other => other,
        })?;
        persist(file, &self.blob_path(&written.digest))?;
        let descriptor = Descriptor::new(media::LAYER_GZIP, written.digest, written.size);
        Ok((descriptor, written))
    }

    /// Writes the bytes of `from` as the blob that `descriptor` describes, without holding them in memory.
    ///
    /// # Errors
    /// They are other bytes, or more than [`limits::LAYER`], or the file cannot be written.
    pub fn copy_blob(&self, descriptor: &Descriptor, from: impl Read) -> Result<(), Error> {
        let Descriptor { digest, size, .. } = *descriptor;
        let failed = |error: ReadError| Error::content(format!("blob {digest}"))(error);
        if size > limits::LAYER {
            let limit = limits::LAYER;
            return Err(failed(ReadError::Limit { limit }));
        }
        let mut file = temporary(&self.folder())?;
        let mut from = CheckedReader::new(from, digest, size);
        io::copy(&mut from, file.as_file_mut()).map_err(|error| failed(error.into()))?;
        persist(file, &self.blob_path(&digest))
    }

    /// Reads a blob and checks it against its descriptor.
    ///
    /// # Errors
    /// The blob does not exist, is larger than `limit` bytes, or does not match `descriptor`.
    pub fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Error> {
        let digest = descriptor.digest;
        let file = self.open_blob(&digest)?;
        read_checked(file, digest, descriptor.size, limit)
            .map_err(Error::content(format!("blob {digest}")))
    }

    /// Opens a blob. Its content is not checked.
    ///
    /// # Errors
    /// The blob does not exist or cannot be opened.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, Error> {
        open_regular(&self.blob_path(digest))
            .map_err(ReadError::Io)
            .map_err(Error::content(format!("blob {digest}")))
    }

    /// Sets the layout's image to the manifest that `descriptor` describes. This is the last step of writing a
    /// layout.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_image(&self, descriptor: &Descriptor) -> Result<(), Error> {
        let bytes = Index::new(vec![descriptor.clone()]).to_bytes()?;
        self.replace(&self.dir.join("index.json"), &bytes)
    }

    /// The digests by which the blobs are named, in no particular order. Files with other names are skipped.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn blobs(&self) -> Result<impl Iterator<Item = Result<Digest, At>> + use<>, At> {
        let folder = self.folder();
        let names = fs::read_dir(&folder).map_err(At::reading(&folder))?;
        Ok(names.filter_map(move |entry| match entry {
            Ok(entry) => {
                let name = entry.file_name();
                let digest = format!("sha256:{}", name.to_str()?).parse();
                digest.ok().map(Ok)
            }
            Err(error) => Some(Err(At::reading(&folder)(error))),
        }))
    }

    /// The layout's index.
    ///
    /// # Errors
    /// The index cannot be read or parsed.
    pub fn index(&self) -> Result<Index, Error> {
        Index::parse(&read(&self.dir.join("index.json"), Document::Index)?)
    }

    /// The descriptor of the layout's only image.
    ///
    /// # Errors
    /// The index cannot be read, or does not name exactly one manifest.
    pub fn descriptor(&self) -> Result<Descriptor, Error> {
        let mut manifests = self.index()?.manifests;
        let count = manifests.len();
        match (manifests.pop(), count) {
            (Some(only), 1) => Ok(only),
            _ => Err(refused(
                &self.dir,
                format!("expected one image, found {count}"),
            )),
        }
    }

    /// The layout's image. Manifest and configuration are checked; layers are not read.
    ///
    /// # Errors
    /// Those of [`Layout::descriptor`], [`Layout::read_blob`] and [`Image::parse`].
    pub fn image(&self) -> Result<Image, Error> {
        let descriptor = self.descriptor()?;
        if descriptor.media_type != media::MANIFEST {
            let (document, actual) = (Document::Manifest, &descriptor.media_type);
            return Err(Error::media_type(document, media::MANIFEST, actual));
        }
        let manifest = self.read_blob(&descriptor, limits::MANIFEST)?;
        let config = crate::Manifest::parse(&manifest)?.config;
        let config = self.read_blob(&config, limits::CONFIG)?;
        Image::parse(manifest, config)
    }

    fn folder(&self) -> PathBuf {
        self.dir.join("blobs/sha256")
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = temporary(&self.dir)?;
        file.write_all(bytes).map_err(At::writing(path))?;
        persist(file, path)
    }
}

/// Checks the file `oci-layout`.
///
/// # Errors
/// The bytes are larger than [`limits::MANIFEST`], not strict JSON, or of another version.
pub fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let checked = Header::parse(bytes)?.check();
    checked.map_err(|fault| Error::document(Document::Layout, fault))
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::MANIFEST)
            .map_err(|fault| Error::document(Document::Layout, fault))
    }

    fn check(&self) -> Result<(), String> {
        match self.image_layout_version.as_str() {
            VERSION => Ok(()),
            other => Err(format!("version {other:?} is not {VERSION:?}")),
        }
    }
}

fn temporary(dir: &Path) -> Result<NamedTempFile, At> {
    tempfile::Builder::new()
        .prefix(".partial-")
        .tempfile_in(dir)
        .map_err(At::writing(dir))
}

/// Renames a temporary file to `path`, and makes it readable for all users, as other output is.
fn persist(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    let public = fs::Permissions::from_mode(0o644);
    file.as_file()
        .set_permissions(public)
        .and_then(|()| file.persist(path).map_err(|e| e.error))
        .map(drop)
        .map_err(|e| At::writing(path)(e).into())
}

fn read(path: &Path, document: Document) -> Result<Vec<u8>, Error> {
    let file = open_regular(path).map_err(At::reading(path))?;
    read_limited(file, limits::MANIFEST).map_err(Error::content(document.to_string()))
}

fn refused(dir: &Path, fault: String) -> Error {
    Error::invalid(format!("reading layout {}", at::shown(dir)), fault)
}
