//! The folders that a `Cargo.toml` names (The Cargo Book, "The Manifest Format" and "Workspaces").

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::rc::Rc;

use console::hint::Hinted;
use toml::{Table, Value};

use super::error::{SourceError, UNCOMMITTED, reading};
use super::manifests::Files;
use super::origins;
use super::path::{SourcePath, join};
use crate::untrusted::{self, shown};

/// The name of a manifest.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// Manifests by folder. Each is read once.
pub(super) struct Manifests<'a> {
    files: &'a mut dyn Files,
    known: BTreeMap<String, Option<Rc<Manifest>>>,
}

impl<'a> Manifests<'a> {
    pub(super) fn of(files: &'a mut dyn Files) -> Self {
        Self {
            files,
            known: BTreeMap::new(),
        }
    }

    /// The manifest in `folder`, which must exist.
    pub(super) fn expect(&mut self, folder: &str) -> Result<Rc<Manifest>, SourceError> {
        self.get(folder)?.ok_or_else(|| {
            let manifest = shown(&join(folder, MANIFEST));
            reading(format_args!("{manifest} does not exist"))
                .hinting(UNCOMMITTED)
                .into()
        })
    }

    /// The manifest in `folder`, if it exists.
    pub(super) fn get(&mut self, folder: &str) -> Result<Option<Rc<Manifest>>, SourceError> {
        if let Some(known) = self.known.get(folder) {
            return Ok(known.clone());
        }
        let path = SourcePath::parse(&join(folder, MANIFEST))?;
        let bytes = self.files.file(&path)?;
        let manifest = bytes.map(|bytes| Manifest::parse(folder, &bytes).map(Rc::new));
        let manifest = manifest.transpose()?;
        self.known.insert(folder.to_owned(), manifest.clone());
        Ok(manifest)
    }

    pub(super) fn files(&mut self) -> &mut dyn Files {
        self.files
    }
}

/// A manifest.
pub(super) struct Manifest {
    folder: String,
    table: Table,
}

impl Manifest {
    fn parse(folder: &str, bytes: &[u8]) -> Result<Self, SourceError> {
        let manifest = join(folder, MANIFEST);
        let table = content::toml::parse(bytes).map_err(|error| {
            let said = untrusted::toml(&error);
            Hinted::new(format_args!("parsing {}: {said}", shown(&manifest)))
        })?;
        origins::refuse(&manifest, &table)?;
        Ok(Self {
            folder: folder.to_owned(),
            table,
        })
    }

    /// All its tables.
    pub(super) fn document(&self) -> &Table {
        &self.table
    }

    /// Whether it is the manifest of a crate; the manifest of a workspace may not be.
    pub(super) fn has_package(&self) -> bool {
        self.package().is_some()
    }

    /// The table `package`, or `project` as it was once called.
    pub(super) fn package(&self) -> Option<&Table> {
        let package = self.table.get("package");
        package.or_else(|| self.table.get("project"))?.as_table()
    }

    /// Whether it is the root of a workspace.
    pub(super) fn has_workspace(&self) -> bool {
        self.table.contains_key("workspace")
    }

