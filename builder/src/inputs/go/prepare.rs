//! Makes the folders that a build with Go needs: the toolchain, and the modules as a module proxy in a folder.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::{Digest, Hasher};

use super::h1::LIMITS;
use super::obtain::{is_toolchain, read};
use super::proxy;
use crate::at::At;
use crate::inputs::Supply;
use crate::inputs::error::DependencyError;
use crate::inputs::lanes::in_lanes;
use crate::inputs::normalize::normalize;
use crate::inputs::store::{Store, StoreError};
use crate::inputs::tree::{Tree, holds};
use crate::inputs::zip;
use crate::lock::AGAIN;
use crate::lock::modules::Module;

/// Folders of programs. Archives of modules do not say which files are executable.
const PROGRAMS: [&str; 2] = ["bin/", "pkg/tool/"];

/// The folders that a build with Go needs.
#[derive(Clone, Debug)]
pub struct GoInputs {
    /// The toolchain.
    pub toolchain: PathBuf,
    /// The modules, with the paths that they have in a module proxy.
    pub proxy: PathBuf,
}

/// Makes the folders. That of the toolchain is kept in the store; the other one is in `scratch`.
///
/// # Errors
/// A module is missing, differs from the locked one or cannot be unpacked, or the work was interrupted.
pub(in crate::inputs) fn prepare(
    modules: &[Module],
    scratch: &Path,
    supply: &Supply<'_>,
) -> Result<GoInputs, DependencyError> {
    let (toolchains, modules): (Vec<_>, Vec<_>) = modules.iter().partition(|one| is_toolchain(one));
    let [toolchain] = toolchains[..] else {
        let found = toolchains.len();
        let fault = Hinted::new(format_args!(
            "checking Image.lock: expected one toolchain of Go, found {found}"
        ));
        return Err(fault.hinting(AGAIN).into());
    };
    let proxy = scratch.join("modules");
    fs::create_dir(&proxy).map_err(At::writing(&proxy))?;
    in_lanes(&modules, |module| {
        let bytes = read(module, supply)?;
        write(
            &bytes[..],
            &proxy.join(proxy::path(&module.name, &module.version)),
        )
    })?;
    normalize(&proxy).map_err(At::writing(&proxy))?;
    Ok(GoInputs {
        toolchain: unpacked(toolchain, supply)?,
        proxy,
    })
}

/// The unpacked toolchain in the store. Whenever it is used, it is compared with its archive.
fn unpacked(module: &Module, supply: &Supply<'_>) -> Result<PathBuf, DependencyError> {
    let store = supply.store;
    let bytes = read(module, supply)?;
    let expected = expected(module, &bytes)?;
    let place = store.vendored().join(expected.hex());
    if holds(&place, &expected, supply.interrupt)? {
        return Ok(store.used(place));
    }
    let _alone = store.alone(&store.vendored(), supply.interrupt)?;
    // Another process may have made it in the meantime.
    if holds(&place, &expected, supply.interrupt)? {
        return Ok(store.used(place));
    }
    store.discard(&place)?;
    let scratch = store.scratch()?;
    let folder = scratch.path().join("toolchain");
    each_file(module, &bytes, &mut |path, content| {
        let place = folder.join(path);
        write(content, &place).map_err(io::Error::other)?;
        match is_program(path) {
            true => {
                fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            }
            false => Ok(()),
        }
    })?;
    normalize(&folder).map_err(At::writing(&folder))?;
    store.publish(&folder, &place)?;
    match holds(&place, &expected, supply.interrupt)? {
        true => Ok(place),
        false => Err(StoreError::disturbed("unpacked toolchain", &place).into()),
    }
}

/// The folder for the unpacked toolchain. It may not exist.
///
/// # Errors
/// The store does not have its archive, or has another.
pub(in crate::inputs) fn unpacked_folder(
    toolchain: &Module,
    store: &Store,
) -> Result<PathBuf, DependencyError> {
    let bytes = store.read_of_any(&toolchain.key(), toolchain.size)?;
    Ok(store.vendored().join(expected(toolchain, &bytes)?.hex()))
}

/// The digest of the folder that the archive unpacks to.
fn expected(module: &Module, bytes: &[u8]) -> Result<Digest, DependencyError> {
    let mut tree = Tree::default();
    each_file(module, bytes, &mut |path, content| {
        let mut hasher = Hasher::new();
        io::copy(content, &mut hasher)?;
        match is_program(path) {
            true => tree.add_program(path.into(), &hasher.finish()),
            false => tree.add_file(path.into(), &hasher.finish()),
        }
        Ok(())
    })?;
    Ok(tree.digest())
}

fn is_program(path: &str) -> bool {
    PROGRAMS.iter().any(|folder| path.starts_with(folder))
}

/// Calls `take` with each file of the archive and its path without `NAME@VERSION/`.
fn each_file(module: &Module, bytes: &[u8], take: zip::Take<'_>) -> Result<(), DependencyError> {
    let top = format!("{}@{}/", module.name, module.version);
    let read = zip::each_file(
        bytes,
        LIMITS,
        &mut |path, content| match path.strip_prefix(&top) {
            Some(path) => take(path, content),
            None => Err(io::Error::other(format!("{path} is not below {top}"))),
        },
    );
    let named = module.sum();
    Ok(read.map_err(|error| Hinted::new(format_args!("unpacking module {named}: {error}")))?)
}

/// Writes a new file. A file that exists is never written to.
fn write(mut from: impl Read, path: &Path) -> Result<(), DependencyError> {
    let failed = At::writing(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(&failed)?;
    }
    let mut file = fs::File::create_new(path).map_err(&failed)?;
    io::copy(&mut from, &mut file).map_err(&failed)?;
    Ok(())
}
