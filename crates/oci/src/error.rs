use std::fmt;
use std::io;
use std::path::PathBuf;

use content::json::JsonError;
use content::{Digest, ReadError};

/// What this crate cannot read, write or accept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Text that names no image.
    #[error("parsing reference {text:?}: {fault}")]
    Reference {
        /// The text, shortened to 300 characters.
        text: String,
        /// What is wrong with it.
        fault: ReferenceFault,
    },
    /// A document that is no strict JSON of its kind, or that cannot be written.
    #[error("reading {document}: {source}")]
    Json {
        /// Which document.
        document: Document,
        /// Why.
        source: JsonError,
    },
    /// A manifest, index or configuration of another media type.
    #[error("reading {document}: expected media type {expected}, found {actual:?}")]
    MediaType {
        /// Which document.
        document: Document,
        /// The media type that it should have.
        expected: &'static str,
        /// The media type that it has.
        actual: String,
    },
    /// A schema version other than 2.
    #[error("reading {document}: schema version {version} is not 2")]
    SchemaVersion {
        /// Which document.
        document: Document,
        /// The version found.
        version: u64,
    },
    /// One document that could be read as manifest and as index.
    #[error("reading {document}: it names both layers and manifests")]
    Ambiguous {
        /// Which document.
        document: Document,
    },
    /// More layers than a manifest may name.
    #[error("reading manifest: {count} layers are over the limit of {limit}")]
    Layers {
        /// Layers found.
        count: usize,
        /// Layers allowed.
        limit: usize,
    },
    /// The manifest of an image without layers.
    #[error("reading manifest: an image must have at least one layer")]
    NoLayers,
    /// A variable in a configuration without `=` or without a name, shortened to 200 characters.
    #[error("reading configuration: variable {0:?} is not NAME=VALUE")]
    Env(String),
    /// A configuration that describes another number of layers than the manifest.
    #[error("reading image: manifest has {layers} layers, configuration has {diff_ids} diff IDs")]
    DiffIds {
        /// Layers in the manifest.
        layers: usize,
        /// Diff IDs in the configuration.
        diff_ids: usize,
    },
    /// A root file system that does not consist of layers.
    #[error("reading configuration: root file system of type {kind:?} is not \"layers\"")]
    RootFs {
        /// The type found.
        kind: String,
    },
    /// Bytes that are not what a descriptor says.
    #[error("reading {document}: {source}")]
    Content {
        /// Which document.
        document: Document,
        /// Why.
        source: ReadError,
    },
    /// A blob that cannot be read from a layout, or that is another one.
    #[error("reading blob {digest}: {source}")]
    Blob {
        /// The digest that was asked for.
        digest: Digest,
        /// Why.
        source: ReadError,
    },
    /// A layout that holds another number of images than one.
    #[error("reading layout {}: expected one image, found {count}", path.display())]
    Images {
        /// The layout.
        path: PathBuf,
        /// Images in its index.
        count: usize,
    },
    /// A layout of another version than 1.0.0.
    #[error("reading layout {}: version {version:?} is not \"1.0.0\"", path.display())]
    LayoutVersion {
        /// The layout.
        path: PathBuf,
        /// The version found.
        version: String,
    },
    /// A file or directory that cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or directory that cannot be written.
    #[error("writing {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A layer that cannot be written to where it should go.
    #[error("writing layer: {0}")]
    WriteLayer(#[source] io::Error),
    /// A layer whose source fails, or that is no gzip.
    #[error("reading layer: {0}")]
    ReadLayer(#[source] ReadError),
    /// An entry that no layer of ours has and that none of others may have.
    #[error("{}: {fault}", match path.is_empty() { true => "reading layer".to_owned(), false => format!("reading layer: entry {path:?}") })]
    Layer {
        /// The entry's path, lossily; empty where there is none.
        path: String,
        /// What is wrong with it.
        fault: LayerFault,
    },
}

/// A document of an image.
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

/// What is wrong with a reference.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReferenceFault {
    /// No `/`, or a first part that is no host.
    #[error("expected REGISTRY/PATH, with a registry such as registry.example or 127.0.0.1:5000")]
    Registry,
    /// A path outside the distribution specification's grammar.
    #[error("repository path must be lower-case words joined by `/`, `.`, `_` or `-`")]
    Path,
    /// More than 255 characters.
    #[error("repository is longer than 255 characters")]
    Length,
    /// A tag outside the distribution specification's grammar.
    #[error("tag must be at most 128 of letters, digits, `_`, `.` and `-`")]
    Tag,
    /// Not `sha256:` and 64 lower-case hex digits.
    #[error("digest must be sha256:<64 lower-case hex digits>")]
    Digest,
    /// An image is named by its digest, and there is none.
    #[error("expected REPOSITORY@sha256:<digest>")]
    NoDigest,
    /// Both a tag and a digest.
    #[error("expected a tag or a digest, not both")]
    TagAndDigest,
    /// Neither a tag nor a digest.
    #[error("expected REPOSITORY:TAG or REPOSITORY@sha256:<digest>")]
    NoTarget,
}

/// What is wrong with a layer or one of its entries.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LayerFault {
    /// The path is empty, climbs out, or is not written plainly.
    #[error("path is not a plain path below the root")]
    Path,
    /// The path is no UTF-8.
    #[error("path is not UTF-8")]
    Encoding,
    /// The path, or a part of it, is too long.
    #[error("path is longer than {limit} bytes")]
    PathLength {
        /// Bytes allowed.
        limit: usize,
    },
    /// The path, or a link's target, has a control character (Unicode category Cc).
    #[error("path or link target has a control character")]
    Control,
    /// The path was there before.
    #[error("path appears twice")]
    Duplicate,
    /// Another path differs from this one in case only.
    #[error("path differs from {other:?} in case only")]
    CaseCollision {
        /// The other path.
        other: String,
    },
    /// A path below something that is no directory.
    #[error("parent is not a directory")]
    Parent,
    /// A link whose target is empty, climbs above the root, or is too long.
    #[error("link target {target:?} leaves the root")]
    Link {
        /// The target, lossily.
        target: String,
    },
    /// A hard link to something that is no regular file of this layer or the ones below.
    #[error("hard link target {target:?} is not a file")]
    HardLink {
        /// The target, lossily.
        target: String,
    },
    /// A device, a pipe or a type that nobody should use in a layer.
    #[error("type {kind:?} is not a file, directory or link")]
    Kind {
        /// The type flag of the header.
        kind: char,
    },
    /// A header that says one thing and its extension another, or an unreadable extension.
    #[error("extended header is malformed")]
    Extension,
    /// Extended headers beyond any need.
    #[error("extended header is larger than {limit} bytes")]
    ExtensionSize {
        /// Bytes allowed.
        limit: u64,
    },
    /// A header that cannot be read.
    #[error("header is malformed")]
    Header,
    /// A link, or a directory, that carries content.
    #[error("{size} bytes of content on something that is no file")]
    Content {
        /// Bytes announced.
        size: u64,
    },
    /// Content after the end of the archive.
    #[error("bytes after the end of the archive")]
    Trailing,
    /// Too many entries.
    #[error("more than {limit} entries")]
    Entries {
        /// Entries allowed.
        limit: usize,
    },
    /// Too many bytes once unpacked.
    #[error("more than {limit} bytes unpacked")]
    Size {
        /// Bytes allowed.
        limit: u64,
    },
    /// A compression other than gzip.
    #[error("compression is not gzip")]
    Compression,
    /// A file that has another size than when it was listed.
    #[error("file changed while it was read")]
    Changed,
}
