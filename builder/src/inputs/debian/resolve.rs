//! The packages of a build root: resolved by the archive's signed indexes for a lock, verified by the locked indexes and
//! fetched for a build.

use console::hint::Hinted;
use console::progress::Step;

use super::chain;
use super::closure::Suites;
use super::error::{ArchiveError, ChainError};
use super::{AllEvidence, Archives, obtain, toolchain};
use crate::inputs::Supply;
use crate::inputs::store::StoreError;
use crate::lock::index::{Indexes, SignedIndex};
use crate::lock::packages::Package;
use crate::lock::time::Time;
use crate::lock::{self, Lock};
use crate::spec::{RootSpec, RuntimeSpec, Section};

/// The packages for a new lock.
pub(in crate::inputs) struct Resolved {
    /// The signed indexes that name them.
    pub(in crate::inputs) indexes: Indexes,
    /// The packages of the build root, by name.
    pub(in crate::inputs) packages: Vec<Package>,
    /// The packages that each image contains, by name.
    pub(in crate::inputs) runtime: Vec<Vec<Package>>,
}

/// Resolves the packages of a build root and of images by the indexes that the archive has now, which must be valid at
/// `now`. They are not fetched yet.
///
/// # Errors
/// The archive cannot be found or reached, an index cannot be verified, or no index has a package.
pub(in crate::inputs) fn resolve(
    root: &RootSpec,
    runtime: &[&RuntimeSpec],
    supply: &Supply<'_>,
    now: Time,
) -> Result<Resolved, ArchiveError> {
    let (mut indexes, mut suites) = (Vec::new(), Vec::new());
    for section in root.sections() {
        let suite = section.suite;
        let name = format!("read the archive's signed index of {suite}");
        let served = supply.during(name, |step| {
            let archives = Archives::find(&supply.archive, section)?.counting(&step.meter());
            archives.resolve(section, supply, now)
        })?;
        let named = (root.suites.len() > 1).then(|| suite.to_owned());
        let index = served.evidence.index(named, served.signatures, now);
        obtain::keep(&served.evidence, &index, section, supply)?;
        indexes.push(index);
        suites.push((suite.to_owned(), served.index));
    }
    let suites = Suites::new(suites);
    let packages = suites.closure(&toolchain::packages(root, &suites));
    let packages = packages.map_err(ChainError::Broken)?;
    let runtime = runtime
        .iter()
        .map(|one| suites.closure_without(&one.packages, &one.exclude));
    let runtime = runtime.collect::<Result<_, _>>();
    let runtime = runtime.map_err(ChainError::Broken)?;
    Ok(Resolved {
        indexes: Indexes(indexes),
        packages,
        runtime,
    })
}

/// Verifies that the archive has signed each package of a lock; offline, if the files of the locked indexes are in the
/// store or at hand. Returns these files.
///
/// # Errors
/// [`ArchiveError::Locked`] if the archive has not signed them; otherwise the files cannot be obtained.
pub(in crate::inputs) fn verify(
    lock: &Lock,
    root: &RootSpec,
    supply: &Supply<'_>,
) -> Result<AllEvidence, ArchiveError> {
    let name = "check the archive's signature on the packages";
    supply.during(name, |_| verify_parts(lock, root, supply))
}

fn verify_parts(
    lock: &Lock,
    root: &RootSpec,
    supply: &Supply<'_>,
) -> Result<AllEvidence, ArchiveError> {
    let signers = supply.archive.signers;
    let parts = parts(lock, root).map_err(ArchiveError::Locked)?;
    // Nothing is fetched for a lock that names no trusted key.
    for part in &parts {
        chain::trusted(part.index, signers).map_err(ArchiveError::Locked)?;
    }
    let mut all = AllEvidence::default();
    for Part {
        section,
        index,
        packages,
    } in parts
    {
        let evidence = obtain::obtain(index, section, supply)?;
        chain::check(&evidence, index, &packages, section, signers)
            .map_err(ArchiveError::Locked)?;
        all.0.push((index.suite.clone(), evidence));
    }
    Ok(all)
}

/// What a lock takes from one suite.
struct Part<'a> {
    section: Section<'a>,
    index: &'a SignedIndex,
    packages: Vec<&'a Package>,
}

