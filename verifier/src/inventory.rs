//! Whether a bill of materials says what is in an image: each file belongs to a component with its digest, each component
//! has a file or a linked crate, and the bill of materials, the programs and `Cargo.lock` name the same crates.

mod fault;
mod files;
mod locked;

use std::collections::{BTreeMap, BTreeSet};

use content::Digest;
use oci::Image;
use sbom::{Component, Crate, Document, Kind, RelationKind};

use crate::contents::{Contents, ContentsError, OpenLayer};

pub use fault::{Fault, Report};
pub use locked::{Locked, locked};

/// The files of an image as a container sees them, and the crates of its programs.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The regular files by path, without a leading slash.
    files: BTreeMap<String, Digest>,
    /// The crates of each program that has a list of them, or why the list is invalid.
    programs: BTreeMap<String, Result<Vec<Crate>, String>>,
}

impl Inventory {
    /// Reads an image: every layer, each checked against its descriptor and its diff ID, and its programs again.
    ///
    /// # Errors
    /// As [`Contents::read`].
    pub fn read(image: Image, open: OpenLayer<'_>) -> Result<Self, ContentsError> {
        let contents = Contents::read(image, open)?;
        let files = files::flattened(&contents.layers);
        let programs = files::programs(&contents, &files, open)?;
        Ok(Self { files, programs })
    }

    /// Compares a bill of materials with the image, and with `Cargo.lock` if it is given.
    pub fn check(&self, document: &Document, lock: Option<&[Locked]>) -> Report {
        let mut check = Check {
            inventory: self,
            document,
            report: Report::default(),
        };
        let shown = check.files();
        check.identities();
        check.programs();
        check.components(&shown);
        if let Some(lock) = lock {
            check.lock(lock);
        }
        check.report
    }

    /// The crates of all programs; `None` if no program has a list.
    fn linked(&self) -> Option<BTreeSet<&Crate>> {
        if self.programs.is_empty() {
            return None;
        }
        let lists = self.programs.values();
        Some(
            lists
                .filter_map(|list| list.as_ref().ok())
                .flatten()
                .collect(),
        )
    }
}

struct Check<'a> {
    inventory: &'a Inventory,
    document: &'a Document,
    report: Report,
}

impl<'a> Check<'a> {
    fn found(&mut self, fault: Fault) {
        self.report.faults.push(fault);
    }

    /// Compares the files in both directions. Returns the indexes of the components whose file is in the image.
    fn files(&mut self) -> BTreeSet<usize> {
        let mut listed = BTreeSet::new();
        let mut shown = BTreeSet::new();
        for (index, component) in self.document.components.iter().enumerate() {
            if component.kind != Kind::File {
                continue;
            }
            let path = rootless(&component.name);
            match self.file(path, component) {
                _ if !listed.insert(path) => self.found(Fault::Twice(path.to_owned())),
                Ok(()) => {
                    shown.insert(index);
                }
                Err(fault) => self.found(fault),
            }
        }
        for path in self.inventory.files.keys() {
            if !listed.contains(path.as_str()) {
                self.found(Fault::Unlisted(path.clone()));
            }
        }
        shown
    }

    /// Whether the image has the file of a component.
    fn file(&self, path: &str, component: &Component) -> Result<(), Fault> {
        let path = path.to_owned();
        let Some(found) = self.inventory.files.get(&path) else {
            return Err(Fault::Absent(path));
        };
        let Some(listed) = component.digest("SHA-256") else {
            return Err(Fault::NoDigest(path));
        };
        match listed.eq_ignore_ascii_case(&found.hex()) {
            true => Ok(()),
            false => Err(Fault::OtherDigest {
                path,
                listed: listed.to_owned(),
                found: *found,
            }),
        }
    }

    /// A package URL names the component that it is of: programs compare the URL, people read the name.
    fn identities(&mut self) {
        for component in &self.document.components {
            let Some(named) = component.named_crate() else {
                continue;
            };
            let version = component.version.as_deref().unwrap_or_default();
            if named.name != component.name || named.version != version {
                let found = format!("{} {version}", component.name);
                self.found(Fault::Identity { named, found });
            }
        }
    }

