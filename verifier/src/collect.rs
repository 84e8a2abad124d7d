//! Fetches an image and everything that is attached to it.
//!
//! Both layouts are always read, so that a registry that hides one of them does not hide the other. If a registry
//! does not answer, that is an error, and never means that something is absent. Bytes with another digest are
//! damage, which is a finding.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::Duration;

use console::hint::Hinted;
use content::{Digest, limits};
use oci::{Descriptor, Image, ImageRef, Manifest, Reference, Tag, Target, media};
use remote::Registry;
use scratch::Scratch;

use crate::contents::{Contents, ContentsError};
use crate::damage::{Damage, Part};
use crate::error::Error;
use crate::published::{Carrier, Certified, Form, Piece, Published};
use crate::value::{Thing, Value};

/// Annotation of a simple-signing layer: the signature in base64 (cosign, `pkg/oci/static`).
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotations that claim a predicate type: on layers under `.att`, on bundle referrers.
const CLAIMED_TYPES: [&str; 2] = ["predicateType", "dev.sigstore.bundle.predicateType"];

/// Maximum number of signatures and statements of one image, under two tags and in referrers.
const PIECES: usize = 2 * limits::SIGNATURES + limits::REFERRERS;
/// The time limit for everything that is attached to an image. Each answer has its own time limit, but hundreds of
/// slow answers could take a day.
const PIECES_TIME: Duration = Duration::from_secs(15 * 60);

