//! Fetches what is attached to an image. A request that fails is an error; what is damaged or too large is a note.

use std::collections::{BTreeMap, BTreeSet};

use console::hint::Hinted;
use content::{Digest, limits};
use oci::{Descriptor, Index, Manifest, Reference, Repository, Tag, media};
use remote::{Registry, Transport};

use super::{Fetched, Layer, Place};
use crate::publish::resolve::resolve;

/// Annotations that claim a predicate type: on layers under `.att`, on manifests of bundles.
const CLAIMED_TYPES: [&str; 2] = ["predicateType", "dev.sigstore.bundle.predicateType"];

/// Fetches the image's manifest, and everything that is attached to the image under tags and among its referrers, in its own
/// repository and in those of evidence.
///
/// # Errors
/// The image does not exist, or a registry fails.
pub async fn collect(
    reference: &Reference,
    evidence: &[Repository],
    transport: &Transport,
) -> Result<Fetched, Hinted> {
    let failed = |error: remote::Error| {
        let hint = error.hint();
        Hinted::doing(format_args!("reading {reference}"), error).hinting(hint)
    };
    let registry = Registry::connect(&reference.repository, transport).map_err(failed)?;
    let image = resolve(&registry, reference).await?;
    let manifest = registry.manifest(&image.digest).await.map_err(failed)?;
    let mut collector = Collector {
        registry: &registry,
        elsewhere: None,
        fetched: Fetched {
            image,
            size: manifest.len() as u64,
            layers: Vec::new(),
            notes: Vec::new(),
        },
        seen: BTreeSet::new(),
        budget: limits::PIECES_TOTAL,
    };
    if let Ok(index) = Index::parse(&manifest) {
        let image = collector.fetched.image.digest;
        for attestation in index.attestations_of(&image) {
            let digest = attestation.digest;
            collector.note(format!(
                "attestation {digest} in the image index has no signature (BuildKit)"
            ));
        }
    }
    collector.attached().await.map_err(failed)?;
    let mut fetched = collector.fetched;
    for repository in evidence {
        let failed = |error: remote::Error| {
            let hint = error.hint();
            Hinted::doing(format_args!("reading evidence in {repository}"), error).hinting(hint)
        };
        let registry = Registry::connect(repository, transport).map_err(failed)?;
        let mut collector = Collector {
            registry: &registry,
            elsewhere: Some(repository.to_string()),
            fetched,
            seen: BTreeSet::new(),
            budget: limits::PIECES_TOTAL,
        };
        collector.attached().await.map_err(failed)?;
        collector.note(format!(
            "Confidential Space reads {repository} if the operator names it in tee-signed-image-repos"
        ));
        fetched = collector.fetched;
    }
    Ok(fetched)
}

struct Collector<'a> {
    registry: &'a Registry,
    /// The repository, if it is not the image's.
    elsewhere: Option<String>,
    fetched: Fetched,
    /// What has been fetched: media type, annotations and digest. A blob can be listed with another media type, to be read as
    /// something else.
    seen: BTreeSet<(String, BTreeMap<String, String>, Digest)>,
    /// Bytes that may still be fetched.
    budget: u64,
}

