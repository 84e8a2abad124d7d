//! What the entries of a layout's index are. Annotations and artifact types are not trusted: the layers and the subject of
//! each manifest decide.

use std::io;

use content::{Digest, ReadError, limits};
use oci::{Descriptor, Index, Layout, Manifest, media};

use super::super::fetched::Legacy;
use crate::published::layer;

/// Annotations with the name or tag of an image (OCI image specification, annotations.md; containerd, `images/archive`).
const NAMES: [&str; 2] = [
    "org.opencontainers.image.ref.name",
    "io.containerd.image.name",
];
/// The annotation by which `cosign save` says what an entry is (cosign, `pkg/oci/layout`).
const KIND: &str = "kind";
/// Its values for legacy signatures and attestations.
const SAVED_KINDS: [&str; 2] = [
    "dev.cosignproject.cosign/sigs",
    "dev.cosignproject.cosign/atts",
];
/// A manifest of signatures or statements that the layout lists.
pub(super) struct Evidence {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// The tag under which it was in a registry.
    pub(super) tag: Option<String>,
    /// What its layers are; `None` if it cannot be read.
    pub(super) kind: Option<Legacy>,
}

/// What an entry of `index.json` is.
pub(super) enum Entry {
    Image,
    Index(Box<Index>),
    Evidence(Evidence),
    /// The manifest of a referrer, which is found among the blobs.
    Referrer,
}

/// Decides what an entry is by its manifest. An entry that is absent or invalid is evidence only if it is annotated as
/// such: otherwise it may be the image.
///
/// # Errors
/// The manifest exists and cannot be read.
pub(super) fn entry(layout: &Layout, listed: &Descriptor) -> Result<Entry, oci::Error> {
    let tag = legacy_tag(listed);
    let bytes = layout.read_blob(listed, limits::MANIFEST);
    let index = bytes.as_ref().ok().map(|bytes| Index::parse(bytes));
    if let Some(Ok(index)) = index {
        return Ok(match tag {
            Some(_) => Entry::Referrer,
            None => Entry::Index(Box::new(index)),
        });
    }
    let manifest = bytes.and_then(|bytes| Manifest::parse(&bytes));
    let evidence = |kind| {
        Entry::Evidence(Evidence {
            digest: listed.digest,
            size: listed.size,
            tag: tag.clone(),
            kind,
        })
    };
    let manifest = match manifest {
        Ok(manifest) => manifest,
        Err(error) if is_unread(&error) => return Err(error),
        Err(_) if is_annotated(listed) || tag.is_some() => return Ok(evidence(None)),
        Err(_) => return Ok(Entry::Image),
    };
    Ok(match legacy_kind(&manifest) {
        _ if manifest.subject.is_some() => Entry::Referrer,
        Some(kind) => evidence(Some(kind)),
        None => Entry::Image,
    })
}

fn is_unread(error: &oci::Error) -> bool {
    match error {
        oci::Error::Content {
            source: ReadError::Io(error),
            ..
        } => error.kind() != io::ErrorKind::NotFound,
        _ => false,
    }
}

/// The tag `sha256-<hex>.sig`, for example, if the entry has such a name. Without a suffix, it is that of a list of
/// referrers (OCI distribution specification, referrers tag schema).
fn legacy_tag(listed: &Descriptor) -> Option<String> {
    let mut names = NAMES
        .iter()
        .filter_map(|name| listed.annotations.get(*name));
    let tag = names.find_map(|name| {
        let tag = name.rsplit([':', '/']).next()?;
        let digest = tag.strip_prefix("sha256-")?.split('.').next()?;
        Digest::from_hex(digest).ok().map(|_| tag)
    });
    tag.map(str::to_owned)
}

fn is_annotated(listed: &Descriptor) -> bool {
    let kind = listed.annotations.get(KIND);
    kind.is_some_and(|kind| SAVED_KINDS.contains(&kind.as_str()))
}

/// What a manifest holds if all of its layers are signatures or statements. A container cannot be run from such layers.
fn legacy_kind(manifest: &Manifest) -> Option<Legacy> {
    let (first, rest) = manifest.layers.split_first()?;
    if rest.is_empty() && media::BOMS.contains(&first.media_type.as_str()) {
        return Some(Legacy::Boms);
    }
    if !rest.iter().all(|layer| layer::form(layer).is_some()) {
        return None;
    }
    match first.media_type.as_str() {
        media::SIMPLE_SIGNING => Some(Legacy::Signatures),
        _ if layer::form(first).is_some() => Some(Legacy::Attestations),
        _ => None,
    }
}

/// Whether an image has this name or tag. Docker leaves out the name of Docker Hub.
pub(super) fn is_named(image: &Descriptor, name: &str) -> bool {
    let mut names = NAMES.iter().filter_map(|key| image.annotations.get(*key));
    let without_hub = |found: &str| {
        let mut prefixes = ["docker.io/library/", "docker.io/"].iter();
        prefixes.any(|prefix| found.strip_prefix(prefix) == Some(name))
    };
    names.any(|found| found == name || without_hub(found))
}
