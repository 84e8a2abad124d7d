//! Compares packages with a database of advisories: a directory of documents in the format of OSV. The files are read here; what
//! follows from them is decided by a rule, or by `check sbom`.

pub mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ::advisories::{Advisory, Binary, LARGEST, Package, Uncompared, versioned};
use ::sbom::{BuildInfo, Document, Module};
use attest::Statement;
use attest::sbom::{self, crate_purl, module_purl};
use chrono::{DateTime, Utc};
use console::at::{self, At, shown};
use console::hint::Hinted;

use crate::Error;
use crate::contents::{Contents, Program};
use crate::evidence::{Evidence, Rebuild};
use crate::policy::Policy;
use scan::{Concern, Known, Scan};

/// The most files of a database.
const FILES: usize = 2_000_000;
/// The most bytes of a database.
const TOTAL: u64 = 32 << 30;
/// How deep the directories of a database are nested.
const DEPTH: usize = 16;

/// What is known of the packages of an image.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Packages {
    /// Whether anything lists packages: a bill of materials, or a rebuild.
    pub(crate) are_known: bool,
    /// The package URLs.
    pub(crate) purls: BTreeSet<String>,
    /// Those of Debian in lists that name no source packages.
    pub(crate) without_source: BTreeSet<String>,
    /// The BOM-Links of packages, by package URL.
    pub(crate) links: BTreeMap<String, BTreeSet<String>>,
    /// Components without a package URL, other than files.
    pub(crate) unnamed: usize,
}

/// The modules that are linked into a program of Go, and its standard library, as package URLs.
fn modules(info: &BuildInfo) -> impl Iterator<Item = String> {
    let go = info.go.strip_prefix("go").unwrap_or(&info.go);
    let go = go.split([' ', '-']).next().unwrap_or_default();
    let actual = info.dependencies.iter().map(Module::actual);
    let linked = actual.filter(|module| !module.is_folder());
    let linked = linked.map(|module| module_purl(&module.path, &module.version));
    linked.chain([module_purl("stdlib", go)])
}

impl Packages {
    /// The packages that a bill of materials lists.
    pub(crate) fn add(&mut self, document: &Document) {
        self.are_known = true;
        for component in document.subject.iter().chain(&document.components) {
            if component.purls.is_empty() && component.kind != ::sbom::Kind::File {
                self.unnamed += 1;
            }
        }
        self.add_links(document);
        let components = document.subject.iter().chain(&document.components);
        self.add_list(components.flat_map(|component| {
            let purls = component.purls.iter();
            purls.map(|purl| versioned(purl, component.version.as_deref()))
        }));
    }

    /// Adds the BOM-Links by which other documents refer to components of a bill of materials.
    fn add_links(&mut self, document: &Document) {
        let Some(link) = &document.link else {
            return;
        };
        for component in document.subject.iter().chain(&document.components) {
            let Some(reference) = &component.reference else {
                continue;
            };
            for purl in &component.purls {
                let purl = versioned(purl, component.version.as_deref());
                let links = self.links.entry(purl).or_default();
                links.insert(format!("{link}#{reference}"));
            }
        }
    }

    /// Adds package URLs of one list. Most packages of Debian have another name than their source: if none names its source, the
    /// list does not say what the sources are.
    fn add_list(&mut self, purls: impl Iterator<Item = String>) {
        let purls: BTreeSet<_> = purls.collect();
        let of_debian = || {
            purls
                .iter()
                .filter_map(|purl| Some((purl, Binary::of(purl)?)))
        };
        if !of_debian().any(|(_, package)| package.has_source) {
            let unnamed = of_debian().map(|(purl, _)| purl.clone());
            self.without_source.extend(unnamed);
        }
        self.purls.extend(purls);
    }

    /// The packages of Debian whose source no list names.
    fn unsourced(&self) -> BTreeSet<String> {
        let of_debian = self.purls.iter().filter_map(|purl| Binary::of(purl));
        let sourced = of_debian.filter(|package| package.has_source);
        let sourced: BTreeSet<_> = sourced.map(|package| package.named).collect();
        let mut unsourced = self.without_source.clone();
        unsourced.retain(|purl| {
            let package = Binary::of(purl);
            package.is_none_or(|package| !sourced.contains(&package.named))
        });
        unsourced
    }

    /// The crates that the programs of an image list.
    pub(crate) fn add_programs(&mut self, contents: &Contents) {
        let programs = contents
            .layers
            .iter()
            .flat_map(|layer| layer.programs.values());
        for program in programs {
            match program {
                Program::Crates(crates) => {
                    let purls = crates.iter().map(|one| crate_purl(&one.name, &one.version));
                    self.purls.extend(purls);
                }
                Program::Go(info) => self.purls.extend(modules(info)),
                // A rule of its own refuses what cannot be read.
                Program::Invalid(_) | Program::Large => {}
            }
        }
    }

    /// The packages of an image: those of each bill of materials whose signer counts, of the rebuild, and of programs.
    fn of(evidence: &Evidence, policy: &Policy) -> Self {
        let mut packages = Self::default();
        for statement in &evidence.attested.statements {
            if !policy.attesters.contains(statement.by()) {
                continue;
            }
            let parsed = Statement::parse(&statement.value().payload);
            if let Ok(document) = parsed.and_then(|statement| sbom::document(&statement)) {
                packages.add(&document);
            }
        }
        if let Some(contents) = &evidence.attested.contents {
            packages.add_programs(contents);
        }
        if let Rebuild::Done(rebuilt) = &evidence.rebuild {
            packages.are_known = true;
            packages.add_list(rebuilt.sbom.items().map(|item| item.purl.clone()));
        }
        packages
    }
}