/// Resolves a reference to a digest, once.
///
/// # Errors
/// The tag does not exist, or the registry does not answer.
pub async fn resolve(registry: &Registry, reference: &Reference) -> Result<ImageRef, Error> {
    let digest = match &reference.target {
        Target::Digest(digest) => *digest,
        Target::Tag(tag) => {
            let doing = || format!("resolving {reference}");
            let found = registry.resolve(tag).await;
            let found = found.map_err(|source| registry_error(doing(), source))?;
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

/// Fetches `image`, and everything that is attached to it.
///
/// # Errors
/// The registry does not have the image, or does not answer in time.
pub async fn collect(registry: &Registry, image: &ImageRef) -> Result<Published, Error> {
    let mut collector = Collector {
        registry,
        published: Published {
            image: image.clone(),
            contents: None,
            pieces: Vec::new(),
            index_files: Vec::new(),
            damage: Vec::new(),
            passed_over: Vec::new(),
        },
        seen: BTreeSet::new(),
        budget: limits::PIECES_TOTAL,
    };
    collector.image().await?;
    let attached = tokio::time::timeout(PIECES_TIME, collector.attached());
    attached.await.unwrap_or_else(|_| Err(too_slow(image)))?;
    Ok(collector.published)
}

struct Collector<'a> {
    registry: &'a Registry,
    published: Published,
    /// What was fetched already, so that it is not fetched again.
    seen: BTreeSet<Named>,
    /// The maximum total size of further signatures and statements, in bytes.
    budget: u64,
}

/// What is known about a signature or statement before it is fetched, except where it is attached.
type Named = (Digest, Form, Option<Certified>, Option<String>);

impl Collector<'_> {
    async fn image(&mut self) -> Result<(), Error> {
        let digest = self.published.image.digest;
        let fetched = self.registry.manifest(&digest).await;
        if let Err(remote::Error::NotFound { .. }) = fetched {
            let reference = self.published.image.to_string();
            return Err(Error::Absent { reference });
        }
        let Some(manifest) = self.intact(&Part::Manifest, fetched)? else {
            return Ok(());
        };
        let parsed = match Manifest::parse(&manifest) {
            Ok(parsed) => parsed,
            Err(error) => return self.unreadable(Part::Manifest, Thing::Manifest, &error),
        };
        let fetched = self.registry.blob(&parsed.config, limits::CONFIG).await;
        let Some(config) = self.intact(&Part::Config, fetched)? else {
            return Ok(());
        };
        match Image::parse(manifest, config) {
            Ok(image) => self.layers(image).await,
            Err(error) => self.unreadable(Part::Config, Thing::Config, &error),
        }
    }

    async fn attached(&mut self) -> Result<(), Error> {
        self.tag(".sig").await?;
        self.tag(".att").await?;
        self.referrers().await
    }

    async fn layers(&mut self, image: Image) -> Result<(), Error> {
        let sizes = image.manifest().layers.iter().map(|layer| layer.size);
        if sizes.fold(0, u64::saturating_add) > limits::LAYERS_TOTAL {
            let most = Value::Bytes(limits::LAYERS_TOTAL);
            return self.flood(Part::Layers, most);
        }
        let scratch = Scratch::new().map_err(Hinted::temporary)?;
        let mut all_intact = true;
        for (index, layer) in image.manifest().layers.iter().enumerate() {
            let path = layer_path(&scratch, layer);
            if path.exists() {
                continue;
            }
            let fetched = self.registry.blob_to(layer, &path).await;
            all_intact &= self.intact(&Part::Layer(index), fetched)?.is_some();
        }
        if !all_intact {
            return Ok(());
        }
        let open = |layer: &Descriptor| -> std::io::Result<Box<dyn std::io::Read>> {
            Ok(Box::new(File::open(layer_path(&scratch, layer))?))
        };
        match Contents::read(image, &open) {
            Ok(contents) => self.published.contents = Some(contents),
            Err(ContentsError::Damage(damage)) => self.published.damage.push(*damage),
            Err(ContentsError::Io(source)) => return Err(Hinted::temporary(source).into()),
        }
        Ok(())
    }

    /// The layers under a legacy tag. The content of a tag is not signed, but must be a manifest.
    async fn tag(&mut self, suffix: &str) -> Result<(), Error> {
        let digest = self.published.image.digest;
        let name = format!("sha256-{}{suffix}", digest.hex());
        let tag = Tag::of_digest(&digest, suffix);
        let tag = tag.map_err(|error| Hinted::doing("naming a tag", error))?;
        let fetched = self.registry.manifest_by_tag(&tag).await;
        let Some(Some(bytes)) = self.intact(&Part::Tag(name.clone()), fetched)? else {
            return Ok(());
        };
        match Manifest::parse(&bytes) {
            Ok(manifest) => self.pieces(&Carrier::Tag(name), &manifest).await,
            Err(error) => self.unreadable(Part::Tag(name), Thing::Manifest, &error),
        }
    }

    async fn referrers(&mut self) -> Result<(), Error> {
        let digest = self.published.image.digest;
        let fetched = self.registry.referrers(&digest).await;
        let Some(referrers) = self.intact(&Part::Referrers, fetched)? else {
            return Ok(());
        };
        let passed_over = referrers.passed_over.iter().map(ToString::to_string);
        self.published.passed_over.extend(passed_over);
        for (digest, manifest) in referrers.manifests {
            if manifest.artifact_type.as_deref() == Some(media::PACKAGE_INDEX) {
                let files = manifest.layers.iter().cloned();
                self.published.index_files.extend(files);
            }
            self.pieces(&Carrier::Referrer(digest), &manifest).await?;
        }
        Ok(())
    }

    /// Fetches the layers of a manifest by their media types: artifact types in listings are often wrong, and both
    /// layouts may be attached anywhere.
    async fn pieces(&mut self, carrier: &Carrier, manifest: &Manifest) -> Result<(), Error> {
        for layer in &manifest.layers {
            let (form, limit) = match layer.media_type.as_str() {
                media::SIMPLE_SIGNING => (simple_signing(layer), limits::PAYLOAD),
                media::DSSE_ENVELOPE => (Form::Envelope, limits::STATEMENT),
                media::SIGSTORE_BUNDLE => (Form::Bundle, limits::BUNDLE),
                _ => continue,
            };
            let claimed_type = claimed_type(layer, manifest);
            let certified = certified(layer);
            let named = (
                layer.digest,
                form.clone(),
                certified.clone(),
                claimed_type.clone(),
            );
            if !self.seen.insert(named) {
                continue;
            }
            if self.seen.len() > PIECES {
                return self.flood(Part::Pieces, Value::Count(PIECES));
            }
            let Some(budget) = self.budget.checked_sub(layer.size) else {
                let most = Value::Bytes(limits::PIECES_TOTAL);
                return self.flood(Part::Pieces, most);
            };
            self.budget = budget;
            let fetched = self.registry.blob(layer, limit).await;
            if let Err(remote::Error::NotFound { .. }) = fetched {
                let gone = format!(
                    "signature or statement {} ({carrier}) is listed, but the registry does not have it",
                    layer.digest
                );
                self.published.passed_over.push(gone);
                continue;
            }
            let Some(bytes) = self.intact(&Part::Piece(carrier.clone()), fetched)? else {
                continue;
            };
            self.published.pieces.push(Piece {
                carrier: carrier.clone(),
                form,
                certified,
                claimed_type,
                digest: layer.digest,
                bytes,
            });
        }
        Ok(())
    }

    /// Returns the bytes, or `None` for other bytes, which are recorded as damage. No answer is an error.
    fn intact<T>(
        &mut self,
        what: &Part,
        fetched: Result<T, remote::Error>,
    ) -> Result<Option<T>, Error> {
        match fetched {
            Ok(fetched) => Ok(Some(fetched)),
            Err(source) => match damage(what, &source) {
                Some(damage) => {
                    self.published.damage.push(damage);
                    Ok(None)
                }
                None => Err(registry_error(format!("fetching {what}"), source)),
            },
        }
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

fn at_most(limit: Value) -> Value {
    Value::AtMost(Box::new(limit))
}

fn layer_path(scratch: &Scratch, layer: &Descriptor) -> std::path::PathBuf {
    scratch.path().join(layer.digest.hex())
}

fn simple_signing(layer: &Descriptor) -> Form {
    let signature = layer
        .annotations
        .get(SIGNATURE)
        .cloned()
        .unwrap_or_default();
    Form::SimpleSigning { signature }
}

/// The certificate of a layer in the legacy layout. In a bundle it is in the bundle.
fn certified(layer: &Descriptor) -> Option<Certified> {
    let annotation = |name: &str| {
        let name = format!("dev.sigstore.cosign/{name}");
        layer.annotations.get(&name).cloned()
    };
    Some(Certified {
        certificate: annotation("certificate")?,
        chain: annotation("chain"),
        promise: annotation("bundle"),
        timestamp: annotation("rfc3161timestamp"),
    })
}

fn claimed_type(layer: &Descriptor, manifest: &Manifest) -> Option<String> {
    let annotations = [&layer.annotations, &manifest.annotations];
    let mut claims = CLAIMED_TYPES
        .iter()
        .flat_map(|name| annotations.iter().filter_map(move |map| map.get(*name)));
    claims.next().cloned()
}

fn registry_error(doing: String, source: remote::Error) -> Error {
    Error::Registry {
        doing,
        source: Box::new(source),
    }
}

fn too_slow(image: &ImageRef) -> Error {
    let source = remote::Error::Timeout {
        registry: image.repository.registry().to_owned(),
        seconds: PIECES_TIME.as_secs(),
    };
    registry_error("fetching signatures and statements".to_owned(), source)
}

/// The damage of the bytes that the registry served; `None` for other errors.
fn damage(what: &Part, error: &remote::Error) -> Option<Damage> {
    let (expected, found) = match error {
        remote::Error::DigestMismatch {
            expected, actual, ..
        } => (Value::Digest(*expected), Value::Digest(*actual)),
        remote::Error::SizeMismatch {
            expected, actual, ..
        } => (Value::Bytes(*expected), Value::Bytes(*actual)),
        remote::Error::Limit { limit, .. } => (at_most(Value::Bytes(*limit)), Value::More),
        remote::Error::Entries { limit, .. } => (at_most(Value::Count(*limit)), Value::More),
        remote::Error::Image { source, .. } => (Thing::Manifests.into(), source.to_string().into()),
        _ => return None,
    };
    Some(Damage {
        what: what.clone(),
        expected,
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_are_damage_and_no_answer_is_an_error() {
        let url = || "http://registry/v2/".to_owned();
        let mismatch = remote::Error::DigestMismatch {
            url: url(),
            expected: Digest::of(b"a"),
            actual: Digest::of(b"b"),
        };
        let found = damage(&Part::Layer(0), &mismatch).unwrap();
        assert_eq!(found.expected, Digest::of(b"a").into());
        assert_eq!(found.found, Digest::of(b"b").into());
        let silence = [
            remote::Error::NotFound { url: url() },
            remote::Error::Status {
                url: url(),
                status: 429,
                message: String::new(),
                retry_after: None,
            },
        ];
        for error in silence {
            assert_eq!(damage(&Part::Layer(0), &error), None, "{error}");
        }
    }
}
