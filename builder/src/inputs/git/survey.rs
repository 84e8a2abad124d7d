//! The packages with programs in a directory of the working tree, for which there is no `Image.toml` yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use toml::Value;

use super::chosen::binaries;
use super::configuration::{self, Effect};
use super::error::SourceError;
use super::manifest::{Manifest, Manifests};
use super::manifests::WorkingTree;
use super::path::{SourcePath, join};
use super::workspace;
use crate::spec::cargo::Target;

/// A package that cargo compiles programs of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its programs, each with the features that it requires.
    pub binaries: BTreeMap<String, Vec<String>>,
    /// The program that `cargo run` starts, if the package says so.
    pub default: Option<String>,
}

/// The packages with programs of the `Cargo.toml` in `directory`: the one that it describes, or else those of its workspace;
/// `None` if there is no `Cargo.toml`.
///
/// # Errors
/// A manifest cannot be read or parsed, or names a folder outside the repository.
pub fn packages(directory: &Path) -> Result<Option<Vec<Package>>, SourceError> {
    let (mut files, home) = WorkingTree::around(directory)?;
    let mut manifests = Manifests::of(&mut files);
    let Some(manifest) = manifests.get(&home)? else {
        return Ok(None);
    };
    let own = package(&home, &manifest, &mut manifests)?;
    if own.is_some() {
        return Ok(Some(own.into_iter().collect()));
    }
    let members = match manifest.has_workspace() {
        true => workspace::around(&home, &mut manifests)?.map(|around| around.members),
        false => None,
    };
    let mut packages = Vec::new();
    for folder in members.unwrap_or_default() {
        let manifest = manifests.expect(&folder)?;
        packages.extend(package(&folder, &manifest, &mut manifests)?);
    }
    Ok(Some(packages))
}

/// The package that a manifest describes, if it has programs.
fn package(
    folder: &str,
    manifest: &Rc<Manifest>,
    manifests: &mut Manifests<'_>,
) -> Result<Option<Package>, SourceError> {
    let text = |key: &str| {
        let value = manifest.package()?.get(key)?;
        value.as_str().map(str::to_owned)
    };
    let Some(name) = text("name") else {
        return Ok(None);
    };
    let binaries = binaries(folder, manifest, manifests)?;
    let package = Package {
        name,
        binaries,
        default: text("default-run"),
    };
    Ok(Some(package).filter(|package| !package.binaries.is_empty()))
}

/// The names of the packages in the `Cargo.lock` of the crate in `directory`; `None` if there is no lock.
///
/// # Errors
/// The lock cannot be read.
pub fn locked(directory: &Path) -> Result<Option<BTreeSet<String>>, SourceError> {
    let (mut files, home) = WorkingTree::around(directory)?;
    let mut manifests = Manifests::of(&mut files);
    let root = match manifests.get(&home)? {
        Some(_) => workspace::root_of(&home, &mut manifests)?,
        None => None,
    };
    let Some(bytes) = manifests.lock(&home, root.as_deref())? else {
        return Ok(None);
    };
    let lock = content::toml::parse::<toml::Table>(&bytes).unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array);
    let packages = packages.into_iter().flatten();
    let names = packages.filter_map(|package| package.get("name")?.as_str());
    Ok(Some(names.map(str::to_owned).collect()))
}

/// What configuration of cargo would change in a program of `directory`, each with the path of its file in the repository.
///
/// # Errors
/// A file of configuration cannot be read or parsed.
pub fn configured(directory: &Path) -> Result<Vec<(String, Effect)>, SourceError> {
    let (mut files, home) = WorkingTree::around(directory)?;
    let found = configuration::find(&mut files, &home)?;
    let effects = configuration::effects(&found, Target::Gnu);
    let owned = effects.map(|(path, effect)| (path.to_owned(), effect));
    Ok(owned.collect())
}

impl Manifests<'_> {
    /// `Cargo.lock` of the root of a workspace, or of the crate itself.
    fn lock(&mut self, home: &str, root: Option<&str>) -> Result<Option<Vec<u8>>, SourceError> {
        for folder in [root.unwrap_or(home), home] {
            let path = SourcePath::parse(&join(folder, "Cargo.lock"))?;
            let found = self.files().file(&path)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn found(files: &[(&str, &str)]) -> Option<Vec<(String, Vec<String>)>> {
        let packages = packages(tree(files).path()).unwrap()?;
        let named = packages.into_iter().map(|package| {
            let binaries = package.binaries.into_keys().collect();
            (package.name, binaries)
        });
        Some(named.collect())
    }

    fn named(name: &str, binaries: &[&str]) -> (String, Vec<String>) {
        let binaries = binaries.iter().map(|name| (*name).to_owned()).collect();
        (name.to_owned(), binaries)
    }

    #[test]
    fn programs_are_found_where_cargo_finds_them() {
        assert_eq!(found(&[("main.py", "")]), None);
        let crate_a = (
            "Cargo.toml",
            "[package]\nname = \"a\"\ndefault-run = \"b\"\n",
        );
        let files = [crate_a, ("src/main.rs", ""), ("src/bin/b.rs", "")];
        assert_eq!(found(&files), Some(vec![named("a", &["a", "b"])]));
        let package = packages(tree(&files).path()).unwrap().unwrap().remove(0);
        assert_eq!(package.default.as_deref(), Some("b"));
        assert_eq!(found(&[crate_a, ("src/lib.rs", "")]), Some(vec![]));
        let listed = |bin: &str| {
            let manifest = format!("[package]\nname = \"a\"\n[[bin]]\nname = \"f\"\n{bin}");
            let files = [
                ("Cargo.toml", manifest.as_str()),
                ("src/main.rs", ""),
                ("src/bin/b.rs", ""),
            ];
            found(&files)
        };
        for (bin, expected) in [
            ("path = \"src/main.rs\"", ["b", "f"].as_slice()),
            ("path = \"./src/bin/b.rs\"", &["a", "f"]),
            ("", &["a", "b", "f"]),
        ] {
            assert_eq!(listed(bin), Some(vec![named("a", expected)]), "{bin}");
        }
    }

    #[test]
    fn members_of_a_workspace_are_found() {
        let root = ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
        let files = [
            root,
            ("crates/lib/Cargo.toml", "[package]\nname = \"lib\"\n"),
            ("crates/lib/src/lib.rs", ""),
            ("crates/app/Cargo.toml", "[package]\nname = \"app\"\n"),
            ("crates/app/src/main.rs", ""),
        ];
        assert_eq!(found(&files), Some(vec![named("app", &["app"])]));
    }

    #[test]
    fn the_lock_of_a_member_is_that_of_the_workspace() {
        let root = ("Cargo.toml", "[workspace]\nmembers = [\"app\"]\n");
        let app = ("app/Cargo.toml", "[package]\nname = \"app\"\n");
        let lock = (
            "Cargo.lock",
            "version = 4\n[[package]]\nname = \"cc\"\nversion = \"1.0.0\"\n",
        );
        let names = |files: &[(&str, &str)]| locked(&tree(files).path().join("app")).unwrap();
        assert_eq!(names(&[root, app]), None);
        assert_eq!(names(&[root, app, lock]), Some(["cc".to_owned()].into()));
    }
}