    /// `members` or `exclude` of the workspace.
    pub(super) fn workspace_paths(&self, key: &str) -> Vec<&str> {
        let workspace = self.table.get("workspace").and_then(Value::as_table);
        let listed = workspace.and_then(|workspace| workspace.get(key)?.as_array());
        listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// The folder that `package.workspace` names.
    pub(super) fn named_root(&self) -> Result<Option<String>, SourceError> {
        let named = self.package();
        let named = named.and_then(|package| package.get("workspace")?.as_str());
        named.map(|path| self.resolve(path)).transpose()
    }

    /// Whether it inherits from a workspace: any field is `workspace = true`.
    pub(super) fn inherits(&self) -> bool {
        let package = self.package().into_iter().flat_map(Table::values);
        let lints = self.table.get("lints").into_iter();
        let tables = self.dependency_tables();
        let dependencies = tables.into_iter().flat_map(|table| table.values());
        package.chain(lints).chain(dependencies).any(is_inherited)
    }

    /// The folders of all crates that it uses by path, for any target. `root` is the manifest that it inherits from.
    pub(super) fn path_dependencies(
        &self,
        root: Option<&Self>,
    ) -> Result<Vec<String>, SourceError> {
        let mut folders = Vec::new();
        for (name, dependency) in self.dependency_tables().into_iter().flatten() {
            match (path(dependency), root) {
                (Some(path), _) => folders.push(self.resolve(path)?),
                (None, Some(root)) if is_inherited(dependency) => {
                    folders.extend(root.inherited_path(name)?);
                }
                (None, _) => {}
            }
        }
        Ok(folders)
    }

    /// The folders of its library, programs and build script that are outside the folder of the manifest. Folders
    /// outside the repository are omitted: if one is needed, the commit cannot be built anywhere.
    pub(super) fn target_folders(&self) -> Vec<String> {
        let library = self.table.get("lib").into_iter();
        let programs = self.table.get("bin").and_then(Value::as_array);
        let named = library.chain(programs.into_iter().flatten());
        let script = self.package().and_then(|package| package.get("build"));
        let paths = named.filter_map(path).chain(script.and_then(Value::as_str));
        let files = paths.filter_map(|path| {
            let file = relative(&self.folder, path)?;
            SourcePath::parse(&file).ok()
        });
        let folders = files.map(|file| file.folder().to_owned());
        let is_outside = |folder: &String| !Path::new(folder).starts_with(&self.folder);
        folders.filter(is_outside).collect()
    }

    /// The folders of crates in `[patch]` and `[workspace.dependencies]`.
    pub(super) fn offered_paths(&self) -> Result<Vec<String>, SourceError> {
        let patches = self.tables_in("patch");
        let offered = patches.into_iter().chain(self.offered());
        let paths = offered.flat_map(Table::values).filter_map(path);
        paths.map(|path| self.resolve(path)).collect()
    }

    fn inherited_path(&self, name: &str) -> Result<Option<String>, SourceError> {
        let offered = self.offered().and_then(|offered| offered.get(name));
        let path = offered.and_then(path);
        path.map(|path| self.resolve(path)).transpose()
    }

    fn offered(&self) -> Option<&Table> {
        self.table.get("workspace")?.get("dependencies")?.as_table()
    }

    pub(super) fn dependency_tables(&self) -> Vec<&Table> {
        let mut tables = dependency_kinds(&self.table);
        for target in self.tables_in("target") {
            tables.extend(dependency_kinds(target));
        }
        tables
    }

    fn tables_in(&self, name: &str) -> Vec<&Table> {
        let table = self.table.get(name).and_then(Value::as_table);
        let values = table.into_iter().flat_map(Table::values);
        values.filter_map(Value::as_table).collect()
    }

    /// The path in the repository of `path` in this manifest.
    pub(super) fn resolve(&self, path: &str) -> Result<String, SourceError> {
        relative(&self.folder, path).ok_or_else(|| {
            let (manifest, path) = (shown(&join(&self.folder, MANIFEST)), shown(path));
            reading(format_args!(
                "{manifest} uses \"{path}\", which is outside the repository"
            ))
            .into()
        })
    }
}

fn dependency_kinds(table: &Table) -> Vec<&Table> {
    let kinds = origins::KINDS.iter();
    kinds
        .filter_map(|kind| table.get(*kind)?.as_table())
        .collect()
}

fn path(dependency: &Value) -> Option<&str> {
    dependency.get("path")?.as_str()
}

/// `{ workspace = true }`
fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// The path in the repository of `path` in a manifest of `folder`; `None` if it leads out of the repository.
pub(super) fn relative(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
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

    #[test]
    fn inheritance_is_found_in_every_table() {
        for (text, inherits) in [
            ("[package]\nedition.workspace = true", true),
            ("[project]\nedition.workspace = true", true),
            ("[package]\n[lints]\nworkspace = true", true),
            ("[package]\n[dependencies]\na.workspace = true", true),
            (
                "[target.x.dev-dependencies]\na = { workspace = true }",
                true,
            ),
            ("[build_dependencies]\na.workspace = true", true),
            ("[package]\nworkspace = '..'\nedition = '2024'", false),
            ("[package]\n[dependencies]\na = { path = 'b' }", false),
        ] {
            let manifest = Manifest::parse("", text.as_bytes()).unwrap();
            assert_eq!(manifest.inherits(), inherits, "{text}");
        }
    }
}