/// The parts of a lock, which must be those of the suites in `Image.toml`, and have all packages.
fn parts<'a>(lock: &'a Lock, root: &'a RootSpec) -> Result<Vec<Part<'a>>, ChainError> {
    let sections = root.sections().map(|section| {
        let named = root.suites.len() > 1;
        (section, named.then_some(section.suite))
    });
    let expected = sections.clone().map(|(_, suite)| suite);
    let found = lock.indexes.0.iter().map(|index| index.suite.as_deref());
    if !expected.clone().eq(found) {
        let expected: Vec<_> = root.suites.iter().map(String::as_str).collect();
        return Err(refused(format_args!(
            "checking Image.lock: expected a package index for each suite of Image.toml ({})",
            expected.join(", ")
        )));
    }
    let suites: Vec<_> = expected.collect();
    let packages = || lock.packages.iter().chain(lock.contained());
    if let Some(other) = packages().find(|one| !suites.contains(&one.suite.as_deref())) {
        return Err(refused(format_args!(
            "checking package {}: Image.lock has no package index for its suite",
            other.name
        )));
    }
    let named = packages().filter(|one| one.source.is_some()).count();
    if let Some(other) = packages().find(|one| named > 0 && one.source.is_none()) {
        return Err(refused(format_args!(
            "checking package {}: Image.lock names the sources of other packages, and not of this one",
            other.name
        )));
    }
    let part = |((section, suite), index)| Part {
        section,
        index,
        packages: packages()
            .filter(|one| one.suite.as_deref() == suite)
            .collect(),
    };
    Ok(sections.zip(&lock.indexes.0).map(part).collect())
}

fn refused(message: std::fmt::Arguments<'_>) -> ChainError {
    ChainError::Broken(Hinted::new(message).hinting(lock::AGAIN))
}

/// Fetches the packages that the store does not have.
///
/// # Errors
/// The archive cannot be found or reached, or has other packages than locked.
pub(in crate::inputs) fn fetch(
    packages: &[Package],
    root: &RootSpec,
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    supply.interrupt.check()?;
    let missing = missing(packages, supply)?;
    if missing.is_empty() {
        return Ok(());
    }
    supply.during("fetch packages", |step| {
        step.of(missing.len(), missing.iter().map(|one| one.size));
        fetch_missing(&missing, root, step, supply)
    })
}

fn fetch_missing(
    missing: &[&Package],
    root: &RootSpec,
    step: &Step,
    supply: &Supply<'_>,
) -> Result<(), ArchiveError> {
    for section in root.sections() {
        let is_of = |package: &Package| match &package.suite {
            Some(suite) => suite == section.suite,
            None => true,
        };
        let wanted: Vec<_> = missing.iter().filter(|one| is_of(one)).collect();
        if wanted.is_empty() {
            continue;
        }
        supply.check_network("packages")?;
        let archives = Archives::find(&supply.archive, section)?.counting(&step.meter());
        for package in wanted {
            supply.interrupt.check()?;
            archives.fetch_package(package, supply)?;
            step.add(1, 0);
        }
    }
    Ok(())
}

/// The packages that the store does not have.
fn missing<'a>(
    packages: &'a [Package],
    supply: &Supply<'_>,
) -> Result<Vec<&'a Package>, StoreError> {
    let mut missing = Vec::new();
    for package in packages {
        if supply.store.size(&package.key())? != Some(package.size) {
            missing.push(package);
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::tests::{index, lock};

    fn root(suites: &[&str]) -> RootSpec {
        RootSpec {
            suites: suites.iter().map(|&suite| suite.to_owned()).collect(),
            ..RootSpec::default()
        }
    }

    fn of(suite: &str) -> SignedIndex {
        SignedIndex {
            suite: Some(suite.to_owned()),
            ..index("2026-07-11T10:17:11Z")
        }
    }

    #[test]
    fn each_package_belongs_to_the_index_of_its_suite() {
        let one = lock();
        let alone = root(&["a"]);
        let parts_of_one = parts(&one, &alone).unwrap();
        assert_eq!(parts_of_one[0].packages, [&one.packages[0]]);
        let mut two = lock();
        two.indexes = Indexes(vec![of("a"), of("b")]);
        two.packages[0].suite = Some("b".to_owned());
        let both = root(&["a", "b"]);
        let found = parts(&two, &both).unwrap();
        let numbers: Vec<_> = found.iter().map(|part| part.packages.len()).collect();
        assert_eq!(numbers, [0, 1]);
        let refusal = |lock: &Lock, root: &RootSpec| match parts(lock, root) {
            Ok(_) => panic!("it is accepted"),
            Err(error) => error.to_string(),
        };
        let expected =
            "checking Image.lock: expected a package index for each suite of Image.toml (a, b)";
        assert_eq!(refusal(&one, &both), expected);
        two.indexes.0.swap(0, 1);
        assert_eq!(refusal(&two, &both), expected);
        two.indexes.0.swap(0, 1);
        for suite in [None, Some("c".to_owned())] {
            two.packages[0].suite = suite;
            assert_eq!(
                refusal(&two, &both),
                "checking package p: Image.lock has no package index for its suite"
            );
        }
        let mut mixed = lock();
        mixed.packages[0].source = "q".parse().ok();
        assert!(parts(&mixed, &alone).is_ok());
        mixed.runtime = lock().packages;
        assert_eq!(
            refusal(&mixed, &alone),
            "checking package p: Image.lock names the sources of other packages, and not of this one"
        );
        let none = Lock {
            indexes: Indexes::default(),
            ..lock()
        };
        let refused = refusal(&none, &root(&[]));
        assert!(refused.starts_with("checking package p: "), "{refused}");
    }
}
