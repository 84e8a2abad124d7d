//! The workspace of a crate (The Cargo Book, "Workspaces"): cargo reads the manifest and lock of the root, and the
//! manifests of all members.

use std::collections::BTreeSet;
use std::path::Path;

use glob::Pattern;

use super::error::{SourceError, reading};
use super::manifest::Manifests;
use super::path::join;
use crate::untrusted::shown;

/// A workspace.
pub(super) struct Workspace {
    /// The folder of its root, relative to the repository.
    pub(super) root: String,
    /// The folders of its members.
    pub(super) members: BTreeSet<String>,
}

/// The workspace that `folder` is the root or a member of, if there is one.
///
/// # Errors
/// A manifest cannot be read, or names a folder outside the repository.
pub(super) fn around(
    folder: &str,
    manifests: &mut Manifests<'_>,
) -> Result<Option<Workspace>, SourceError> {
    let Some(root) = root_of(folder, manifests)? else {
        return Ok(None);
    };
    let members = members(&root, manifests)?;
    // Cargo refuses a crate that is below a workspace and not a member. It can be built without the workspace.
    let is_within = folder == root || members.contains(folder);
    Ok(is_within.then_some(Workspace { root, members }))
}

/// The folder of the root that a crate inherits from.
///
/// # Errors
/// A manifest cannot be read, or names a folder outside the repository.
pub(super) fn root_of(
    folder: &str,
    manifests: &mut Manifests<'_>,
) -> Result<Option<String>, SourceError> {
    let own = manifests.expect(folder)?;
    if own.has_workspace() {
        return Ok(Some(folder.to_owned()));
    }
    if let Some(named) = own.named_root()? {
        return Ok(Some(named));
    }
    for above in above(folder) {
        let Some(manifest) = manifests.get(above)? else {
            continue;
        };
        if manifest.has_workspace() {
            let excluded = is_excluded(folder, above, manifests)?;
            return Ok((!excluded).then(|| above.to_owned()));
        }
    }
    Ok(None)
}

/// The folders around `folder`, from the nearest to the repository itself.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    let ancestors = Path::new(folder).ancestors().skip(1);
    ancestors.filter_map(Path::to_str)
}

/// Whether `exclude` names the folder, and `members` does not.
fn is_excluded(
    folder: &str,
    root: &str,
    manifests: &mut Manifests<'_>,
) -> Result<bool, SourceError> {
    let manifest = manifests.expect(root)?;
    let is_below = |key: &str| -> Result<bool, SourceError> {
        for path in manifest.workspace_paths(key) {
            if Path::new(folder).starts_with(manifest.resolve(path)?) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(is_below("exclude")? && !is_below("members")?)
}

/// The folders that `members` matches, the root if it is a crate, and the folders below the root that these use by path.
fn members(root: &str, manifests: &mut Manifests<'_>) -> Result<BTreeSet<String>, SourceError> {
    let manifest = manifests.expect(root)?;
    let mut open = Vec::new();
    for pattern in manifest.workspace_paths("members") {
        open.extend(matching(&manifest.resolve(pattern)?, manifests)?);
    }
    if manifest.has_package() {
        open.push(root.to_owned());
    }
    let mut found = BTreeSet::new();
    while let Some(folder) = open.pop() {
        if is_excluded(&folder, root, manifests)? || !found.insert(folder.clone()) {
            continue;
        }
        let member = manifests.expect(&folder)?;
        let used = member.path_dependencies(Some(&manifest))?;
        open.extend(
            used.into_iter()
                .filter(|used| Path::new(used).starts_with(root)),
        );
    }
    Ok(found)
}

/// The folders of crates that a pattern matches; without a wildcard, the folder itself.
fn matching(pattern: &str, manifests: &mut Manifests<'_>) -> Result<Vec<String>, SourceError> {
    if !pattern.contains(['*', '?', '[']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let mut found = vec![String::new()];
    for part in pattern.split('/') {
        found = match part {
            "**" => all_below(found, manifests)?,
            part => step(&found, part, manifests)?,
        };
    }
    let mut crates = Vec::new();
    for folder in found {
        let manifest = manifests.get(&folder)?;
        if manifest.is_some_and(|manifest| manifest.has_package()) {
            crates.push(folder);
        }
    }
    Ok(crates)
}

fn step(
    folders: &[String],
    part: &str,
    manifests: &mut Manifests<'_>,
) -> Result<Vec<String>, SourceError> {
    let pattern = Pattern::new(part).map_err(|_| {
        let part = shown(part);
        reading(format_args!(
            "\"{part}\" is not a pattern for workspace members"
        ))
    })?;
    let mut found = Vec::new();
    for folder in folders {
        let names = manifests.files().folders_in(folder)?;
        let names = names.into_iter().filter(|name| pattern.matches(name));
        found.extend(names.map(|name| join(folder, &name)));
    }
    Ok(found)
}

/// The folders and all below them.
fn all_below(
    mut open: Vec<String>,
    manifests: &mut Manifests<'_>,
) -> Result<Vec<String>, SourceError> {
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        let names = manifests.files().folders_in(&folder)?;
        // git's own folder is not part of the source.
        let names = names.into_iter().filter(|name| name != ".git");
        open.extend(names.map(|name| join(&folder, &name)));
        found.push(folder);
    }
    Ok(found)
}