impl Collector<'_> {
    async fn attached(&mut self) -> Result<(), remote::Error> {
        let image = self.fetched.image.digest;
        for suffix in [".sig", ".att", ".sbom"] {
            let found = self.tag(&image, suffix).await?;
            // A bill of materials is signed like an image of its own (`cosign sign --attachment sbom`).
            if let (".sbom", Some(bom)) = (suffix, found) {
                self.tag(&bom, ".sig").await?;
            }
        }
        let referrers = self.registry.referrers(&image).await?;
        let passed_over = referrers.passed_over.iter().map(ToString::to_string);
        self.fetched.notes.extend(passed_over);
        for (digest, manifest) in &referrers.manifests {
            let place = self.place(Place::Referrer(*digest));
            self.layers(&place, &image, manifest).await?;
        }
        Ok(())
    }

    /// A place in the repository that is read.
    fn place(&self, at: Place) -> Place {
        match self.elsewhere.clone() {
            Some(repository) => Place::Elsewhere {
                repository,
                at: Box::new(at),
            },
            None => at,
        }
    }

    /// Fetches what is attached to `about` under a tag. The digest of the manifest, if there is one.
    async fn tag(&mut self, about: &Digest, suffix: &str) -> Result<Option<Digest>, remote::Error> {
        // A suffix of letters is allowed in a tag.
        let Ok(tag) = Tag::of_digest(about, suffix) else {
            return Ok(None);
        };
        let name = tag.as_str().to_owned();
        let Some(bytes) = self.registry.manifest_by_tag(&tag).await? else {
            return Ok(None);
        };
        match Manifest::parse(&bytes) {
            Ok(manifest) => {
                let place = self.place(Place::Tag(name));
                self.layers(&place, about, &manifest).await?;
            }
            Err(error) => self.note(format!("tag {name} cannot be read: {error}")),
        }
        Ok(Some(Digest::of(&bytes)))
    }

    async fn layers(
        &mut self,
        place: &Place,
        about: &Digest,
        manifest: &Manifest,
    ) -> Result<(), remote::Error> {
        for layer in &manifest.layers {
            if self.fetched.layers.len() == limits::PIECES {
                let rest = format!("{place}: only the first {} pieces are read", limits::PIECES);
                self.note(rest);
                break;
            }
            let claimed_type = claimed_type(layer, manifest);
            let bytes = self.bytes(place, layer).await?;
            self.fetched.layers.push(Layer {
                place: place.clone(),
                about: *about,
                artifact_type: manifest.artifact_type.clone(),
                claimed_type,
                descriptor: layer.clone(),
                bytes,
            });
        }
        Ok(())
    }

    /// The content of a layer whose form is read; `None`, with a note, if it is damaged or beyond a limit.
    async fn bytes(
        &mut self,
        place: &Place,
        layer: &Descriptor,
    ) -> Result<Option<Vec<u8>>, remote::Error> {
        let limit = match layer.media_type.as_str() {
            media::SIMPLE_SIGNING => limits::PAYLOAD,
            media::DSSE_ENVELOPE => limits::STATEMENT,
            media::SIGSTORE_BUNDLE => limits::BUNDLE,
            _ => return Ok(None),
        };
        if let Err(reason) = self.admit(layer, limit) {
            self.note(format!("{} ({place}) is not read: {reason}", layer.digest));
            return Ok(None);
        }
        match self.registry.blob(layer, limit).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(
                error @ (remote::Error::NotFound { .. }
                | remote::Error::SizeMismatch { .. }
                | remote::Error::DigestMismatch { .. }
                | remote::Error::Limit { .. }),
            ) => {
                self.note(format!(
                    "{} ({place}) cannot be read: {error}",
                    layer.digest
                ));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a layer out of the budget. The error says why it is not fetched.
    fn admit(&mut self, layer: &Descriptor, limit: u64) -> Result<(), &'static str> {
        if layer.size > limit {
            return Err("it is too large");
        }
        let (media_type, annotations) = (layer.media_type.clone(), layer.annotations.clone());
        if !self.seen.insert((media_type, annotations, layer.digest)) {
            return Err("it is stored more than once");
        }
        let rest = self.budget.checked_sub(layer.size);
        self.budget = rest.ok_or("all pieces together are too large")?;
        Ok(())
    }

    fn note(&mut self, note: String) {
        self.fetched.notes.push(note);
    }
}

/// The predicate type that an annotation claims.
fn claimed_type(layer: &Descriptor, manifest: &Manifest) -> Option<String> {
    let annotations = [&layer.annotations, &manifest.annotations];
    let claims = CLAIMED_TYPES.into_iter();
    let mut claims = claims.flat_map(|name| annotations.map(|map| map.get(name)));
    claims.find_map(|claim| claim.cloned())
}
