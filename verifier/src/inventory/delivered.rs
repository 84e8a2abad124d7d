//! Programs that came as they are in a base image or package. Their crates and modules are parts of that, whose own bill of
//! materials lists them, and not of the program that was built.

use std::collections::{BTreeMap, BTreeSet};

use sbom::{Component, Document, Kind, RelationKind};

use super::{IMAGE, Inventory, rootless};
use crate::contents::Program;

/// The beginnings of the package URLs of images, Debian packages and Python packages.
const DELIVERED: [&str; 3] = [IMAGE, "pkg:deb/", "pkg:pypi/"];

/// The programs of an image that did not come as they are, by path.
pub(super) fn others<'a>(
    inventory: &'a Inventory<'_>,
    document: &Document,
) -> BTreeMap<&'a str, &'a Program> {
    let delivered: BTreeSet<&str> = match &inventory.delivered {
        Some(known) => known.iter().map(|path| rootless(path)).collect(),
        None => listed(document),
    };
    let programs = inventory.programs.iter();
    programs
        .filter(|(path, _)| !delivered.contains(path.as_str()))
        .map(|(path, program)| (path.as_str(), *program))
        .collect()
}

/// The paths of the files that are inside a base image or package as the bill of materials says.
fn listed(document: &Document) -> BTreeSet<&str> {
    let components = &document.components;
    let containers = components.iter().filter(|component| has_files(component));
    let containers: BTreeSet<&str> = containers
        .filter_map(|component| component.reference.as_deref())
        .collect();
    let relations = document.relations.iter();
    let contained: BTreeSet<&str> = relations
        .filter(|relation| relation.kind == RelationKind::Contains)
        .filter(|relation| containers.contains(relation.from.as_str()))
        .map(|relation| relation.to.as_str())
        .collect();
    let is_inside = |component: &&Component| {
        let parent = component.parent.map(|parent| &components[parent]);
        let reference = component.reference.as_deref();
        parent.is_some_and(has_files)
            || reference.is_some_and(|reference| contained.contains(reference))
    };
    let files = components.iter();
    let files = files.filter(|component| component.kind == Kind::File);
    files
        .filter(is_inside)
        .map(|component| rootless(&component.name))
        .collect()
}

/// Whether a component is something whose files come as they are.
fn has_files(component: &Component) -> bool {
    let purl = component.purl().unwrap_or_default();
    DELIVERED.iter().any(|kind| purl.starts_with(kind))
}
