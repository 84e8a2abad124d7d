//! Whether a bill of materials says what is in an image: each file belongs to a component with its digest, each component
//! has a file, a linked crate or module of Go, or is an unpacked Python package, and the bill of materials, the programs and
//! `Cargo.lock` name the same crates.

mod delivered;
mod fault;
mod files;
mod locked;
mod modules;
mod wheels;

use std::collections::{BTreeMap, BTreeSet};

use sbom::{Component, Crate, Document, Kind, RelationKind};

use crate::contents::{Contents, Program};

pub use fault::{Fault, Held, Report};
pub use locked::{Locked, locked};

/// The beginnings of the package URLs that a rebuild has.
pub(crate) const BUILT: [&str; 5] = ["pkg:cargo/", "pkg:deb/", "pkg:golang/", "pkg:pypi/", IMAGE];
/// The beginning of the package URL of an image.
const IMAGE: &str = "pkg:oci/";

/// Which files of an image a bill of materials must list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum View {
    /// Those that a container sees. A hard link is the file that it names.
    Container,
    /// Those of all layers, also whiteouts and what they hide. A hard link is the file that it names in its own layer or below.
    Layers,
}

/// The files of an image, and the crates of its programs.
#[derive(Clone, Debug)]
pub struct Inventory<'a> {
    /// The files by path, without a leading slash.
    files: BTreeMap<String, Held>,
    /// The programs that have a list of their crates, or may have one, by path.
    programs: BTreeMap<String, &'a Program>,
    /// The files that are known to come as they are from a base image or package.
    delivered: Option<BTreeSet<String>>,
}

impl<'a> Inventory<'a> {
    /// The inventory of an image.
    pub fn of(contents: &'a Contents, view: View) -> Self {
        let files = match view {
            View::Container => files::of_container(contents),
            View::Layers => files::of_layers(contents),
        };
        let programs = files::programs(contents, &files);
        Self {
            files,
            programs,
            delivered: None,
        }
    }

    /// The same of an image in which exactly these files come as they are from a base image or package. Otherwise they are those
    /// that the bill of materials lists inside one.
    pub fn with_delivered(self, files: impl Iterator<Item = String>) -> Self {
        let delivered = Some(files.collect());
        Self { delivered, ..self }
    }

