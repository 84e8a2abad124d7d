use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use oci::Tag;

use super::digest::{Algorithm, ContentDigest};
use super::resource::{Name, UploadId};

/// The folders of a registry. Content is kept once, as plain files named by digest:
///
/// ```text
/// blobs/sha256/<hex>                             blobs and manifests, the bytes that were pushed
/// repositories/<name>/_blobs/sha256/<hex>        empty: the repository has this blob
/// repositories/<name>/_manifests/sha256/<hex>    the media type that the manifest was pushed as
/// repositories/<name>/_tags/<tag>                the digest of a manifest
/// repositories/<name>/_referrers/<subject>/<d>   the descriptor of a manifest with this subject
/// repositories/<name>/_uploads/<id>              what has come of a blob so far
/// ```
///
/// Content that no repository has any more stays, as in registries that wait for a sweep.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// What a repository may have, by digest.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Blobs.
    Blob,
    /// Manifests.
    Manifest,
}

impl Store {
    /// The store in this folder, which is made when something is first written.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The file that holds the content with this digest.
    pub fn content(&self, digest: &ContentDigest) -> PathBuf {
        by_digest(&self.root.join("blobs"), digest)
    }

    /// The file that says that a repository has this content.
    pub fn link(&self, name: &Name, kind: Kind, digest: &ContentDigest) -> PathBuf {
        let folder = match kind {
            Kind::Blob => "_blobs",
            Kind::Manifest => "_manifests",
        };
        by_digest(&self.repository(name).join(folder), digest)
    }

    /// Whether the repository has this content, and the content is there.
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

    /// Says that a repository has this content.
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

    /// Moves a whole file to where its content belongs.
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

/// The digest that a file below a folder by algorithm is named by.
pub fn digest_of_name(algorithm: Algorithm, hex: &str) -> Option<ContentDigest> {
    format!("{}:{hex}", algorithm.name()).parse().ok()
}

/// Writes a file that others see whole or not at all.
///
/// # Errors
/// The disk fails.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = make_parent(path)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// Makes the folder that a file is to stand in.
///
/// # Errors
/// The disk fails.
pub fn make_parent(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    Ok(folder)
}

/// Removes a file and tells whether there was one.
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

/// Whether there was something to remove.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removed {
    /// There was.
    Yes,
    /// There was not.
    WasNotThere,
}

/// The names of the files in a folder, sorted; none if there is no folder. Files that are being
/// written are left out.
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

/// Reads a small file; nothing if there is none.
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
