//! No two files of a crate import each other, not even by way of others. `arrows.rs` holds the same
//! between crates.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A module's path from the root of its crate; the root's is empty.
type Module = Vec<String>;

/// What a name in a module stands for: `name` of `module`, or the module itself.
#[derive(Clone, Debug)]
struct Import {
    name: String,
    target: Vec<String>,
}

/// One file: what it imports and re-exports, and every path that it uses, each from the crate's root.
#[derive(Default)]
struct File {
    imports: Vec<Import>,
    paths: Vec<Vec<String>>,
}

/// The source folders of all crates.
fn crates() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let programs = [
        "builder", "verifier", "client", "emulator", "ceremony", "workload", "fuzz",
    ];
    let programs = programs.map(|name| root.join(name));
    let libraries = std::fs::read_dir(root.join("crates")).unwrap();
    let libraries = libraries.map(|entry| entry.unwrap().path());
    let sources = programs.into_iter().chain(libraries);
    sources.map(|folder| folder.join("src")).collect()
}

/// The files below `folder`, by module. `main.rs` is the root of its crate where there is no `lib.rs`, and a
/// module that nothing imports elsewhere.
fn files(folder: &Path, module: &Module, found: &mut BTreeMap<Module, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut inner = module.clone();
        let is_root = match stem.as_str() {
            "lib" | "mod" => true,
            "main" => !folder.join("lib.rs").exists(),
            _ => false,
        };
        if !is_root {
            inner.push(stem);
        }
        if path.is_dir() {
            files(&path, &inner, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(inner, path);
        }
    }
}

/// Reads the paths of one file.
struct Reader<'a> {
    module: &'a Module,
    file: File,
}

impl Reader<'_> {
    /// `segments` from the crate's root, if they name something of this crate.
    fn absolute(&self, segments: &[String]) -> Option<Vec<String>> {
        let (first, rest) = segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            _ => return None,
        };
        for segment in rest {
            match segment.as_str() {
                "super" => drop(base.pop()),
                "self" => {}
                name => base.push(name.to_owned()),
            }
        }
        Some(base)
    }

    /// The paths of a `use` tree, each with the name that it gets.
    fn tree(&mut self, tree: &syn::UseTree, mut prefix: Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(&path.tree, prefix);
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                let known = prefix.last().filter(|_| name == "self").cloned();
                prefix.push(name.clone());
                self.import(known.unwrap_or(name), prefix);
            }
            syn::UseTree::Rename(rename) => {
                prefix.push(rename.ident.to_string());
                self.import(rename.rename.to_string(), prefix);
            }
            syn::UseTree::Glob(_) => {
                prefix.push("*".to_owned());
                self.import("*".to_owned(), prefix);
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(item, prefix.clone());
                }
            }
        }
    }

    /// A path without `crate` or `self` at its head may begin with a module below this one.
    fn import(&mut self, name: String, path: Vec<String>) {
        let below = || [self.module.clone(), path.clone()].concat();
        let target = self.absolute(&path).unwrap_or_else(below);
        self.file.imports.push(Import { name, target });
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|part| part.ident.to_string());
        let segments: Vec<_> = segments.collect();
        if let Some(path) = self.absolute(&segments) {
            self.file.paths.push(path);
        } else if segments.len() > 1 {
            self.file
                .paths
                .push([vec!["?".to_owned()], segments].concat());
        }
        visit::visit_path(self, path);
    }
}

fn read(module: &Module, path: &Path) -> File {
    let text = std::fs::read_to_string(path).unwrap();
    let mut reader = Reader {
        module,
        file: File::default(),
    };
    reader.visit_file(&syn::parse_file(&text).unwrap());
    reader.file
}

/// The files of one crate, by module.
struct Crate(BTreeMap<Module, File>);

impl Crate {
    /// The module whose file defines what `path` names, through re-exports.
    fn definer(&self, path: &[String], depth: usize) -> Option<Module> {
        let longest = (0..=path.len()).rev();
        let module = longest
            .map(|end| &path[..end])
            .find(|&m| self.0.contains_key(m))?;
        let Some(name) = path.get(module.len()) else {
            return None; // The module itself: nothing of its file is used yet.
        };
        let exported = self.0[module]
            .imports
            .iter()
            .find(|import| &import.name == name);
        let followed = exported.filter(|_| depth < 8).and_then(|import| {
            let rest = &path[module.len() + 1..];
            self.definer(&[import.target.clone(), rest.to_vec()].concat(), depth + 1)
        });
        followed.or_else(|| Some(module.to_vec()))
    }

    /// The full path for a path in `module` that begins with an imported name or a child module.
    fn relative(&self, module: &Module, path: &[String]) -> Option<Vec<String>> {
        let [_, first, rest @ ..] = path else {
            return None;
        };
        let imported = self.0[module]
            .imports
            .iter()
            .find(|import| &import.name == first);
        let head = imported.map(|import| import.target.clone());
        let below = [module.clone(), vec![first.clone()]].concat();
        let head = head.or_else(|| self.0.contains_key(&below).then_some(below))?;
        Some([head, rest.to_vec()].concat())
    }

    /// The files that the file of `module` imports from. Those of the folders around it do not count: a part may
    /// use what its whole defines.
    fn imported(&self, module: &Module) -> BTreeSet<Module> {
        let file = &self.0[module];
        let direct = file.imports.iter().map(|import| import.target.clone());
        let used = file
            .paths
            .iter()
            .filter_map(|path| match path.first().map(String::as_str) {
                Some("?") => self.relative(module, path),
                _ => Some(path.clone()),
            });
        let all = direct.chain(used).filter_map(|path| self.definer(&path, 0));
        all.filter(|target| !module.starts_with(target)).collect()
    }

    /// The files that import themselves through other files.
    fn circles(&self) -> Vec<String> {
        let arrows: BTreeMap<_, _> = self.0.keys().map(|m| (m, self.imported(m))).collect();
        let returns = |start: &&Module| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
            while let Some(module) = next.pop() {
                for target in &arrows[module] {
                    if target == *start {
                        return true;
                    }
                    if seen.insert(target) {
                        next.push(target);
                    }
                }
            }
            false
        };
        let round = self.0.keys().filter(returns);
        round
            .map(|module| format!("{} -> {:?}", module.join("::"), arrows[module]))
            .collect()
    }
}

fn read_crate(source: &Path) -> Crate {
    let mut found = BTreeMap::new();
    files(source, &Vec::new(), &mut found);
    let read = |(module, path): (Module, PathBuf)| {
        let file = read(&module, &path);
        (module, file)
    };
    Crate(found.into_iter().map(read).collect())
}

#[test]
fn no_files_import_each_other() {
    let circles: Vec<_> = crates()
        .iter()
        .flat_map(|source| {
            let circles = read_crate(source).circles().into_iter();
            circles
                .map(|circle| format!("{}: {circle}", source.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c;");
    write("a.rs", "use crate::c; fn f() -> c::T {}");
    write("b.rs", "pub fn g() { crate::a::f() }");
    write(
        "c.rs",
        "use super::b::{self}; pub type T = u8; fn h() { b::g() }",
    );
    assert_eq!(read_crate(folder.path()).circles().len(), 3);
    write(
        "c.rs",
        "pub type T = u8; #[cfg(test)] mod tests { use crate::b; }",
    );
    assert!(read_crate(folder.path()).circles().is_empty());
}