    /// The crates of each program are listed.
    fn programs(&mut self) {
        let components = self
            .document
            .subject
            .iter()
            .chain(&self.document.components);
        let listed: BTreeSet<Crate> = components.filter_map(Component::named_crate).collect();
        for (path, list) in &self.inventory.programs {
            match list {
                Err(reason) => self.found(Fault::Program {
                    path: path.clone(),
                    reason: reason.clone(),
                }),
                Ok(crates) => {
                    let missing = crates.iter().filter(|one| !listed.contains(*one));
                    for one in missing.cloned().collect::<Vec<_>>() {
                        self.found(Fault::UnlistedCrate {
                            path: path.clone(),
                            one,
                        });
                    }
                }
            }
        }
    }

    /// Each component has a file or is a linked crate.
    fn components(&mut self, shown: &BTreeSet<usize>) {
        let linked = self.inventory.linked();
        let with_files = self.with_files(shown);
        let described = self.described();
        for (index, component) in self.document.components.iter().enumerate() {
            let reference = component.reference.as_deref();
            let is_described = reference.is_some_and(|reference| described.contains(reference));
            if component.kind == Kind::File || is_described || with_files.contains(&index) {
                continue;
            }
            let name = named(component);
            match (component.named_crate(), &linked) {
                (Some(one), Some(linked)) if linked.contains(&one) => {}
                (Some(one), Some(_)) => self.found(Fault::Unlinked(one)),
                (Some(_), None) => self.report.unshown.push(name),
                // What is linked of a package with object files is not to be seen in the program.
                (None, _) if is_package(component) => self.report.unshown.push(name),
                (None, _) => self.found(Fault::NoFile(name)),
            }
        }
    }

    /// The components that contain a file of the image, or a component that does.
    fn with_files(&self, shown: &BTreeSet<usize>) -> BTreeSet<usize> {
        let components = &self.document.components;
        let mut containers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for relation in &self.document.relations {
            if relation.kind == RelationKind::Contains {
                containers
                    .entry(&relation.to)
                    .or_default()
                    .push(&relation.from);
            }
        }
        let references = components.iter().enumerate();
        let indexes: BTreeMap<&str, usize> = references
            .filter_map(|(index, component)| Some((component.reference.as_deref()?, index)))
            .collect();
        let mut all = BTreeSet::new();
        let mut pending: Vec<usize> = shown.iter().copied().collect();
        while let Some(index) = pending.pop() {
            let component = &components[index];
            let reference = component.reference.as_deref().unwrap_or_default();
            let around = containers.get(reference).into_iter().flatten();
            let around = around.filter_map(|container| indexes.get(container).copied());
            let new = around
                .chain(component.parent)
                .filter(|index| all.insert(*index));
            pending.extend(new.collect::<Vec<_>>());
        }
        all
    }

    /// The components that the document is about: the image itself, or what is in it.
    fn described(&self) -> BTreeSet<&'a str> {
        let relations = self.document.relations.iter();
        let described = relations.filter(|relation| relation.kind == RelationKind::Describes);
        described.map(|relation| relation.to.as_str()).collect()
    }

    /// The crates of programs and of the bill of materials are in `Cargo.lock`, which also has their checksums.
    fn lock(&mut self, lock: &[Locked]) {
        let linked = self.inventory.linked().unwrap_or_default();
        let linked = linked.into_iter().map(|one| (one.clone(), None));
        let components = self.document.components.iter();
        let listed = components
            .filter_map(|component| Some((component.named_crate()?, component.digest("SHA-256"))));
        let mut reported = BTreeSet::new();
        for (one, digest) in linked.chain(listed) {
            let mut entries = lock.iter().filter(|locked| locked.is(&one)).peekable();
            let is_locked = entries.peek().is_some();
            let agrees = entries.any(|locked| locked.agrees(digest));
            let fault = match (is_locked, agrees) {
                (true, true) => continue,
                (true, false) => Fault::OtherChecksum(one),
                (false, _) => Fault::NotLocked(one),
            };
            if reported.insert(fault.to_string()) {
                self.found(fault);
            }
        }
    }
}

/// The path as layers have it: without a leading slash or `./`. Only one is removed.
fn rootless(path: &str) -> &str {
    let rootless = path.strip_prefix("./").or_else(|| path.strip_prefix('/'));
    rootless.unwrap_or(path)
}

fn is_package(component: &Component) -> bool {
    let purl = component.purl.as_deref().unwrap_or_default();
    purl.starts_with("pkg:deb/")
}

fn named(component: &Component) -> String {
    match (&component.purl, &component.version) {
        (Some(purl), _) => purl.clone(),
        (None, Some(version)) => format!("{} {version}", component.name),
        (None, None) => component.name.clone(),
    }
}
