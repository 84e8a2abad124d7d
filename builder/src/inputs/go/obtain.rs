//! Fetches modules into the store, if they have the hashes that `go.sum` names.

use console::hint::Hinted;
use content::Digest;

use super::checksums;
use super::h1;
use super::proxy::Proxies;
use crate::inputs::Supply;
use crate::inputs::cargo::RegistryCheck;
use crate::inputs::error::DependencyError;
use crate::inputs::lanes::in_lanes;
use crate::lock::modules::{H1, Module, Part, Sum};
use crate::spec::GoVersion;

/// The module of the toolchain (The Go Blog, "Go Toolchains").
const TOOLCHAIN: &str = "golang.org/toolchain";
/// The machine on which the toolchain runs.
const PLATFORM: &str = "linux-amd64";

/// What may be said not to be compared.
const TOLD: &str = "the toolchain of Go is";

const ABSENT: &str = "name a proxy in GOPROXY that has the module, or add `,direct` to it: then go, which must be installed, \
                      fetches the module from its repository";

/// Fetches every module that a `go.sum` names into the store. Those that no proxy has are left out, with a warning: `go.sum` also
/// names modules that no build needs.
///
/// # Errors
/// A proxy cannot be reached, or has other modules.
pub(in crate::inputs) fn fetch(
    sums: &[Sum],
    earlier: &[Module],
    supply: &Supply<'_>,
) -> Result<Vec<Module>, DependencyError> {
    let mut modules = Vec::new();
    let mut missing = Vec::new();
    for sum in sums {
        match known(sum, earlier, supply)? {
            Some(module) => modules.push(module),
            None => missing.push(sum.clone()),
        }
    }
    if !missing.is_empty() {
        let fetched = supply.during("fetch modules", |step| {
            step.of(missing.len(), []);
            let proxies = Proxies::find(supply)?.counting(&step.meter());
            in_lanes(&missing, |sum| {
                let fetched = fetch_one(sum, &proxies, supply);
                step.add(1, 0);
                fetched
            })
        })?;
        modules.extend(fetched.into_iter().flatten());
    }
    modules.sort();
    Ok(modules)
}

/// The toolchain of this version, which is fetched into the store.
///
/// # Errors
/// No proxy has it.
pub(in crate::inputs) fn fetch_toolchain(
    version: &GoVersion,
    earlier: &[Module],
    supply: &Supply<'_>,
) -> Result<Module, DependencyError> {
    let name = TOOLCHAIN.parse().map_err(Hinted::from_error)?;
    let number = toolchain_version(version)
        .parse()
        .map_err(Hinted::from_error)?;
    let mut known = earlier.iter();
    if let Some(known) = known.find(|one| one.name == name && one.version == number)
        && is_kept(known, supply)?
    {
        compared(known, supply)?.tell(TOLD, supply);
        return Ok(known.clone());
    }
    let bytes = supply.during(
        format_args!("fetch the toolchain of Go {version}"),
        |step| {
            let proxies = Proxies::find(supply)?.counting(&step.meter());
            proxies.get(&name, &number)
        },
    )?;
    let bytes = bytes.map_err(|why| {
        Hinted::new(format_args!("fetching the toolchain of Go {version}: no proxy has it: {why}")).hinting(
            "check `go` in [build] of Image.toml: it must be the full version of a release, as 1.26.3",
        )
    })?;
    let h1 = hash(Part::Archive, &bytes, &format!("toolchain {version}"))?;
    let module = Module {
        name,
        version: number,
        h1,
        sha256: Digest::of(&bytes),
        size: bytes.len() as u64,
    };
    compared(&module, supply)?.tell(TOLD, supply);
    supply.store.keep(&module.key(), &bytes[..], module.size)?;
    Ok(module)
}

/// Compares the hash of a toolchain with the public checksum database, as proxies pass it on.
///
/// # Errors
/// The database has another hash.
fn compared(toolchain: &Module, supply: &Supply<'_>) -> Result<RegistryCheck, DependencyError> {
    let name = "compare the toolchain with the checksum database";
    let found = supply.during(name, |_| {
        let found = asked(toolchain, supply);
        supply.interrupt.check()?;
        Ok::<_, DependencyError>(found)
    })?;
    match found {
        Ok(h1) if h1 == toolchain.h1 => Ok(RegistryCheck::Made),
        Ok(h1) => {
            let (sum, found) = (toolchain.sum(), toolchain.h1);
            Err(DependencyError::refused(
                format_args!(
                    "checking module {sum}: expected {h1}, the hash in the public checksum database, found {found}"
                ),
                "either Image.lock was edited, or GOPROXY names a proxy with another toolchain",
            ))
        }
        Err(reason) => Ok(RegistryCheck::NotMade {
            reason: format!(
                "the checksum database has no answer about the toolchain of Go: {reason}"
            ),
        }),
    }
}

/// The hash of a toolchain in the checksum database; the error is the reason why there is no answer.
fn asked(toolchain: &Module, supply: &Supply<'_>) -> Result<H1, String> {
    let proxies = Proxies::find(supply).map_err(|error| error.to_string())?;
    let ask = |path: &str, limit: u64| proxies.ask(path, limit);
    checksums::public(&toolchain.name, &toolchain.version, &ask)
}

/// Whether a module is the toolchain.
pub(in crate::inputs) fn is_toolchain(module: &Module) -> bool {
    module.name.as_str() == TOOLCHAIN
}

/// Whether the toolchain of this version, and no other one, is among the modules of a lock.
pub(in crate::inputs) fn has_toolchain(modules: &[Module], version: &GoVersion) -> bool {
    let toolchains = modules.iter().filter(|module| is_toolchain(module));
    let versions: Vec<_> = toolchains.map(|module| module.version.as_str()).collect();
    versions == [toolchain_version(version)]
}

