//! The files of a repository that Go needs: the module around a folder, the modules of its workspace, and the folders that
//! replace modules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use console::hint::Hinted;

use super::closure::Closure;
use super::error::{SourceError, UNCOMMITTED, reading};
use super::go_modules::{Dependencies, GoModule, GoModules, MODULE, WORKSPACE};
use super::manifest::relative;
use super::manifests::Files;
use super::path::{SourcePath, join};
use crate::inputs::go::manifest::Manifest;
use crate::untrusted::shown;

/// The files and folders that are needed to build packages in the folder `first`.
///
/// # Errors
/// There is no module around it, a manifest is invalid, or a path leads out of the repository.
pub(super) fn closure(files: &mut dyn Files, first: &str) -> Result<Closure, SourceError> {
    let (module, manifest) = around(files, first, MODULE)?.ok_or_else(|| {
        let folder = shown(first);
        reading(format_args!("there is no go.mod in \"{folder}\" or above"))
            .hinting("write one with `go mod init`, and commit it; or name another kind of build")
    })?;
    let workspace = workspace(files, first, &module)?;
    let mut needed = BTreeSet::from([module.clone()]);
    needed.extend(folders(&module, MODULE, &manifest.replacements)?);
    let own = |folder: &str, manifest: Manifest| GoModule {
        folder: folder.into(),
        name: manifest.module.unwrap_or_default(),
    };
    let mut modules = vec![own(&module, manifest)];
    let mut extra = BTreeSet::new();
    if let Some((root, work)) = &workspace {
        needed.extend(folders(root, WORKSPACE, &work.replacements)?);
        for folder in folders(root, WORKSPACE, &work.uses)? {
            if folder == module {
                continue;
            }
            let used = manifest_in(files, &folder, MODULE)?
                .ok_or_else(|| missing(&join(&folder, MODULE)))?;
            needed.extend(folders(&folder, MODULE, &used.replacements)?);
            modules.push(own(&folder, used));
            needed.insert(folder);
        }
        for name in [WORKSPACE, "go.work.sum"] {
            extra.insert(SourcePath::parse(&join(root, name))?);
        }
    }
    let root = workspace.map(|(root, _)| root);
    let vendor = join(root.as_deref().unwrap_or(&module), "vendor");
    let listed = SourcePath::parse(&join(&vendor, "modules.txt"))?;
    let dependencies = match files.file(&listed)? {
        Some(_) => Dependencies::Vendored,
        None => Dependencies::Proxies,
    };
    if dependencies == Dependencies::Vendored {
        needed.insert(vendor);
    }
    // Image.toml may be in a folder below that of the module.
    needed.insert(first.to_owned());
    Ok(Closure {
        folders: needed,
        target_folders: BTreeSet::new(),
        files: extra,
        inputs: BTreeSet::new(),
        cargo: None,
        go: Some(GoModules {
            workspace: root.map(PathBuf::from),
            modules,
            dependencies,
        }),
    })
}

/// The workspace around the folder `first`, if it uses the module: Go refuses to build other modules in it.
fn workspace(
    files: &mut dyn Files,
    first: &str,
    module: &str,
) -> Result<Option<(String, Manifest)>, SourceError> {
    let Some((root, work)) = around(files, first, WORKSPACE)? else {
        return Ok(None);
    };
    let used = folders(&root, WORKSPACE, &work.uses)?;
    Ok(used
        .iter()
        .any(|folder| folder == module)
        .then_some((root, work)))
}

/// The nearest folder with a file of this name, from `first` upwards, and the file.
fn around(
    files: &mut dyn Files,
    first: &str,
    name: &str,
) -> Result<Option<(String, Manifest)>, SourceError> {
    for folder in Path::new(first).ancestors().filter_map(Path::to_str) {
        if let Some(manifest) = manifest_in(files, folder, name)? {
            return Ok(Some((folder.to_owned(), manifest)));
        }
    }
    Ok(None)
}

fn manifest_in(
    files: &mut dyn Files,
    folder: &str,
    name: &str,
) -> Result<Option<Manifest>, SourceError> {
    let path = join(folder, name);
    let Some(bytes) = files.file(&SourcePath::parse(&path)?)? else {
        return Ok(None);
    };
    let parsed = Manifest::parse(&bytes);
    let parsed =
        parsed.map_err(|fault| Hinted::new(format_args!("parsing {}: {fault}", shown(&path))))?;
    Ok(Some(parsed))
}

/// The folders in the repository that a manifest in `folder` names.
fn folders(folder: &str, name: &str, paths: &[String]) -> Result<Vec<String>, SourceError> {
    let resolved =
        paths.iter().map(|path| {
            relative(folder, path).ok_or_else(|| {
                let (manifest, path) = (shown(&join(folder, name)), shown(path));
                let outside = reading(format_args!(
                    "{manifest} names \"{path}\", which is outside the repository"
                ));
                SourceError::Refused(outside.hinting(
                    "commit the folder in this repository, or use the module by its version",
                ))
            })
        });
    resolved.collect()
}

fn missing(path: &str) -> SourceError {
    let path = shown(path);
    reading(format_args!("{path} does not exist"))
        .hinting(UNCOMMITTED)
        .into()
}
