//! Fetches wheels into the store, if the package index has them with that name, version and digest.

use std::collections::BTreeSet;

use console::hint::Hinted;
use content::Digest;

use super::choose::{Unmet, choose};
use super::files::{Applied, WantedWheels, check_alike};
use super::found::Found;
use super::index::Index;
use super::listing::Listed;
use super::missing;
use super::notes;
use super::opened::Opened;
use super::requirements::{Requirement, told};
use super::suggest;
use super::tags::Tags;
use crate::inputs::Supply;
use crate::inputs::cargo::RegistryCheck;
use crate::inputs::error::DependencyError;
use crate::inputs::lanes::in_lanes;
use crate::inputs::store::{Key, Kind};
use crate::lock::packages::Package;
use crate::lock::wheels::{ProjectName, WHEEL, Wheel, WheelFile};
use crate::untrusted::shown;

const UNLISTED: &str = "either the requirements were edited, or --wheel-index, PIP_INDEX_URL or pip's configuration names another index";
const UNFIT: &str = "name another version; or build a wheel of it, unpack it, commit the files, and add them to the image by [[file]] with `tree`";
const MISSING: &str = "write all requirements with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`";

/// Chooses a wheel for each requirement, and fetches it into the store.
///
/// # Errors
/// A requirement is not met, something that a wheel needs is not required, or the index cannot be reached.
pub(in crate::inputs) fn resolve(
    wanted: &[WantedWheels],
    runtime: &[Package],
    architecture: &str,
    supply: &Supply<'_>,
) -> Result<Vec<Wheel>, DependencyError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    supply.during("fetch wheels", |step| {
        let index = Index::find(supply)?.counting(&step.meter());
        resolve_by(wanted, runtime, architecture, &index, supply)
    })
}

fn resolve_by(
    wanted: &[WantedWheels],
    runtime: &[Package],
    architecture: &str,
    index: &Index<'_>,
    supply: &Supply<'_>,
) -> Result<Vec<Wheel>, DependencyError> {
    let applied = wanted.iter().map(|one| one.apply(runtime, architecture));
    let applied = applied.collect::<Result<Vec<_>, _>>()?;
    let everything = applied.iter().flat_map(|one| one.requirements.keys());
    let everything: BTreeSet<_> = everything.cloned().collect();
    let mut all = Vec::new();
    for (one, applied) in wanted.iter().zip(&applied) {
        let found = find(one, applied, index, supply)?;
        check_needs(one, applied, &found, &everything, index)?;
        all.extend(found);
    }
    notes::tell(wanted, &all, runtime, supply);
    let mut wheels: Vec<_> = all.into_iter().map(|found| found.wheel).collect();
    wheels.sort();
    check_alike(&wheels)?;
    Ok(wheels)
}

/// The wheels of one entry of `Image.toml`.
fn find(
    wanted: &WantedWheels,
    applied: &Applied,
    index: &Index<'_>,
    supply: &Supply<'_>,
) -> Result<Vec<Found>, DependencyError> {
    let tags = Tags::of(&applied.target);
    let requirements: Vec<_> = applied.requirements.values().collect();
    let found = in_lanes(&requirements, |requirement| {
        supply.interrupt.check()?;
        let files = index.files(&requirement.name)?.unwrap_or_default();
        match choose(requirement, &files, &tags, &applied.target) {
            Ok((file, listed)) => fetch(requirement, file, listed, wanted, index, supply).map(Ok),
            Err(unmet) => Ok(Err(unmet)),
        }
    })?;
    let (mut met, mut unlisted, mut unfit) = (Vec::new(), Vec::new(), Vec::new());
    for one in found {
        match one {
            Ok(found) => met.push(found),
            Err(Unmet::Unlisted(reason)) => unlisted.push(reason),
            Err(Unmet::Unfit(reason)) => unfit.push(reason),
        }
    }
    let doing = format!("choosing wheels of {}", shown(&wanted.requirements.file));
    match (unlisted.is_empty(), unfit.is_empty()) {
        (true, true) => Ok(met),
        (false, true) => Err(DependencyError::Refused(
            told(&doing, &unlisted).hinting(UNLISTED),
        )),
        (_, false) => Err(told(&doing, &[unfit, unlisted].concat())
            .hinting(UNFIT)
            .into()),
    }
}