/// The toolchain of this version in a lock.
pub(crate) fn toolchain<'a>(modules: &'a [Module], version: &str) -> Option<&'a Module> {
    let expected = format!("v0.0.1-go{version}.{PLATFORM}");
    let mut toolchains = modules.iter().filter(|module| is_toolchain(module));
    toolchains.find(|module| module.version.as_str() == expected)
}

/// The modules of a lock without the toolchain.
pub(in crate::inputs) fn without_toolchain(modules: &[Module]) -> impl Iterator<Item = &Module> {
    modules.iter().filter(|module| !is_toolchain(module))
}

fn toolchain_version(version: &GoVersion) -> String {
    format!("v0.0.1-go{version}.{PLATFORM}")
}

/// Fetches the locked modules that the store does not have. Says whether the proxies of this machine decided that their names and
/// hashes belong together, and whether the checksum database has the toolchain: a capsule does not show either.
///
/// # Errors
/// No proxy has one, or it has another.
pub(in crate::inputs) fn complete(
    modules: &[Module],
    supply: &Supply<'_>,
) -> Result<RegistryCheck, DependencyError> {
    let mut missing = Vec::new();
    for module in modules {
        if supply.store.size(&module.key())? != Some(module.size) {
            missing.push(module.clone());
        }
    }
    if let Some(capsule) = supply.capsule {
        let check = RegistryCheck::offline(capsule.name());
        check.tell("modules are", supply);
        return Ok(check);
    }
    if !missing.is_empty() {
        fetch_missing(&missing, supply)?;
    }
    let toolchain = modules.iter().find(|module| is_toolchain(module));
    let check = toolchain.map(|toolchain| compared(toolchain, supply));
    let check = check.transpose()?.unwrap_or(RegistryCheck::Made);
    check.tell(TOLD, supply);
    Ok(check)
}

fn fetch_missing(missing: &[Module], supply: &Supply<'_>) -> Result<(), DependencyError> {
    supply.during("fetch modules", |step| {
        step.of(missing.len(), missing.iter().map(|module| module.size));
        let proxies = Proxies::find(supply)?.counting(&step.meter());
        let fetched = in_lanes(missing, |module| {
            let sum = module.sum();
            let bytes = proxies.get(&module.name, &module.version)?;
            let bytes = bytes.map_err(|why| absent(&sum, &why).hinting(ABSENT))?;
            check(&sum, &bytes)?;
            supply.store.keep(&module.key(), &bytes[..], module.size)?;
            step.add(1, 0);
            Ok(())
        });
        fetched.map(drop)
    })
}

/// The module in an earlier lock, if the store has it.
fn known(
    sum: &Sum,
    earlier: &[Module],
    supply: &Supply<'_>,
) -> Result<Option<Module>, DependencyError> {
    let Some(known) = earlier.iter().find(|one| one.sum() == *sum) else {
        return Ok(None);
    };
    Ok(is_kept(known, supply)?.then(|| known.clone()))
}

fn is_kept(module: &Module, supply: &Supply<'_>) -> Result<bool, DependencyError> {
    Ok(supply.store.size(&module.key())? == Some(module.size))
}

fn fetch_one(
    sum: &Sum,
    proxies: &Proxies<'_>,
    supply: &Supply<'_>,
) -> Result<Option<Module>, DependencyError> {
    supply.interrupt.check()?;
    let bytes = match proxies.get(&sum.name, &sum.version)? {
        Ok(bytes) => bytes,
        Err(why) => {
            supply.note(&format!(
                "{}; it is not locked, and a build that needs it will fail",
                absent(sum, &why)
            ));
            return Ok(None);
        }
    };
    check(sum, &bytes)?;
    let module = Module {
        name: sum.name.clone(),
        version: sum.version.clone(),
        h1: sum.h1,
        sha256: Digest::of(&bytes),
        size: bytes.len() as u64,
    };
    supply.store.keep(&module.key(), &bytes[..], module.size)?;
    Ok(Some(module))
}

fn absent(sum: &Sum, why: &str) -> Hinted {
    Hinted::new(format_args!(
        "fetching module {sum}: no proxy has it: {why}"
    ))
}

/// Checks that a module has the hash of `go.sum`.
fn check(sum: &Sum, bytes: &[u8]) -> Result<(), DependencyError> {
    let found = hash(sum.version.part(), bytes, &sum.to_string())?;
    match found == sum.h1 {
        true => Ok(()),
        false => Err(DependencyError::refused(
            format_args!(
                "checking module {sum}: expected {}, the hash in go.sum, found {found}, the hash of what the proxy has",
                sum.h1
            ),
            "either go.sum was edited, or GOPROXY names a proxy with other modules",
        )),
    }
}

fn hash(part: Part, bytes: &[u8], named: &str) -> Result<H1, DependencyError> {
    let hash = h1::of(part, bytes);
    Ok(hash.map_err(|error| Hinted::new(format_args!("reading module {named}: {error}")))?)
}

/// Reads a locked module from the store, and checks its hash.
///
/// # Errors
/// The store does not have it, or it has another hash.
pub(super) fn read(module: &Module, supply: &Supply<'_>) -> Result<Vec<u8>, DependencyError> {
    supply.interrupt.check()?;
    let bytes = supply.store.read(&module.key(), module.size)?;
    let sum = module.sum();
    let found = hash(sum.version.part(), &bytes, &sum.to_string())?;
    match found == module.h1 {
        true => Ok(bytes),
        false => Err(DependencyError::refused(
            format_args!(
                "checking Image.lock: module {sum}: expected {}, found {found}",
                module.h1
            ),
            crate::lock::AGAIN,
        )),
    }
}
