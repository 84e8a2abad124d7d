//! The packages in a repository, and how cargo finds them offline: each package gets a file of checksums, and a folder has a
//! link to each package's folder. This folder is a directory source of cargo (The Cargo Book, "Source Replacement").

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use content::limits;
use toml::Table;

use crate::at::At;
use crate::inputs::error::DependencyError;
use crate::inputs::git::error::SourceError;
use crate::inputs::git::manifest::{MANIFEST, Manifests};
use crate::inputs::git::manifests::Files;
use crate::inputs::git::path::SourcePath;
use crate::inputs::git::workspace;
use crate::untrusted::shown;

/// The folder of links. It is in the root of the workspace of the packages, where cargo finds what they inherit.
const LINKS: &str = ".countersign-crates";
/// The file that cargo expects in the folder of each package. The files of the tree were checked already.
const CHECKSUMS: &str = ".cargo-checksum.json";
const NO_CHECKSUMS: &str = "{\"files\":{},\"package\":null}";

/// A package by name and version.
pub(super) type Package = (String, String);

/// Prepares the files in `tree` as a source of these packages. Returns the folder of links, relative to the tree.
///
/// # Errors
/// A package is missing, the packages belong to several workspaces, or a file cannot be written.
pub(super) fn prepare(
    tree: &Path,
    packages: &BTreeSet<&Package>,
    repository: &str,
) -> Result<PathBuf, DependencyError> {
    let found = scan(tree)?;
    let mut folders = BTreeMap::new();
    for package in packages {
        let folder = choose(&found, package).ok_or_else(|| missing(package, repository))?;
        folders.insert(*package, folder);
    }
    let root = common_root(tree, folders.values().copied(), repository)?;
    let links = Path::new(&root).join(LINKS);
    // `package.workspace` can name a link, which may lead out of the tree.
    let mut around = tree.to_owned();
    for part in Path::new(&root) {
        around.push(part);
        let found = around.symlink_metadata().map_err(At::reading(&around))?;
        if !found.is_dir() {
            return Err(DependencyError::refused(
                format_args!("staging {repository}: its workspace is at a symbolic link"),
                "`package.workspace` must name a folder of the repository",
            ));
        }
    }
    let place = tree.join(&links);
    fs::create_dir(&place).map_err(At::writing(&place))?;
    for ((name, version), folder) in folders {
        let checksums = tree.join(folder).join(CHECKSUMS);
        // The repository may have one of its own, which may be a link.
        if checksums.symlink_metadata().is_ok() {
            fs::remove_file(&checksums).map_err(At::writing(&checksums))?;
        }
        fs::write(&checksums, NO_CHECKSUMS).map_err(At::writing(&checksums))?;
        let link = place.join(format!("{name}-{version}"));
        symlink(between(&links, Path::new(folder)), &link).map_err(At::writing(&link))?;
    }
    Ok(links)
}

/// The relative path from one folder to another, both relative to the tree.
fn between(from: &Path, to: &Path) -> PathBuf {
    let up = from.components().map(|_| Path::new(".."));
    up.collect::<PathBuf>().join(to)
}

/// The manifests of packages, by folder.
type Found = BTreeMap<String, Table>;

fn scan(tree: &Path) -> Result<Found, DependencyError> {
    let mut found = Found::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        let place = tree.join(&folder);
        let unread = At::reading(&place);
        for entry in fs::read_dir(&place).map_err(&unread)? {
            let entry = entry.map_err(&unread)?;
            let kind = entry.file_type().map_err(&unread)?;
            // No path of a package is other than text.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if kind.is_dir() {
                open.push(crate::inputs::git::path::join(&folder, &name));
            } else if kind.is_file() && name == MANIFEST {
                let bytes = crate::at::read(&entry.path(), limits::DOCUMENT)?;
                // Repositories have invalid manifests, as examples and for tests.
                let table: Option<Table> = content::toml::parse(&bytes).ok();
                found.extend(table.map(|table| (folder.clone(), table)));
            }
        }
    }
    Ok(found)
}

/// The folder of a package: of several with its name and version, the one that is nearest to the top.
fn choose<'a>(found: &'a Found, (name, version): &Package) -> Option<&'a str> {
    let of = |folder: &&String| {
        let package = found[*folder].get("package")?;
        (package.get("name")?.as_str()? == name).then_some(package)
    };
    let named = found.keys().filter(|folder| {
        of(folder).is_some_and(|package| {
            let own = package.get("version").map(|own| own.as_str());
            // A version that is inherited is not known here, and one that is left out is 0.0.0.
            own.unwrap_or(Some("0.0.0"))
                .is_none_or(|own| own == version)
        })
    });
    let nearest =
        named.min_by_key(|folder| (folder.split('/').count(), folder.is_empty(), *folder));
    let root = found.contains_key("").then_some("").filter(|_| {
        found[""]
            .get("package")
            .and_then(|package| package.get("name")?.as_str())
            == Some(name)
    });
    root.or(nearest.map(String::as_str))
}

/// The root of the workspace that packages inherit from; the top of the tree if none inherits.
fn common_root<'a>(
    tree: &Path,
    folders: impl Iterator<Item = &'a str>,
    repository: &str,
) -> Result<String, DependencyError> {
    let mut files = Plain(tree);
    let mut manifests = Manifests::of(&mut files);
    let mut roots = BTreeSet::new();
    for folder in folders {
        if manifests.expect(folder)?.inherits() {
            roots.extend(workspace::root_of(folder, &mut manifests)?);
        }
    }
    let first = roots.pop_first().unwrap_or_default();
    match roots.first() {
        None => Ok(first),
        Some(second) => {
            let name = |root: &str| {
                shown(match root {
                    "" => ".",
                    root => root,
                })
            };
            Err(Hinted::new(format_args!(
                "staging {repository}: crates of two workspaces of it are used, {} and {}",
                name(&first),
                name(second)
            ))
            .hinting("use crates of one workspace, or copy one of them into the repository as a path dependency")
            .into())
        }
    }
}

