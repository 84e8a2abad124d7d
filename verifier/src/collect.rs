//! Reads an image and everything that is attached to it, from a registry or from a saved layout.
//!
//! Both layouts of signatures are always read, so that a place that hides one of them does not hide the other. If a
//! place does not answer, that is an error, and never means that something is absent. Bytes with another digest are
//! damage, which is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use console::hint::Hinted;
use content::{Digest, limits};
use oci::{Descriptor, Image, ImageRef, Index, Manifest, Reference, Target, media};
use remote::Registry;
use scratch::Scratch;

use crate::contents::{Contents, ContentsError};
use crate::damage::{Damage, Part};
use crate::error::Error;
use crate::place::{Cause, Legacy, Mismatch, Place, Unfetched, at_most};
use crate::published::{Bom, Carrier, Certified, Form, Piece, Published, layer};
use crate::value::{Thing, Value};

/// The time limit for everything that is attached to an image. Each answer has its own time limit, but hundreds of
/// slow answers could take a day.
const PIECES_TIME: Duration = Duration::from_secs(15 * 60);

/// Resolves a reference to a digest, once.
///
/// # Errors
/// The tag does not exist, or the registry does not answer.
pub async fn resolve(place: Place<'_>, reference: &Reference) -> Result<ImageRef, Error> {
    let digest = match (&reference.target, place) {
        (Target::Digest(digest), _) => *digest,
        (Target::Tag(_), Place::Saved(saved)) => saved.image(),
        (Target::Tag(tag), Place::Registry(registry)) => {
            let doing = || format!("resolving {reference}");
            let found = registry.resolve(tag).await;
            let found = found.map_err(|source| Cause::Registry(source).doing(doing()))?;
            let found = found.ok_or_else(|| Error::Absent {
                reference: reference.to_string(),
            })?;
            found.digest
        }
    };
    Ok(ImageRef {
        repository: reference.repository.clone(),
        digest,
    })
}

/// Reads `image`, and everything that is attached to it.
///
/// # Errors
/// The place does not have the image, or does not answer in time.
pub async fn collect(place: Place<'_>, image: &ImageRef) -> Result<Published, Error> {
    let mut collector = Collector::new(place, image);
    collector.image().await?;
    collector.attached_in_time().await?;
    Ok(collector.published)
}

/// Reads the manifest of `image`, and everything that is attached to it, but neither its config nor its layers.
///
/// # Errors
/// As [`collect`].
pub async fn collect_attached(place: Place<'_>, image: &ImageRef) -> Result<Published, Error> {
    let mut collector = Collector::new(place, image);
    collector.manifest().await?;
    collector.attached_in_time().await?;
    Ok(collector.published)
}

/// Adds what other repositories have about the image: signatures and statements, which count by their keys as all others do. What
/// the image's own place has too is not added again.
///
/// # Errors
/// A repository does not answer in time, or does not permit to read. That it has nothing about the image is no error.
pub async fn add_elsewhere(
    mut published: Published,
    repositories: &[Registry],
) -> Result<Published, Error> {
    for registry in repositories {
        let repository = registry.repository().to_string();
        let mut collector = Collector::new(Place::Registry(registry), &published.image);
        let attached = collector.attached_in_time().await;
        attached.map_err(|error| error.during(format_args!("reading evidence in {repository}")))?;
        let found = collector.published;
        let known: BTreeSet<_> = published.pieces.iter().map(described).collect();
        let new = found
            .pieces
            .into_iter()
            .filter(|piece| !known.contains(&described(piece)));
        let new: Vec<_> = new.map(|piece| elsewhere(piece, &repository)).collect();
        published.pieces.extend(new);
        published.boms.extend(found.boms);
        // The image and its own place are not responsible for damage elsewhere.
        let damage = found.damage.iter().map(ToString::to_string);
        let notes = damage.chain(found.passed_over);
        let notes = notes.map(|note| format!("{repository}: {note}"));
        published.passed_over.extend(notes);
    }
    Ok(published)
}

/// What distinguishes a piece from others, wherever it is attached.
fn described(piece: &Piece) -> Described {
    let (form, certified) = (piece.form.clone(), piece.certified.clone());
    (piece.digest, form, certified, piece.claimed_type.clone())
}

fn elsewhere(piece: Piece, repository: &str) -> Piece {
    let carrier = Carrier::Elsewhere {
        repository: repository.to_owned(),
        at: Box::new(piece.carrier),
    };
    Piece { carrier, ..piece }
}

struct Collector<'a> {
    place: Place<'a>,
    published: Published,
    /// What was fetched already, so that it is not fetched again.
    seen: BTreeSet<Described>,
    /// The maximum total size of further signatures and statements, in bytes.
    budget: u64,
}

/// What is known about a signature or statement before it is fetched, except where it is attached.
type Described = (Digest, Form, Option<Certified>, Option<String>);

impl<'a> Collector<'a> {
    fn new(place: Place<'a>, image: &ImageRef) -> Self {
        Self {
            place,
            published: Published {
                image: image.clone(),
                source: place.source(),
                contents: None,
                pieces: Vec::new(),
                boms: Vec::new(),
                index_files: Vec::new(),
                damage: Vec::new(),
                passed_over: Vec::new(),
            },
            seen: BTreeSet::new(),
            budget: limits::PIECES_TOTAL,
        }
    }

