//! Which folders of a repository a crate needs: its own and those of all crates that it uses by path.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use super::SourceError;
use super::path::SourcePath;
use crate::host::{HostError, git};

/// The crate in `first` and all that it uses by path, relative to the repository.
pub(super) fn closure(
    top: &Path,
    commit: &str,
    first: &str,
) -> Result<BTreeSet<String>, SourceError> {
    let mut found = BTreeSet::new();
    let mut open = vec![first.to_owned()];
    while let Some(folder) = open.pop() {
        if !found.insert(folder.clone()) {
            continue;
        }
        let manifest = SourcePath::parse(&join(&folder, "Cargo.toml"))?;
        let table = manifest_at(top, commit, &manifest)?;
        for path in path_dependencies(&table) {
            let outside = || SourceError::Outside {
                manifest: manifest.to_string(),
                path: path.clone(),
            };
            open.push(relative(&folder, &path).ok_or_else(outside)?);
        }
    }
    Ok(found)
}

fn manifest_at(
    top: &Path,
    commit: &str,
    manifest: &SourcePath,
) -> Result<toml::Table, SourceError> {
    let text = git(top, "cat-file", &["blob", &format!("{commit}:{manifest}")]);
    let text = text.map_err(|error| match error {
        HostError::Failed { .. } => SourceError::Absent {
            manifest: manifest.to_string(),
        },
        other => other.into(),
    })?;
    toml::from_slice(&text).map_err(|source| SourceError::Manifest {
        manifest: manifest.to_string(),
        source,
    })
}

/// `path` of every dependency of any kind, for any target; cargo wants all of them present.
fn path_dependencies(manifest: &toml::Table) -> Vec<String> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables_in = |name| {
        let table = manifest.get(name).and_then(toml::Value::as_table);
        table
            .into_iter()
            .flat_map(|table| table.values())
            .filter_map(toml::Value::as_table)
    };
    let own = KINDS
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table());
    let targets = tables_in("target")
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()));
    // `[patch.REGISTRY]` replaces crates, and `[workspace.dependencies]` is the table in a table.
    let inherited = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies")?.as_table());
    own.chain(targets)
        .chain(tables_in("patch"))
        .chain(inherited)
        .flat_map(|dependencies| dependencies.values())
        .filter_map(|dependency| Some(dependency.get("path")?.as_str()?.to_owned()))
        .collect()
}

/// `path` as seen from `folder`, relative to the repository; `None` if it leaves it.
fn relative(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<String> = folder
        .split('/')
        .filter(|p| !p.is_empty())
        .map(str::to_owned)
        .collect();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_repository() {
        assert_eq!(relative("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(relative("a", "../../c"), None);
        assert_eq!(relative("a", "/c"), None);
    }
}