/// The chosen wheel, from the store or the index.
fn fetch(
    requirement: &Requirement,
    file: WheelFile,
    listed: &Listed,
    wanted: &WantedWheels,
    index: &Index<'_>,
    supply: &Supply<'_>,
) -> Result<Found, DependencyError> {
    let sha256 = listed
        .sha256
        .ok_or_else(|| Hinted::new(format_args!("fetching wheel {file}: it has no digest")))?;
    let kept = supply.store.size(&key(&file, sha256))?;
    let bytes = match kept {
        Some(size) => supply.store.read(&key(&file, sha256), size)?,
        None => {
            let bytes = index.get(&requirement.name, listed, WHEEL)?;
            keep(&file, sha256, &bytes, supply)?;
            bytes
        }
    };
    let opened = open(&file, &bytes)?;
    let wheel = Wheel {
        path: wanted.spec.path.clone(),
        name: requirement.name.clone(),
        version: opened.version.clone(),
        file,
        sha256,
        size: bytes.len() as u64,
    };
    Ok(Found {
        wheel,
        opened,
        is_yanked: listed.is_yanked,
    })
}

/// Keeps a wheel that has the digest and is what its name says.
fn keep(
    file: &WheelFile,
    sha256: Digest,
    bytes: &[u8],
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    // If the digest differs, the store says so.
    if Digest::of(bytes) == sha256 {
        open(file, bytes)?;
    }
    let size = bytes.len() as u64;
    Ok(supply.store.keep(&key(file, sha256), bytes, size)?)
}

fn key(file: &WheelFile, sha256: Digest) -> Key<'_> {
    Key {
        kind: Kind::Wheel,
        name: file.as_str(),
        version: "",
        digest: sha256,
    }
}

/// Reads a locked wheel from the store.
///
/// # Errors
/// The store does not have it.
pub(super) fn read(wheel: &Wheel, supply: &Supply<'_>) -> Result<Vec<u8>, DependencyError> {
    Ok(supply
        .store
        .read(&key(&wheel.file, wheel.sha256), wheel.size)?)
}

/// Reads and checks a wheel.
///
/// # Errors
/// It is not what its name says, or damaged.
pub(super) fn open(file: &WheelFile, bytes: &[u8]) -> Result<Opened, Hinted> {
    Opened::of(file, bytes).map_err(|fault| {
        let fault = shown(&fault);
        Hinted::new(format_args!("reading wheel {file}: {fault}"))
            .hinting("the wheel itself is wrong: name another version of the project")
    })
}

/// Checks that bytes are a wheel with this name.
///
/// # Errors
/// They are not.
pub fn examine(file: &WheelFile, bytes: &[u8]) -> Result<(), Hinted> {
    open(file, bytes).map(drop)
}

/// Checks that everything that wheels need is required.
fn check_needs(
    wanted: &WantedWheels,
    applied: &Applied,
    found: &[Found],
    everything: &BTreeSet<ProjectName>,
    index: &Index<'_>,
) -> Result<(), Hinted> {
    let resolved = found.iter().filter_map(|one| {
        let name = &one.wheel.name;
        let requirement = applied.requirements.get(name)?.clone();
        Some((name.clone(), (requirement, one.opened.metadata.clone())))
    });
    let tags = Tags::of(&applied.target);
    // Without an answer of the index, the error names no version.
    let suggest = |name: &ProjectName, versions: &str| {
        let files = index.files(name).ok().flatten()?;
        suggest::line(name, versions, &files, &tags)
    };
    let resolved = resolved.collect();
    let faults = missing::faults(&resolved, everything, &applied.target, &suggest);
    let doing = format!("reading {}", shown(&wanted.requirements.file));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(told(&doing, &faults).hinting(MISSING)),
    }
}

