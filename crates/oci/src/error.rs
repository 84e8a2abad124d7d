use std::fmt;
use std::io;
use std::path::PathBuf;

use content::json::JsonError;
use content::{Digest, ReadError};

/// The longest text shown of an invalid reference, in characters.
const SHOWN: usize = 300;

/// Why an image, or a part of one, cannot be read or written or is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An invalid reference.
    #[error("parsing reference {text:?}: {fault}")]
    Reference {
        /// The text, at most 300 characters of it.
        text: String,
        /// The rule that the text violates.
        fault: ReferenceFault,
    },
    /// A document is not strict JSON of its kind, or cannot be written.
    #[error("reading {document}: {source}")]
    Json {
        /// The kind of document.
        document: Document,
        /// The parser's error.
        source: JsonError,
    },
    /// A manifest, index or configuration has another media type.
    #[error("reading {document}: expected media type {expected}, found {actual:?}")]
    MediaType {
        /// The kind of document.
        document: Document,
        /// The media type expected.
        expected: &'static str,
        /// The media type found.
        actual: String,
    },
    /// A schema version other than 2.
    #[error("reading {document}: schema version {version} is not 2")]
    SchemaVersion {
        /// The kind of document.
        document: Document,
        /// The version found.
        version: u64,
    },
    /// A document could be parsed both as a manifest and as an index.
    #[error("reading {document}: it names both layers and manifests")]
    Ambiguous {
        /// The kind of document.
        document: Document,
    },
    /// A manifest names more layers than the limit.
    #[error("reading manifest: {count} layers are over the limit of {limit}")]
    Layers {
        /// The number of layers.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The manifest of an image has no layers.
    #[error("reading manifest: an image must have at least one layer")]
    NoLayers,
    /// A manifest without a configuration does not say what it is.
    #[error("reading manifest: artifactType is missing beside an empty configuration")]
    NoArtifactType,
    /// A variable in a configuration without `=` or without a name, shortened to 200 characters.
    #[error("reading configuration: variable {0:?} is not NAME=VALUE")]
    Env(String),
    /// The configuration has another number of layers than the manifest.
    #[error("reading image: manifest has {layers} layers, configuration has {diff_ids} diff IDs")]
    DiffIds {
        /// Layers in the manifest.
        layers: usize,
        /// Diff IDs in the configuration.
        diff_ids: usize,
    },
    /// The type of the root file system is not `layers`.
    #[error("reading configuration: root file system of type {kind:?} is not \"layers\"")]
    RootFs {
        /// The type found.
        kind: String,
    },
    /// A document cannot be read, or does not match its descriptor.
    #[error("reading {document}: {source}")]
    Content {
        /// The kind of document.
        document: Document,
        /// The error of reading or checking.
        source: ReadError,
    },
    /// A blob cannot be read from a layout, or does not match its descriptor.
    #[error("reading blob {digest}: {source}")]
    Blob {
        /// The digest of the blob.
        digest: Digest,
        /// The error of reading or checking.
        source: ReadError,
    },
    /// A layout does not hold exactly one image.
    #[error("reading layout {}: expected one image, found {count}", path.display())]
    Images {
        /// The layout's directory.
        path: PathBuf,
        /// The number of manifests in its index.
        count: usize,
    },
    /// The version of a layout is not 1.0.0.
    #[error("reading layout {}: version {version:?} is not \"1.0.0\"", path.display())]
    LayoutVersion {
        /// The layout's directory.
        path: PathBuf,
        /// The version found.
        version: String,
    },
    /// A file or directory cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file or directory cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The output of a layer cannot be written.
    #[error("writing layer: {0}")]
    WriteLayer(#[source] io::Error),
    /// The input of a layer cannot be read or decompressed.
    #[error("reading layer: {0}")]
    ReadLayer(#[source] ReadError),
    /// A layer or one of its entries is refused.
    #[error("{}: {fault}", match path.is_empty() { true => "reading layer".to_owned(), false => format!("reading layer: entry {path:?}") })]
    Layer {
        /// The entry's path, with invalid UTF-8 replaced; empty if the fault is not in one entry.
        path: String,
        /// The rule that is violated.
        fault: LayerFault,
    },
}

impl Error {
    pub(crate) fn reference(text: &str, fault: ReferenceFault) -> Self {
        let text = text.chars().take(SHOWN).collect();
        Self::Reference { text, fault }
    }
}

/// The kind of a document of an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Document {
    /// `manifest.md` of the image specification.
    Manifest,
    /// `image-index.md`.
    Index,
    /// `config.md`.
    Config,
    /// `image-layout.md`: the file `oci-layout`.
    Layout,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "manifest",
            Self::Index => "index",
            Self::Config => "configuration",
            Self::Layout => "layout",
        })
    }
}

