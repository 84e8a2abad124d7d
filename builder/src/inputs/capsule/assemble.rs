//! Makes a capsule of the inputs in the store. The same lock always gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use console::hint::Hinted;
use content::{Digest, limits};
use oci::{Descriptor, Manifest, media};
use scratch::Scratch;

use super::bundle::{self, Source};
use super::opened::{INPUT, LOCK};
use super::parts::{self, Part, Place};
use crate::error::Error;
use crate::inputs::Supply;
use crate::lock::Lock;
use crate::spec::Spec;

/// What a capsule is made of.
pub(in crate::inputs) struct Annotated<'a> {
    /// `Image.toml`.
    pub(in crate::inputs) spec: &'a Spec,
    /// The lock.
    pub(in crate::inputs) lock: &'a Lock,
    /// Its digest.
    pub(in crate::inputs) digest: Digest,
    /// The image that the capsule refers to.
    pub(in crate::inputs) subject: Option<Descriptor>,
}

/// A capsule, whose blobs are in files of the store.
pub struct Assembled {
    /// The manifest.
    pub manifest: Manifest,
    /// Its blobs, in the order of the manifest.
    pub blobs: Vec<Blob>,
    _scratch: Scratch,
}

/// A blob in a file.
pub struct Blob {
    /// What it is.
    pub descriptor: Descriptor,
    /// Its file.
    pub path: PathBuf,
}

/// Makes a capsule. `git` has the files of git repositories.
///
/// # Errors
/// The store lacks an input, has other bytes or cannot be written, there are too many inputs, or the work was interrupted.
pub(in crate::inputs) fn assemble(
    wanted: &Annotated<'_>,
    git: &BTreeMap<Digest, Source>,
    supply: &Supply<'_>,
) -> Result<Assembled, Error> {
    let parts = [
        parts::indexes(wanted.spec, wanted.lock),
        parts::others(wanted.spec, wanted.lock),
    ]
    .concat();
    let scratch = supply.store.scratch()?;
    let mut blobs = alone(&parts, supply);
    let (crates, modules) = (
        bundled(&parts, Place::WithCrates, supply),
        bundled(&parts, Place::WithModules, supply),
    );
    for (name, members) in [("crates", &crates), ("modules", &modules), ("git", git)] {
        if members.is_empty() {
            continue;
        }
        let path = scratch.path().join(name);
        let descriptor = supply.during(format_args!("pack {name}"), |_| {
            bundle::write(members, &path, supply.interrupt)
        })?;
        let descriptor = annotated(descriptor, name.to_owned());
        blobs.push(Blob { descriptor, path });
    }
    let too_large = blobs
        .iter()
        .any(|blob| blob.descriptor.size > limits::LAYER);
    if blobs.len() > limits::LAYERS || too_large {
        return Err(Hinted::new(format_args!(
            "making capsule: a capsule has at most {} blobs of at most {} bytes",
            limits::LAYERS,
            limits::LAYER
        ))
        .into());
    }
    let layers = blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    let annotations = [(LOCK.to_owned(), wanted.digest.to_string())];
    Ok(Assembled {
        manifest: Manifest {
            artifact_type: Some(media::CAPSULE.to_owned()),
            subject: wanted.subject.clone(),
            annotations: annotations.into(),
            ..Manifest::new(Descriptor::empty(), layers)
        },
        blobs,
        _scratch: scratch,
    })
}

impl Assembled {
    /// The sizes of all blobs, in bytes.
    pub fn sizes(&self) -> impl Iterator<Item = u64> {
        self.blobs.iter().map(|blob| blob.descriptor.size)
    }

    /// The manifest's bytes, and its descriptor.
    ///
    /// # Errors
    /// It is too large.
    pub fn manifest_bytes(&self) -> Result<(Vec<u8>, Descriptor), Error> {
        let bytes = self.manifest.to_bytes();
        let bytes = bytes.map_err(|error| Hinted::doing("making capsule", error))?;
        if bytes.len() as u64 > limits::MANIFEST {
            return Err(Hinted::new("making capsule: its manifest is too large").into());
        }
        let mut descriptor = Descriptor::of(media::MANIFEST, &bytes);
        descriptor.artifact_type = Some(media::CAPSULE.to_owned());
        Ok((bytes, descriptor))
    }
}

/// The inputs that are layers of their own. One input may have several names.
fn alone(parts: &[Part<'_>], supply: &Supply<'_>) -> Vec<Blob> {
    let mut seen = BTreeSet::new();
    let alone = parts.iter().filter(|part| part.place == Place::Alone);
    let first = alone.filter(|part| seen.insert(part.key().digest));
    let blobs = first.map(|part| {
        let key = part.key();
        let descriptor = Descriptor::new(media::OCTETS, key.digest, part.size);
        Blob {
            descriptor: annotated(descriptor, key.to_string().trim().to_owned()),
            path: supply.store.path(&key),
        }
    });
    blobs.collect()
}

fn annotated(descriptor: Descriptor, input: String) -> Descriptor {
    Descriptor {
        annotations: [(INPUT.to_owned(), input)].into(),
        ..descriptor
    }
}

fn bundled(parts: &[Part<'_>], place: Place, supply: &Supply<'_>) -> BTreeMap<Digest, Source> {
    let members = parts.iter().filter(|part| part.place == place);
    let members = members.map(|part| {
        let key = part.key();
        (key.digest, Source::File(supply.store.path(&key), part.size))
    });
    members.collect()
}