/// Compares the locked wheels with the package index, and fetches those that the store does not have.
///
/// # Errors
/// The index has another file with that name, or none, or cannot be reached and a wheel is missing.
pub(in crate::inputs) fn complete(
    wheels: &[Wheel],
    supply: &Supply<'_>,
) -> Result<RegistryCheck, DependencyError> {
    let mut is_complete = true;
    for wheel in wheels {
        let kept = supply.store.size(&key(&wheel.file, wheel.sha256))?;
        is_complete &= kept == Some(wheel.size);
    }
    if wheels.is_empty() {
        return Ok(RegistryCheck::Made);
    }
    if let Some(capsule) = supply.capsule.filter(|_| is_complete) {
        let check = RegistryCheck::offline(capsule.name());
        check.tell("wheels are", supply);
        return Ok(check);
    }
    let name = match is_complete {
        true => "compare wheels with the package index",
        false => "fetch wheels",
    };
    let made = supply.during(name, |step| {
        let index = Index::find(supply)?.counting(&step.meter());
        step.of(wheels.len(), []);
        let done = in_lanes(wheels, |wheel| {
            let done = complete_one(wheel, &index, supply);
            step.add(1, 0);
            Ok(done)
        });
        done.and_then(together)
    });
    match made {
        Ok(()) => Ok(RegistryCheck::Made),
        // The store has all wheels: only the comparison is missing.
        Err(error @ (DependencyError::Host(_) | DependencyError::Hinted(_))) if is_complete => {
            let reason = error.to_string();
            supply.note(&format!(
                "wheels are not compared with the package index: {reason}"
            ));
            Ok(RegistryCheck::NotMade { reason })
        }
        Err(error) => Err(error),
    }
}

/// The results of all wheels as one. An error that may be a reason to compare nothing hides no other.
fn together(done: Vec<Result<(), DependencyError>>) -> Result<(), DependencyError> {
    let faults = done.into_iter().filter_map(Result::err);
    let first = faults.min_by_key(|fault| match fault {
        DependencyError::Refused(_) => 0,
        DependencyError::Store(_) | DependencyError::Interrupted(_) => 1,
        DependencyError::Host(_) | DependencyError::Hinted(_) | DependencyError::At(_) => 2,
    });
    first.map_or(Ok(()), Err)
}

fn complete_one(
    wheel: &Wheel,
    index: &Index<'_>,
    supply: &Supply<'_>,
) -> Result<(), DependencyError> {
    supply.interrupt.check()?;
    let file = &wheel.file;
    let listed = index.files(&wheel.name)?.unwrap_or_default();
    let listed = listed.into_iter().find(|one| one.name == file.as_str());
    let listed = listed.ok_or_else(|| {
        let reason = format_args!("checking wheel {file}: the package index has no such file");
        DependencyError::refused(reason, UNLISTED)
    })?;
    match listed.sha256 {
        Some(sha256) if sha256 == wheel.sha256 => {}
        Some(expected) => {
            let found = wheel.sha256;
            return Err(DependencyError::refused(
                format_args!(
                    "checking wheel {file}: expected {expected}, the digest in the package index, found {found} in Image.lock"
                ),
                UNLISTED,
            ));
        }
        None => {
            return Err(Hinted::new(format_args!(
                "checking wheel {file}: the package index names no SHA-256 of it"
            ))
            .into());
        }
    }
    if supply.store.size(&key(file, wheel.sha256))? == Some(wheel.size) {
        return Ok(());
    }
    let bytes = index.get(&wheel.name, &listed, wheel.size)?;
    keep(file, wheel.sha256, &bytes, supply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_not_hidden() {
        let unreached = || Err(Hinted::new("unreached").into());
        let refused = Err(DependencyError::refused("refused", UNLISTED));
        let first = together(vec![Ok(()), unreached(), refused, unreached()]);
        assert!(first.unwrap_err().is_refusal());
        assert!(
            !together(vec![unreached(), Ok(())])
                .unwrap_err()
                .is_refusal()
        );
        together(vec![Ok(())]).unwrap();
    }
}