    async fn image(&mut self) -> Result<(), Error> {
        let Some((manifest, parsed)) = self.manifest().await? else {
            return Ok(());
        };
        let fetched = self.place.blob(&parsed.config, limits::CONFIG).await;
        let Some(config) = self.intact(&Part::Config, fetched)? else {
            return Ok(());
        };
        match Image::parse(manifest, config) {
            Ok(image) => self.layers(image).await,
            Err(error) => self.unreadable(Part::Config, Thing::Config, &error),
        }
    }

    /// The manifest of the image, as bytes and parsed. Damage is recorded.
    async fn manifest(&mut self) -> Result<Option<(Vec<u8>, Manifest)>, Error> {
        let digest = self.published.image.digest;
        let fetched = self.place.manifest(&digest).await;
        if let (Err(Unfetched::Absent(_)), Place::Registry(_)) = (&fetched, self.place) {
            let reference = self.published.image.to_string();
            return Err(Error::Absent { reference });
        }
        let Some(manifest) = self.intact(&Part::Manifest, fetched)? else {
            return Ok(None);
        };
        let mut indexes = self.place.indexes_of(&digest);
        indexes.extend(Index::parse(&manifest));
        let unsigned = indexes
            .iter()
            .flat_map(|index| layer::unsigned(index, &digest));
        self.published.passed_over.extend(unsigned);
        match Manifest::parse(&manifest) {
            Ok(parsed) => Ok(Some((manifest, parsed))),
            Err(error) => {
                self.unreadable(Part::Manifest, Thing::Manifest, &error)?;
                Ok(None)
            }
        }
    }

    async fn attached_in_time(&mut self) -> Result<(), Error> {
        let attached = tokio::time::timeout(PIECES_TIME, self.attached()).await;
        attached.unwrap_or_else(|_| Err(too_slow(&self.published.image)))
    }

    async fn attached(&mut self) -> Result<(), Error> {
        self.legacy(Legacy::Signatures).await?;
        self.legacy(Legacy::Attestations).await?;
        self.boms().await?;
        self.referrers().await
    }

    async fn layers(&mut self, image: Image) -> Result<(), Error> {
        let sizes = image.manifest().layers.iter().map(|layer| layer.size);
        if sizes.fold(0, u64::saturating_add) > limits::LAYERS_TOTAL {
            let most = Value::Bytes(limits::LAYERS_TOTAL);
            return self.flood(Part::Layers, most);
        }
        let scratch = Scratch::new().map_err(Hinted::temporary)?;
        let mut paths: BTreeMap<Digest, PathBuf> = BTreeMap::new();
        let layers = &image.manifest().layers;
        for (index, layer) in layers.iter().enumerate() {
            let fetched = self.place.layer(layer, scratch.path()).await;
            if let Some(path) = self.intact(&Part::Layer(index), fetched)? {
                paths.insert(layer.digest, path);
            }
        }
        if !layers.iter().all(|layer| paths.contains_key(&layer.digest)) {
            return Ok(());
        }
        let open = |layer: &Descriptor| -> std::io::Result<Box<dyn std::io::Read>> {
            Ok(Box::new(File::open(&paths[&layer.digest])?))
        };
        match Contents::read(image, &open) {
            Ok(contents) => self.published.contents = Some(contents),
            Err(ContentsError::Damage(damage)) => self.published.damage.push(*damage),
            Err(ContentsError::Io(source)) => return Err(Hinted::temporary(source).into()),
        }
        Ok(())
    }

    /// The signatures or attestations under a legacy tag.
    async fn legacy(&mut self, kind: Legacy) -> Result<(), Error> {
        let image = self.published.image.digest;
        for (carrier, _, manifest) in self.tagged(&image, kind).await? {
            if let Some(what) = layer::others(&manifest) {
                let note = format!("{carrier} has no signature or statement: {what}");
                self.published.passed_over.push(note);
            }
            let pieces = self.pieces(&carrier, &manifest).await?;
            self.published.pieces.extend(pieces);
        }
        Ok(())
    }

    /// The bills of materials under a legacy tag, each with its signatures. The documents are not fetched.
    async fn boms(&mut self) -> Result<(), Error> {
        let image = self.published.image.digest;
        for (carrier, digest, manifest) in self.tagged(&image, Legacy::Boms).await? {
            let mut known = self.published.boms.iter();
            // A layout can list one manifest very often.
            if known.any(|bom| bom.digest == digest) {
                continue;
            }
            let Some(document) = manifest.layers.first() else {
                continue;
            };
            let mut signatures = Vec::new();
            for (carrier, _, manifest) in self.tagged(&digest, Legacy::Signatures).await? {
                signatures.extend(self.pieces(&carrier, &manifest).await?);
            }
            self.published.boms.push(Bom {
                carrier,
                digest,
                media_type: document.media_type.clone(),
                signatures,
            });
        }
        Ok(())
    }