/// Compares the packages of the image, if the policy has a database.
///
/// # Errors
/// The database cannot be read.
pub fn scanned(evidence: Evidence, policy: &Policy, now: DateTime<Utc>) -> Result<Evidence, Error> {
    let Some(wanted) = &policy.advisories else {
        return Ok(evidence);
    };
    let packages = Packages::of(&evidence, policy);
    let scan = scan(&wanted.database, &packages, wanted.debian.as_deref(), now)?;
    Ok(evidence.with_advisories(scan))
}

/// Compares packages with the advisories in the directory `database`.
///
/// # Errors
/// The directory or a file in it cannot be read, is too large or is not an advisory, or there are no advisories.
pub(crate) fn scan(
    database: &Path,
    packages: &Packages,
    debian: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Scan, Error> {
    let unsourced = packages.unsourced();
    let mut scan = Scan {
        are_known: packages.are_known,
        compared: 0,
        others: packages.unnamed,
        without_release: Vec::new(),
        without_source: unsourced.iter().cloned().collect(),
        known: BTreeMap::new(),
        concerns: Vec::new(),
    };
    let mut compared = Vec::new();
    for purl in &packages.purls {
        match Package::of(purl, debian) {
            Ok(package) => {
                let links = packages.links.get(purl).cloned();
                compared.push(package.linked(links.unwrap_or_default()));
            }
            // It is refused for its source.
            Err(Uncompared::NoRelease) if unsourced.contains(purl) => {}
            Err(Uncompared::NoRelease) => scan.without_release.push(purl.clone()),
            Err(Uncompared::Unknown) => scan.others += 1,
        }
    }
    let ecosystems = compared.iter().map(|package| package.ecosystem.clone());
    scan.known = ecosystems.map(|one| (one, Known::default())).collect();
    let is_known = |package: &&Package| !unsourced.contains(&package.purl);
    scan.compared = compared.iter().filter(is_known).count();
    let (mut total, mut is_empty) = (0, true);
    for path in files(database)? {
        let bytes = at::read(&path, LARGEST)?;
        total += bytes.len() as u64;
        if total > TOTAL {
            return Err(large(database, &format!("{TOTAL} bytes")).into());
        }
        let advisory = Advisory::parse(&bytes);
        let advisory = advisory.map_err(|error| {
            Hinted::doing(format_args!("reading {}", shown(&path)), error).hinting(DATABASE)
        })?;
        is_empty = false;
        for (ecosystem, known) in &mut scan.known {
            if advisory.is_of(ecosystem) {
                known.count(&advisory, now);
            }
        }
        let about = compared.iter().filter_map(|package| {
            let advisory = advisory.about(package, now)?;
            let package = package.clone();
            Some(Concern { package, advisory })
        });
        scan.concerns.extend(about);
    }
    if is_empty {
        let none = format_args!(
            "reading advisories {}: the directory has no advisories",
            shown(database)
        );
        return Err(Hinted::new(none).hinting(DATABASE).into());
    }
    scan.concerns.sort_by(|one, other| {
        let key = |concern: &Concern| (concern.package.purl.clone(), concern.advisory.id.clone());
        key(one).cmp(&key(other))
    });
    Ok(scan)
}

const DATABASE: &str = "name a directory with advisories in the format of OSV, a file NAME.json each, such as the unpacked export of an \
                        ecosystem";

fn large(database: &Path, limit: &dyn std::fmt::Display) -> Hinted {
    Hinted::new(format_args!(
        "reading advisories {}: more than {limit}",
        shown(database)
    ))
    .hinting(DATABASE)
}

/// The files `*.json` in a directory and in those below, sorted. Hidden directories are those of other programs.
fn files(database: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut pending = vec![(database.to_owned(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        if depth > DEPTH {
            return Err(large(
                database,
                &format_args!("{DEPTH} directories inside each other"),
            )
            .into());
        }
        let failed = At::reading(&folder);
        for entry in fs::read_dir(&folder).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = fs::metadata(&path).map_err(At::reading(&path))?;
            let is_document = path
                .extension()
                .is_some_and(|extension| extension == "json");
            match (kind.is_dir(), is_hidden) {
                (true, false) => pending.push((path, depth + 1)),
                (false, false) if is_document => found.push(path),
                _ => {}
            }
            if found.len() > FILES {
                return Err(large(database, &format_args!("{FILES} files")).into());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsourced(lists: &[&[&str]]) -> Vec<String> {
        let mut packages = Packages::default();
        for list in lists {
            packages.add_list(list.iter().map(|purl| (*purl).to_owned()));
        }
        packages.unsourced().into_iter().collect()
    }

    const PLAIN: &str = "pkg:deb/debian/libc6@2.36-9?arch=amd64";
    const SOURCED: &str = "pkg:deb/debian/libc6@2.36-9?upstream=glibc";
    const SAME: &str = "pkg:deb/debian/tzdata@2026a-1";

    #[test]
    fn another_list_may_name_the_source_of_a_package() {
        assert_eq!(unsourced(&[&[PLAIN, SAME]]), [PLAIN, SAME]);
        // A list that names sources leaves out those of the same name.
        assert_eq!(unsourced(&[&[SOURCED, SAME]]), [""; 0]);
        assert_eq!(unsourced(&[&[PLAIN], &[SOURCED, SAME]]), [""; 0]);
        let newer = PLAIN.replace("2.36-9", "2.36-10");
        let found = unsourced(&[&[&newer], &[SOURCED]]);
        assert_eq!(found, [newer]);
    }
}
