use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use oci::Tag;

use super::digest::{Algorithm, ContentDigest};
use super::resource::{Name, UploadId};

/// The folders of a registry. Content is stored once, in files named by digest:
///
/// ```text
/// blobs/sha256/<hex>                             blobs and manifests, the bytes that were pushed
/// repositories/<name>/_blobs/sha256/<hex>        empty: the repository has this blob
/// repositories/<name>/_manifests/sha256/<hex>    the media type that the manifest was pushed as
/// repositories/<name>/_tags/<tag>                the digest of a manifest
/// repositories/<name>/_referrers/<subject>/<d>   the descriptor of a manifest with this subject
/// repositories/<name>/_uploads/<id>              the received bytes of a blob
/// ```
///
/// Content that no repository has any more is not removed, as in registries without garbage collection.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The kinds of content of a repository.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Blobs.
    Blob,
    /// Manifests.
    Manifest,
}

impl Store {
    /// The store in this folder, which is created on the first write.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The file that holds the content with this digest.
    pub fn content(&self, digest: &ContentDigest) -> PathBuf {
        by_digest(&self.root.join("blobs"), digest)
    }

    /// The file that records that a repository has this content.
    pub fn link(&self, name: &Name, kind: Kind, digest: &ContentDigest) -> PathBuf {
        let folder = match kind {
            Kind::Blob => "_blobs",
            Kind::Manifest => "_manifests",
        };
        by_digest(&self.repository(name).join(folder), digest)
    }

    /// Whether the repository has this content, and the store holds it.
    pub fn has(&self, name: &Name, kind: Kind, digest: &ContentDigest) -> bool {
        self.link(name, kind, digest).is_file() && self.content(digest).is_file()
    }

    /// The folder of a repository's tags.
    pub fn tags(&self, name: &Name) -> PathBuf {
        self.repository(name).join("_tags")
    }

    /// The file that holds a tag.
    pub fn tag(&self, name: &Name, tag: &Tag) -> PathBuf {
        self.tags(name).join(tag.as_str())
    }

    /// The folder of a subject's referrers.
    pub fn referrers(&self, name: &Name, subject: &ContentDigest) -> PathBuf {
        by_digest(&self.repository(name).join("_referrers"), subject)
    }

    /// The file that holds an upload.
    pub fn upload(&self, name: &Name, id: &UploadId) -> PathBuf {
        self.repository(name).join("_uploads").join(id.as_str())
    }

    /// The folder of a repository.
    pub fn repository(&self, name: &Name) -> PathBuf {
        self.root.join("repositories").join(name.as_str())
    }

    /// Records that a repository has this content.
    ///
    /// # Errors
    /// The disk fails.
    pub fn add_link(
        &self,
        name: &Name,
        kind: Kind,
        digest: &ContentDigest,
        note: &[u8],
    ) -> io::Result<()> {
        write(&self.link(name, kind, digest), note)
    }

    /// Moves a complete file to the path of its content.
    ///
    /// # Errors
    /// The disk fails.
    pub fn keep(&self, file: &Path, digest: &ContentDigest) -> io::Result<()> {
        let path = self.content(digest);
        make_parent(&path)?;
        fs::rename(file, path)
    }
}

fn by_digest(folder: &Path, digest: &ContentDigest) -> PathBuf {
    folder.join(digest.algorithm().name()).join(digest.hex())
}

/// The digest of a file that is named by its hex, in the folder of `algorithm`.
pub fn digest_of_name(algorithm: Algorithm, hex: &str) -> Option<ContentDigest> {
    format!("{}:{hex}", algorithm.name()).parse().ok()
}

/// Writes a file atomically: readers see the old file or the complete new one.
///
/// # Errors
/// The disk fails.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = make_parent(path)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// Creates the folder of a file.
///
/// # Errors
/// The disk fails.
pub fn make_parent(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    Ok(folder)
}

/// Removes a file and returns whether it existed.
///
/// # Errors
/// The disk fails.
pub fn remove(path: &Path) -> io::Result<Removed> {
    match fs::remove_file(path) {
        Ok(()) => Ok(Removed::Yes),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Removed::WasNotThere),
        Err(e) => Err(e),
    }
}

/// Whether a file existed before it was removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removed {
    /// The file existed and was removed.
    Yes,
    /// The file did not exist.
    WasNotThere,
}

/// The sorted names of the files in a folder; empty if the folder does not exist. Files that are being
/// written are omitted.
///
/// # Errors
/// The disk fails.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

/// Reads a small file; `None` if it does not exist.
///
/// # Errors
/// The disk fails, or the file is larger than `limit` bytes.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    content::read_limited(file, limit)
        .map(Some)
        .map_err(io::Error::other)
}
