//! Images that were saved in an OCI layout, with the signatures and statements beside them.
//!
//! `cosign save` lists legacy signatures and attestations in `index.json`, annotated as such; its version 3 leaves
//! bundles out of the list (`verify.go`, `getLocalBundleDescriptors`). Other clients list legacy manifests by their
//! tags, and referrers without a name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use console::at::At;
use console::hint::{self, Hinted};
use content::{Digest, json, limits, open_regular, read_limited};
use oci::{Descriptor, Index, Layout, Manifest, Tag, media};
use scratch::Scratch;

use super::fetched::{Attached, Cause, Legacy, Referrers, Unfetched, at_most};
use super::named::{Chosen, Form, Location};
use crate::carrier::Carrier;
use crate::value::Value;

mod entry;

use entry::{Entry, Evidence, entry, is_named};

/// Maximum number of entries of `index.json`.
const ENTRIES: usize = 1000;
/// Maximum number of blobs of a layout.
const BLOBS: usize = 100_000;
/// Maximum total size of the JSON documents among the blobs that may be manifests, in bytes.
const DOCUMENTS: u64 = 256 << 20;

/// One image in a layout.
pub struct Saved {
    layout: Layout,
    image: Digest,
    evidence: Vec<Evidence>,
    /// The indexes that the layout lists.
    indexes: Vec<Index>,
    /// The unpacked archive.
    _unpacked: Option<Scratch>,
}

impl Saved {
    /// Opens the layout, unpacking it first if it is an archive, and finds the image. Blocks.
    ///
    /// # Errors
    /// The layout or archive cannot be read, does not hold the chosen image, or holds several and none is chosen.
    pub fn open(location: &Location) -> Result<Self, Hinted> {
        let (layout, unpacked) = match location.form {
            Form::Layout => (Layout::open(&location.path), None),
            Form::LayoutArchive => {
                let (scratch, _) = unpack(location)?;
                (Layout::open(scratch.path()), Some(scratch))
            }
            Form::DockerArchive => {
                let (scratch, links) = unpack(location)?;
                (docker_layout(scratch.path(), &links), Some(scratch))
            }
        };
        let layout = layout.map_err(|e| unread(location, e))?;
        let index = layout.index().map_err(|e| unread(location, e))?;
        if index.manifests.len() > ENTRIES {
            let fault = format!("its index has more than {ENTRIES} entries");
            return Err(refused(location, fault));
        }
        let mut images = Vec::new();
        let (mut evidence, mut indexes) = (Vec::new(), Vec::new());
        for listed in index.manifests {
            match entry(&layout, &listed).map_err(|e| unread(location, e))? {
                Entry::Image => images.push(listed),
                Entry::Index(index) => {
                    images.push(listed);
                    indexes.push(*index);
                }
                Entry::Evidence(found) => evidence.push(found),
                Entry::Referrer => {}
            }
        }
        Ok(Self {
            image: choose(location, &images)?,
            layout,
            evidence,
            indexes,
            _unpacked: unpacked,
        })
    }

    /// The digest of the image. Its manifest has not been compared with it.
    pub fn image(&self) -> Digest {
        self.image
    }

    /// The indexes that name this manifest.
    pub(super) fn indexes_of(&self, image: &Digest) -> impl Iterator<Item = &Index> {
        let names = |index: &&Index| index.manifests.iter().any(|one| one.digest == *image);
        self.indexes.iter().filter(names)
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, Unfetched> {
        let file = self.layout.open_blob(digest)?;
        let bytes = read_limited(file, limits::MANIFEST).map_err(blob_error(digest))?;
        check(digest, &bytes)?;
        Ok(bytes)
    }

    pub(super) fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Unfetched> {
        Ok(self.layout.read_blob(descriptor, limit)?)
    }

    pub(super) fn layer(&self, layer: &Descriptor) -> Result<PathBuf, Unfetched> {
        self.layout.open_blob(&layer.digest)?;
        Ok(self.layout.blob_path(&layer.digest))
    }

    /// The listed manifests with this tag, and, if `subject` is the image, those of this kind without a tag: a signature
    /// names the digest that it is for.
    pub(super) fn legacy(&self, subject: &Digest, tag: &Tag, kind: Legacy) -> Vec<Attached> {
        let is_image = *subject == self.image;
        let belongs = |found: &&Evidence| match &found.tag {
            Some(name) => name == tag.as_str(),
            None => is_image && found.kind.unwrap_or(Legacy::Signatures) == kind,
        };
        let found = self.evidence.iter().filter(belongs);
        found
            .map(|found| {
                let carrier = match &found.tag {
                    Some(name) => Carrier::Tag(name.clone()),
                    None => Carrier::Listed(found.digest),
                };
                let descriptor = Descriptor::new(media::MANIFEST, found.digest, found.size);
                (carrier, self.blob(&descriptor, limits::MANIFEST))
            })
            .collect()
    }

    /// Reads every blob that may be a manifest: layouts do not list referrers.
    pub(super) fn referrers(&self, image: &Digest) -> Result<Referrers, Unfetched> {
        let mut digests = Vec::new();
        for digest in self.layout.blobs().map_err(oci::Error::from)? {
            digests.push(digest.map_err(oci::Error::from)?);
            if digests.len() > BLOBS {
                return Err(more_than(Value::Count(BLOBS)));
            }
        }
        // A directory has no order.
        digests.sort();
        let mut referrers = Referrers::default();
        let mut budget = DOCUMENTS;
        for digest in digests {
            let Some(bytes) = self.document(&digest)? else {
                continue;
            };
            budget = budget
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| more_than(Value::Bytes(DOCUMENTS)))?;
            if !refers(&bytes, image) {
                continue;
            }
            check(&digest, &bytes)?;
            match Manifest::parse(&bytes) {
                Ok(manifest) => referrers.manifests.push((digest, manifest)),
                Err(error) => referrers.passed_over.push(format!(
                    "referrer {digest} cannot be read: {}",
                    content::printable(&error.to_string(), SHOWN)
                )),
            }
            if referrers.manifests.len() + referrers.passed_over.len() > limits::REFERRERS {
                return Err(more_than(Value::Count(limits::REFERRERS)));
            }
        }
        Ok(referrers)
    }

