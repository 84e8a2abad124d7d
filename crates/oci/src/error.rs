use std::fmt::{self, Display};
use std::io;

use content::ReadError;
use content::at::At;

/// The longest text shown of an invalid reference, in characters.
const SHOWN: usize = 300;

/// Why an image, or a part of one, cannot be read or written or is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A reference, a document, a layer or an entry of one is invalid.
    #[error("{doing}: {fault}")]
    Invalid {
        /// What was being done, as a participle and its object: `reading manifest`.
        doing: String,
        /// The rule that is violated.
        fault: String,
    },
    /// A document or a blob of a layout cannot be read, or does not match its descriptor.
    #[error("reading {subject}: {source}")]
    Content {
        /// The document, or the blob with its digest.
        subject: String,
        /// The error of reading or checking.
        source: ReadError,
    },
    /// A file or directory cannot be read or written.
    #[error(transparent)]
    File(#[from] At),
    /// The output of a layer cannot be written.
    #[error("writing layer: {0}")]
    WriteLayer(#[source] io::Error),
    /// The input of a layer cannot be read or decompressed.
    #[error("reading layer: {0}")]
    ReadLayer(#[source] ReadError),
}

impl Error {
    /// A document that is refused.
    pub fn document(document: Document, fault: impl Display) -> Self {
        Self::invalid(format!("reading {document}"), fault)
    }

    /// A manifest with more layers than the limit.
    pub fn layers(count: usize, limit: usize) -> Self {
        let fault = format!("{count} layers are over the limit of {limit}");
        Self::document(Document::Manifest, fault)
    }

    /// An image whose manifest and configuration have different numbers of layers.
    pub fn diff_ids(layers: usize, diff_ids: usize) -> Self {
        let fault = format!("manifest has {layers} layers, configuration has {diff_ids} diff IDs");
        Self::invalid("reading image", fault)
    }

    pub(crate) fn invalid(doing: impl Into<String>, fault: impl Display) -> Self {
        Self::Invalid {
            doing: doing.into(),
            fault: fault.to_string(),
        }
    }

    pub(crate) fn reference(text: &str, fault: &str) -> Self {
        let text: String = text.chars().take(SHOWN).collect();
        Self::invalid(format!("parsing reference {text:?}"), fault)
    }

    /// A manifest, index or configuration of another media type.
    pub(crate) fn media_type(document: Document, expected: &str, actual: &str) -> Self {
        let fault = format!("expected media type {expected}, found {actual:?}");
        Self::document(document, fault)
    }

    /// A schema version other than 2.
    pub(crate) fn schema_version(document: Document, version: u64) -> Self {
        Self::document(document, format!("schema version {version} is not 2"))
    }

    /// A document that can be parsed both as a manifest and as an index.
    pub(crate) fn ambiguous(document: Document) -> Self {
        Self::document(document, "it contains both layers and manifests")
    }

    pub(crate) fn content(subject: impl Into<String>) -> impl FnOnce(ReadError) -> Self {
        let subject = subject.into();
        |source| Self::Content { subject, source }
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
    /// `descriptor.md`, outside another document.
    Descriptor,
}

impl Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "manifest",
            Self::Index => "index",
            Self::Config => "configuration",
            Self::Layout => "layout",
            Self::Descriptor => "descriptor",
        })
    }
}