    /// Compares a bill of materials with the image, and with `Cargo.lock` if it is given.
    pub fn check(&self, document: &Document, lock: Option<&[Locked]>) -> Report {
        let mut check = Check {
            inventory: self,
            document,
            programs: delivered::others(self, document),
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
}

fn crates(program: &Program) -> &[Crate] {
    match program {
        Program::Crates(crates) => crates,
        Program::Go(_) | Program::Invalid(_) | Program::Large => &[],
    }
}

struct Check<'a> {
    inventory: &'a Inventory<'a>,
    document: &'a Document,
    /// The programs whose crates and modules must be components.
    programs: BTreeMap<&'a str, &'a Program>,
    report: Report,
}

impl<'a> Check<'a> {
    /// The crates of all these programs; `None` if no program has a list, or a list was not read.
    fn linked(&self) -> Option<BTreeSet<&'a Crate>> {
        let programs = || self.programs.values().copied();
        if programs().next().is_none() || programs().any(|program| *program == Program::Large) {
            return None;
        }
        Some(programs().flat_map(crates).collect())
    }

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
        for (path, held) in &self.inventory.files {
            if !listed.contains(path.as_str()) {
                let (path, held) = (path.clone(), held.clone());
                self.found(Fault::Unlisted { path, held });
            }
        }
        shown
    }

    /// Whether the image has the file of a component.
    fn file(&self, path: &str, component: &Component) -> Result<(), Fault> {
        let path = path.to_owned();
        let listed = component.digest("SHA-256").map(str::to_owned);
        let Some(held) = self.inventory.files.get(&path) else {
            return Err(Fault::Absent { path, listed });
        };
        let Some(listed) = listed else {
            return Err(Fault::NoDigest(path));
        };
        match held {
            Held::File(found) if listed.eq_ignore_ascii_case(&found.hex()) => Ok(()),
            held => Err(Fault::Other {
                path,
                listed,
                held: held.clone(),
            }),
        }
    }

    /// A component has at most one package URL, which names the component and stands for one archive: programs compare the
    /// URL, people read the name.
    fn identities(&mut self) {
        let document = self.document;
        let mut digests: BTreeMap<&str, &str> = BTreeMap::new();
        for component in document.subject.iter().chain(&document.components) {
            if component.purls.len() > 1 {
                self.found(Fault::TwoUrls(named(component)));
            }
            if let Some(named) = misnamed(component) {
                let version = component.version.as_deref().unwrap_or_default();
                let found = format!("{} {version}", component.name);
                self.found(Fault::Identity { named, found });
            }
            let Some(purl) = component.purl() else {
                continue;
            };
            for digest in component.digests_by("SHA-256") {
                let other = digests.insert(purl, digest);
                if other.is_some_and(|other| !digest.eq_ignore_ascii_case(other)) {
                    self.found(Fault::TwoDigests(purl.to_owned()));
                }
            }
        }
    }

    /// The crates of each program are listed.
    fn programs(&mut self) {
        let subject = self.document.subject.iter();
        let components = subject.chain(&self.document.components);
        let listed: BTreeSet<Crate> = components.filter_map(Component::named_crate).collect();
        for (path, program) in &self.inventory.programs {
            if let Program::Invalid(reason) = program {
                let (path, reason) = (path.clone(), reason.clone());
                self.found(Fault::Program { path, reason });
            }
        }
        for (path, program) in self.programs.clone() {
            let path = || path.to_owned();
            for one in crates(program) {
                if !listed.contains(one) {
                    let (path, one) = (path(), one.clone());
                    self.found(Fault::UnlistedCrate { path, one });
                }
            }
            if let Program::Go(info) = program {
                for one in modules::unlisted(info, self.document) {
                    let path = path();
                    self.found(Fault::UnlistedModule { path, one });
                }
            }
        }
    }

    /// Each component has a file or is a linked crate.
    fn components(&mut self, shown: &BTreeSet<usize>) {
        let linked = self.linked();
        // Also those of programs that came as they are: they need not be listed, and may be.
        let programs = || self.inventory.programs.values().copied();
        let anywhere: BTreeSet<&Crate> = programs().flat_map(crates).collect();
        let modules = modules::linked(programs());
        let wheels = wheels::unpacked(self.inventory.files.keys());
        let with_files = self.with_files(shown);
        let described = self.described();
        for (index, component) in self.document.components.iter().enumerate() {
            if component.kind == Kind::File || with_files.contains(&index) {
                continue;
            }
            let reference = component.reference.as_deref();
            let is_described = reference.is_some_and(|reference| described.contains(reference));
            let name = named(component);
            if (is_elsewhere(component) || is_described) && !is_built(component) {
                self.report.unbuilt.push(name.clone());
            }
            match (component.named_crate(), &linked) {
                (Some(one), _) if anywhere.contains(&one) => {}
                (Some(one), Some(_)) => self.found(Fault::Unlinked(one)),
                (Some(_), None) => self.report.unshown.push(name),
                (None, _) if modules.has(component) || wheels.has(component) => {}
                (None, _) if is_elsewhere(component) => self.report.unshown.push(name),
                (None, _) if is_described => {}
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
        let linked = self.linked().unwrap_or_default();
        let linked = linked.into_iter().map(|one| (one.clone(), None));
        let components = self.document.components.iter();
        // Several digests that differ are a fault already.
        let listed = components.filter_map(|component| {
            let digest = component.digests_by("SHA-256").next();
            Some((component.named_crate()?, digest))
        });
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

/// Whether nothing of a component need be a file: what is linked of a package with object files is not to be seen in the
/// program, other packages are empty, and an operating system is all of its packages.
fn is_elsewhere(component: &Component) -> bool {
    let purl = component.purl().unwrap_or_default();
    let is_package = ["pkg:deb/", "pkg:rpm/", "pkg:apk/"]
        .iter()
        .any(|kind| purl.starts_with(kind));
    is_package || component.kind == Kind::Other("operating-system".to_owned())
}

/// Whether a rebuild says if a component is in the image.
fn is_built(component: &Component) -> bool {
    let purl = component.purl().unwrap_or_default();
    BUILT.iter().any(|prefix| purl.starts_with(prefix))
}

/// The crate, Debian package or Go module that the package URL names, if it differs from the component's name and version.
fn misnamed(component: &Component) -> Option<String> {
    let version = component.version.as_deref().unwrap_or_default();
    let (name, named, is_same) = match component.named_crate() {
        Some(Crate {
            name,
            version: named,
        }) => {
            let is_same = named == version;
            (name, named, is_same)
        }
        None if component.named_module().is_some() => return modules::misnamed(component),
        None => {
            let (name, named) = component.named_package()?;
            // Some programs write an epoch as a qualifier of the URL.
            let rest = version.split_once(':').map_or(version, |(_, rest)| rest);
            let is_same = [version, rest].contains(&named.as_str());
            (name, named, is_same)
        }
    };
    (name != component.name || !is_same).then(|| format!("{name} {named}"))
}

fn named(component: &Component) -> String {
    match (component.purl(), &component.version) {
        (Some(purl), _) => purl.to_owned(),
        (None, Some(version)) => format!("{} {version}", component.name),
        (None, None) => component.name.clone(),
    }
}