    /// The content of a blob that may be a manifest; `None` for one that is too large or is no JSON object.
    fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Unfetched> {
        let mut file = match open_regular(&self.layout.blob_path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::Other => return Ok(None),
            Err(error) => return Err(self.unread_blob(digest, error)),
        };
        begin(&mut file).map_err(|error| self.unread_blob(digest, error))
    }

    fn unread_blob(&self, digest: &Digest, error: io::Error) -> Unfetched {
        oci::Error::from(At::reading(&self.layout.blob_path(digest))(error)).into()
    }
}

/// The longest text shown of the reason why a referrer cannot be parsed, in characters.
const SHOWN: usize = 300;

fn begin(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    if file.metadata()?.len() > limits::MANIFEST {
        return Ok(None);
    }
    let mut bytes = vec![0; 1];
    let count = file.read(&mut bytes)?;
    if count == 0 || !matches!(bytes[0], b'{' | b' ' | b'\t' | b'\r' | b'\n') {
        return Ok(None);
    }
    file.take(limits::MANIFEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Whether a document is a manifest with this subject, even if it is not a valid one.
fn refers(bytes: &[u8], image: &Digest) -> bool {
    let document: Result<serde_json::Value, _> = json::parse(bytes, limits::MANIFEST);
    document.is_ok_and(|document| {
        let subject = document.pointer("/subject/digest");
        subject.and_then(|digest| digest.as_str()) == Some(image.to_string().as_str())
    })
}

fn choose(location: &Location, images: &[Descriptor]) -> Result<Digest, Hinted> {
    let mut found: Vec<Digest> = match &location.chosen {
        // It may also be in an index that the layout lists.
        Some(Chosen::Digest(digest)) => return Ok(*digest),
        Some(Chosen::Name(name)) => images
            .iter()
            .filter(|image| is_named(image, name))
            .map(|image| image.digest)
            .collect(),
        None => images.iter().map(|image| image.digest).collect(),
    };
    found.sort();
    found.dedup();
    match (&found[..], &location.chosen) {
        ([only], _) => Ok(*only),
        ([], Some(Chosen::Name(name))) => {
            let fault = format!("no image is named {name:?}");
            Err(refused(location, fault).hinting(CHOOSE))
        }
        ([], _) => Err(refused(location, "it has no image".to_owned())),
        (several, _) => {
            let several = several.iter().take(8).map(ToString::to_string);
            let several: Vec<_> = several.collect();
            let fault = format!("it has several images: {}", several.join(", "));
            Err(refused(location, fault).hinting(CHOOSE))
        }
    }
}

/// Since version 25, Docker saves a layout, to which `manifest.json` is added.
fn docker_layout(dir: &Path, links: &BTreeMap<String, String>) -> Result<Layout, oci::Error> {
    match dir.join("oci-layout").exists() {
        true => Layout::open(dir),
        false => oci::layout::convert(dir, links),
    }
}

/// The unpacked archive and its symbolic links.
fn unpack(location: &Location) -> Result<(Scratch, BTreeMap<String, String>), Hinted> {
    let scratch = Scratch::new().map_err(Hinted::temporary)?;
    let archive = open_regular(&location.path).map_err(|source| {
        let hint = hint::of_file(&source);
        Hinted::from_error(At::reading(&location.path)(source)).hinting(hint)
    })?;
    let links = oci::layout::unpack(archive, scratch.path());
    Ok((scratch, links.map_err(|e| unread(location, e))?))
}

fn check(digest: &Digest, bytes: &[u8]) -> Result<(), Unfetched> {
    let found = Digest::of(bytes);
    match found == *digest {
        true => Ok(()),
        false => Err(Unfetched::damaged((*digest).into(), found.into())),
    }
}

fn more_than(limit: Value) -> Unfetched {
    Unfetched::damaged(at_most(limit), Value::More)
}

fn blob_error(digest: &Digest) -> impl FnOnce(content::ReadError) -> oci::Error {
    let subject = format!("blob {digest}");
    move |source| oci::Error::Content { subject, source }
}

fn reading(location: &Location) -> String {
    format!("reading {}", content::at::shown(&location.path))
}

fn unread(location: &Location, source: oci::Error) -> Hinted {
    Cause::Layout(source).doing(reading(location))
}

const CHOOSE: &str = "append @sha256:<digest> or :<name> to choose an image";

fn refused(location: &Location, fault: String) -> Hinted {
    Hinted::new(format_args!("{}: {fault}", reading(location)))
}