/// Why a reference is invalid.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReferenceFault {
    /// There is no `/`, or the first part is not a host.
    #[error("expected REGISTRY/PATH, with a registry such as registry.example or 127.0.0.1:5000")]
    Registry,
    /// The path does not match the distribution specification's grammar.
    #[error("repository path must be lower-case words joined by `/`, `.`, `_` or `-`")]
    Path,
    /// The repository's name is longer than 255 characters.
    #[error("repository is longer than 255 characters")]
    Length,
    /// The tag does not match the distribution specification's grammar.
    #[error("tag must be at most 128 letters, digits, `_`, `.` and `-`")]
    Tag,
    /// The digest is not `sha256:` and 64 lower-case hex digits.
    #[error("digest must be sha256:<64 lower-case hex digits>")]
    Digest,
    /// The digest, which must name an image, is missing.
    #[error("expected REPOSITORY@sha256:<digest>")]
    NoDigest,
    /// There are both a tag and a digest.
    #[error("expected a tag or a digest, not both")]
    TagAndDigest,
    /// There is neither a tag nor a digest.
    #[error("expected REPOSITORY:TAG or REPOSITORY@sha256:<digest>")]
    NoTarget,
}

/// Why a layer or one of its entries is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LayerFault {
    /// The path is empty, leaves the root, or contains `.`, `..` or an empty part.
    #[error("path is not a plain path below the root")]
    Path,
    /// The path or link target is not UTF-8.
    #[error("path is not UTF-8")]
    Encoding,
    /// The path, or a part of it, is too long.
    #[error("path is longer than {limit} bytes")]
    PathLength {
        /// The limit in bytes.
        limit: usize,
    },
    /// The path or a link's target contains a control character (Unicode category Cc).
    #[error("path or link target contains a control character")]
    Control,
    /// Another entry has the same path.
    #[error("path appears twice")]
    Duplicate,
    /// Another path differs from this one in case only.
    #[error("path differs from {other:?} in case only")]
    CaseCollision {
        /// The other path.
        other: String,
    },
    /// A parent of the path is not a directory.
    #[error("parent is not a directory")]
    Parent,
    /// The link's target is empty, leaves the root, or is too long.
    #[error("link target {target:?} leaves the root")]
    Link {
        /// The target, with invalid UTF-8 replaced.
        target: String,
    },
    /// The target of a hard link is not a regular file of this layer or a lower one.
    #[error("hard link target {target:?} is not a file")]
    HardLink {
        /// The target, with invalid UTF-8 replaced.
        target: String,
    },
    /// A device, a pipe or another type that is not allowed in a layer.
    #[error("type {kind:?} is not a file, directory or link")]
    Kind {
        /// The type flag of the header.
        kind: char,
    },
    /// An extended header is malformed or contradicts the entry's header.
    #[error("extended header is malformed")]
    Extension,
    /// An extended header is larger than the limit.
    #[error("extended header is larger than {limit} bytes")]
    ExtensionSize {
        /// The limit in bytes.
        limit: u64,
    },
    /// A header is malformed.
    #[error("header is malformed")]
    Header,
    /// An entry other than a file has content.
    #[error("{size} bytes of content in an entry that is not a file")]
    Content {
        /// The size in the header, in bytes.
        size: u64,
    },
    /// The archive is followed by other bytes than zeros.
    #[error("bytes after the end of the archive")]
    Trailing,
    /// The layer has more entries than the limit.
    #[error("more than {limit} entries")]
    Entries {
        /// The limit, as a number of entries.
        limit: usize,
    },
    /// The layer is larger than the limit when unpacked.
    #[error("more than {limit} bytes unpacked")]
    Size {
        /// The limit in bytes.
        limit: u64,
    },
    /// The layer's compression is not gzip.
    #[error("compression is not gzip")]
    Compression,
    /// A file changed its size or type while it was read.
    #[error("file changed while it was read")]
    Changed,
}