fn missing((name, version): &Package, repository: &str) -> DependencyError {
    Hinted::new(format_args!(
        "staging {repository}: it has no package {} {}",
        shown(name),
        shown(version)
    ))
    .hinting("check Cargo.lock: `cargo build --locked` must work in a new clone")
    .into()
}

/// The files of a tree. What a link leads to is not read.
struct Plain<'a>(&'a Path);

impl Files for Plain<'_> {
    fn file(&mut self, path: &SourcePath) -> Result<Option<Vec<u8>>, SourceError> {
        let path = self.0.join(path);
        let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
        let read = is_file.then(|| crate::at::read(&path, limits::DOCUMENT));
        Ok(read.transpose()?)
    }

    fn files_in(&mut self, _: &str) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    fn folders_in(&mut self, _: &str) -> Result<Vec<String>, SourceError> {
        // Only members of a workspace are looked for in folders, and its root knows who inherits.
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn prepared(tree: &Path, packages: &[(&str, &str)]) -> Result<PathBuf, String> {
        let packages: Vec<Package> = packages
            .iter()
            .map(|(name, version)| (name.to_string(), version.to_string()))
            .collect();
        let packages = packages.iter().collect();
        prepare(tree, &packages, "https://x").map_err(|error| error.to_string())
    }

    #[test]
    fn packages_are_linked_where_they_find_their_workspace() {
        let tree = tree(&[
            (
                "rust/Cargo.toml",
                "[workspace]\nmembers = ['a']\n[workspace.package]\nversion = '1.0.0'",
            ),
            (
                "rust/a/Cargo.toml",
                "[package]\nname = 'a'\nversion.workspace = true",
            ),
            (
                "rust/b/Cargo.toml",
                "[package]\nname = 'b'\nversion = '2.0.0'",
            ),
            ("rust/b/.cargo-checksum.json", "own"),
            (
                "old/b/Cargo.toml",
                "[package]\nname = 'b'\nversion = '1.0.0'",
            ),
            ("bad/Cargo.toml", "nonsense"),
        ]);
        let links = prepared(tree.path(), &[("a", "1.0.0"), ("b", "2.0.0")]).unwrap();
        assert_eq!(links, Path::new("rust/.countersign-crates"));
        for (name, folder) in [("a-1.0.0", "rust/a"), ("b-2.0.0", "rust/b")] {
            let link = tree.path().join(&links).join(name);
            let found = link.canonicalize().unwrap();
            assert_eq!(found, tree.path().canonicalize().unwrap().join(folder));
            let checksums = fs::read_to_string(link.join(CHECKSUMS)).unwrap();
            assert_eq!(checksums, NO_CHECKSUMS);
        }
        assert!(!tree.path().join("old/b").join(CHECKSUMS).exists());
    }

    #[test]
    fn a_package_may_be_the_whole_repository() {
        let tree = tree(&[
            ("Cargo.toml", "[package]\nname = 'a'\nversion = '1.0.0'"),
            (
                "tests/a/Cargo.toml",
                "[package]\nname = 'a'\nversion = '1.0.0'",
            ),
        ]);
        let links = prepared(tree.path(), &[("a", "1.0.0")]).unwrap();
        let target = fs::read_link(tree.path().join(links).join("a-1.0.0")).unwrap();
        assert_eq!(target, Path::new("../"));
    }

    #[test]
    fn what_cannot_be_prepared_is_named() {
        let files = [
            ("x/Cargo.toml", "[workspace]"),
            (
                "x/a/Cargo.toml",
                "[package]\nname = 'a'\nversion.workspace = true",
            ),
            ("y/Cargo.toml", "[workspace]"),
            (
                "y/b/Cargo.toml",
                "[package]\nname = 'b'\nversion.workspace = true",
            ),
        ];
        let tree = tree(&files);
        let error = prepared(tree.path(), &[("a", "1.0.0"), ("b", "1.0.0")]).unwrap_err();
        assert_eq!(
            error,
            "staging https://x: crates of two workspaces of it are used, x and y"
        );
        let error = prepared(tree.path(), &[("c", "1.0.0")]).unwrap_err();
        assert_eq!(error, "staging https://x: it has no package c 1.0.0");
    }

    /// A link of the repository may lead to any folder of this machine.
    #[test]
    fn a_workspace_at_a_link_is_refused() {
        let outside = tempfile::tempdir().unwrap();
        let manifest =
            "[package]\nname = \"foo\"\nversion.workspace = true\nworkspace = \"../evil\"\n";
        let tree = tree(&[("foo/Cargo.toml", manifest)]);
        let workspace =
            "[workspace]\nmembers = [\"../foo\"]\n[workspace.package]\nversion = \"1.0.0\"\n";
        fs::write(outside.path().join(MANIFEST), workspace).unwrap();
        symlink(outside.path(), tree.path().join("evil")).unwrap();
        let refused = prepared(tree.path(), &[("foo", "1.0.0")]);
        assert!(refused.is_err(), "{refused:?}");
        assert!(!outside.path().join(LINKS).exists());
    }
}