    /// The manifests under a legacy tag, with their digests. The content of a tag is not signed, but must be a manifest.
    async fn tagged(
        &mut self,
        subject: &Digest,
        kind: Legacy,
    ) -> Result<Vec<(Carrier, Digest, Manifest)>, Error> {
        let found = self.place.legacy(subject, kind).await;
        let mut manifests = Vec::new();
        for (carrier, fetched) in found.map_err(|error| Hinted::doing("naming a tag", error))? {
            let part = match &carrier {
                Carrier::Tag(name) => Part::Tag(name.clone()),
                carrier => Part::Piece(carrier.clone()),
            };
            let Some(bytes) = self.intact(&part, fetched)? else {
                continue;
            };
            match Manifest::parse(&bytes) {
                Ok(manifest) => manifests.push((carrier, Digest::of(&bytes), manifest)),
                Err(error) => self.unreadable(part, Thing::Manifest, &error)?,
            }
        }
        Ok(manifests)
    }

    async fn referrers(&mut self) -> Result<(), Error> {
        let digest = self.published.image.digest;
        let fetched = self.place.referrers(&digest).await;
        let Some(referrers) = self.intact(&Part::Referrers, fetched)? else {
            return Ok(());
        };
        self.published.passed_over.extend(referrers.passed_over);
        for (digest, manifest) in referrers.manifests {
            if manifest.artifact_type.as_deref() == Some(media::PACKAGE_INDEX) {
                let files = manifest.layers.iter().cloned();
                self.published.index_files.extend(files);
            } else if let Some(what) = layer::others(&manifest) {
                let note = format!("referrer {digest} has no signature or statement: {what}");
                self.published.passed_over.push(note);
            }
            let pieces = self.pieces(&Carrier::Referrer(digest), &manifest).await?;
            self.published.pieces.extend(pieces);
        }
        Ok(())
    }

    /// Reads the layers of a manifest that are signatures or statements, and were not read before.
    async fn pieces(
        &mut self,
        carrier: &Carrier,
        manifest: &Manifest,
    ) -> Result<Vec<Piece>, Error> {
        let mut pieces = Vec::new();
        for layer in &manifest.layers {
            let Some((form, limit)) = layer::form(layer) else {
                continue;
            };
            let claimed_type = layer::claimed_type(layer, manifest);
            let certified = layer::certified(layer);
            let named = (
                layer.digest,
                form.clone(),
                certified.clone(),
                claimed_type.clone(),
            );
            if !self.seen.insert(named) {
                continue;
            }
            if self.seen.len() > limits::PIECES {
                self.flood(Part::Pieces, Value::Count(limits::PIECES))?;
                break;
            }
            let Some(budget) = self.budget.checked_sub(layer.size) else {
                let most = Value::Bytes(limits::PIECES_TOTAL);
                self.flood(Part::Pieces, most)?;
                break;
            };
            self.budget = budget;
            let fetched = self.place.blob(layer, limit).await;
            if let Err(Unfetched::Absent(_)) = fetched {
                let gone = format!(
                    "signature or statement {} ({carrier}) is listed but does not exist",
                    layer.digest
                );
                self.published.passed_over.push(gone);
                continue;
            }
            let Some(bytes) = self.intact(&Part::Piece(carrier.clone()), fetched)? else {
                continue;
            };
            pieces.push(Piece {
                carrier: carrier.clone(),
                form,
                certified,
                claimed_type,
                digest: layer.digest,
                bytes,
            });
        }
        Ok(pieces)
    }

    /// Returns the content, or `None` for other bytes, which are recorded as damage. No answer is an error.
    fn intact<T>(
        &mut self,
        what: &Part,
        fetched: Result<T, Unfetched>,
    ) -> Result<Option<T>, Error> {
        let Mismatch { expected, found } = match fetched {
            Ok(fetched) => return Ok(Some(fetched)),
            Err(Unfetched::Damaged(mismatch)) => *mismatch,
            Err(Unfetched::Absent(cause) | Unfetched::Failed(cause)) => {
                return Err(cause.doing(format_args!("fetching {what}")).into());
            }
        };
        self.published.damage.push(Damage {
            what: what.clone(),
            expected,
            found,
        });
        Ok(None)
    }

    fn unreadable(&mut self, what: Part, expected: Thing, error: &oci::Error) -> Result<(), Error> {
        self.published.damage.push(Damage {
            what,
            expected: expected.into(),
            found: error.to_string().into(),
        });
        Ok(())
    }

    fn flood(&mut self, what: Part, most: Value) -> Result<(), Error> {
        let damage = Damage {
            what,
            expected: at_most(most),
            found: Value::More,
        };
        // Every further carrier would add the same damage.
        if !self.published.damage.contains(&damage) {
            self.published.damage.push(damage);
        }
        Ok(())
    }
}

fn too_slow(image: &ImageRef) -> Error {
    let source = remote::Error::Timeout {
        registry: image.repository.registry().to_owned(),
        seconds: PIECES_TIME.as_secs(),
    };
    Cause::Registry(source)
        .doing("fetching signatures and statements")
        .into()
}
