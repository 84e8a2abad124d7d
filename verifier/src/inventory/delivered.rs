//! Programs that came as they are, in a base image or in a package of an operating system. Their crates and modules are parts of
//! that image or package, which its own bill of materials lists, and not of the program that was built.

use std::collections::{BTreeMap, BTreeSet};

use sbom::{Component, Document, Kind, RelationKind};

use super::{IMAGE, Inventory, PACKAGES, rootless};
use crate::contents::Program;

/// The programs of an image that did not come as they are, by path.
pub(super) fn others<'a>(
    inventory: &'a Inventory<'_>,
    document: &Document,
) -> BTreeMap<&'a str, &'a Program> {
    let delivered = paths(document);
    let programs = inventory.programs.iter();
    programs
        .filter(|(path, _)| !delivered.contains(path.as_str()))
        .map(|(path, program)| (path.as_str(), *program))
        .collect()
}

/// The paths of the files inside a base image or a package.
fn paths(document: &Document) -> BTreeSet<&str> {
    let components = &document.components;
    let owners: BTreeSet<&str> = components
        .iter()
        .filter(|component| is_delivered(component))
        .filter_map(|component| component.reference.as_deref())
        .collect();
    let relations = document.relations.iter();
    let contained: BTreeSet<&str> = relations
        .filter(|relation| relation.kind == RelationKind::Contains)
        .filter(|relation| owners.contains(relation.from.as_str()))
        .map(|relation| relation.to.as_str())
        .collect();
    let is_inside = |component: &&Component| {
        let parent = component.parent.map(|parent| &components[parent]);
        let reference = component.reference.as_deref();
        parent.is_some_and(is_delivered)
            || reference.is_some_and(|reference| contained.contains(reference))
    };
    let files = components.iter();
    let files = files.filter(|component| component.kind == Kind::File);
    files
        .filter(is_inside)
        .map(|component| rootless(&component.name))
        .collect()
}

fn is_delivered(component: &Component) -> bool {
    let purl = component.purl().unwrap_or_default();
    let mut kinds = PACKAGES.iter().chain([&IMAGE]);
    kinds.any(|kind| purl.starts_with(kind))
}
