//! Reads a bill of materials that has nothing which would be compared with nothing.

use std::collections::BTreeSet;

use ::sbom::{Component, Kind, RelationKind, cyclonedx};
use content::{Digest, json, limits};
use serde_json::Value;

use super::{CONTAINER, Item, PACKAGE, Sbom, WHEEL, document_error, unexpected};
use crate::Error;

impl Sbom {
    /// Parses a CycloneDX document.
    ///
    /// # Errors
    /// Larger than [`limits::STATEMENT`], not strict JSON, refused by the published schema of its version
    /// (1.2 to 1.7), or a component that is neither a file nor a crate, Debian package, Go module or Python package nor the
    /// base image, has another package URL than its name and version make, has no SHA-256 and is not Go's standard library, is inside another and not a
    /// file of the base image or of a Debian or Python package, or is listed twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_value(json::parse(bytes, limits::STATEMENT).map_err(document_error)?)
    }

    pub(super) fn from_value(value: Value) -> Result<Self, Error> {
        let mut sbom = Self::default();
        let document = cyclonedx::from_value(value)?;
        let containers = document.components.iter().map(container);
        let containers: Vec<_> = containers.collect();
        for component in document.components {
            sbom.take(component, &containers)?;
        }
        for relation in document.relations {
            let is_known = |purl: &String| sbom.packages.contains_key(purl);
            if relation.kind != RelationKind::DependsOn || !is_known(&relation.to) {
                continue;
            }
            if is_known(&relation.from) {
                sbom.add_dependency(&relation.from, &relation.to);
            } else if relation.from.starts_with('/') && sbom.files.contains_key(&relation.from) {
                sbom.add_link(&relation.from, &relation.to);
            }
        }
        Ok(sbom)
    }

    /// Takes a component. `containers` says of each whether and how it may have files.
    fn take(
        &mut self,
        component: Component,
        containers: &[Option<Container>],
    ) -> Result<(), Error> {
        let digest = sha256(&component)?;
        let purl = component.purl().map(str::to_owned);
        let name = component.name;
        if let Some(parent) = component.parent {
            let container = containers.get(parent).and_then(Option::as_ref);
            let container = container.filter(|_| component.kind == Kind::File);
            match (container, &mut self.base) {
                (Some(Container::Base), Some((_, files))) => drop(files.insert(name.clone())),
                (Some(Container::Package(purl)), _) => {
                    self.add_contained(purl, [name.clone()].into_iter());
                }
                // Any other component inside another would not be compared with anything.
                _ => return Err(unexpected("no components inside", &name)),
            }
        }
        let replaced = match (component.kind, purl) {
            (Kind::File, None) => {
                let digest = digest.ok_or_else(|| undigested(&name))?;
                self.files.insert(name.clone(), digest).is_some()
            }
            (Kind::Library, Some(purl)) => {
                let item = Item {
                    purl: purl.clone(),
                    name: name.clone(),
                    version: component.version.unwrap_or_default(),
                    digest,
                };
                item.check()?;
                if digest.is_none() && !item.is_standard_library() {
                    return Err(undigested(&name));
                }
                self.packages.insert(purl, item).is_some()
            }
            (Kind::Other(kind), Some(purl)) if kind == CONTAINER => {
                let item = Item {
                    purl,
                    name: name.clone(),
                    version: component.version.unwrap_or_default(),
                    digest,
                };
                item.check_image(&digest.ok_or_else(|| undigested(&name))?)?;
                self.base.replace((item, BTreeSet::new())).is_some()
            }
            _ => return Err(unexpected("a file, or a library with a purl", &name)),
        };
        match replaced {
            true => Err(unexpected("every component once", &name)),
            false => Ok(()),
        }
    }
}

/// What may have files inside it.
enum Container {
    Base,
    /// A package with this URL.
    Package(String),
}

fn container(component: &Component) -> Option<Container> {
    let purl = component.purl()?;
    match &component.kind {
        Kind::Other(kind) if kind == CONTAINER => Some(Container::Base),
        Kind::Library if [PACKAGE, WHEEL].iter().any(|kind| purl.starts_with(kind)) => {
            Some(Container::Package(purl.to_owned()))
        }
        _ => None,
    }
}

/// The digest of a component, if it has any.
fn sha256(component: &Component) -> Result<Option<Digest>, Error> {
    let mut found = component.digests_by("SHA-256");
    let Some(hex) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(undigested(&component.name));
    }
    let digest = Digest::from_hex(hex).map_err(|_| unexpected("64 lower-case hex digits", hex))?;
    Ok(Some(digest))
}

fn undigested(name: &str) -> Error {
    unexpected("one SHA-256", name)
}
