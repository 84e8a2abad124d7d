//! Go modules, in provenance and bill of materials.

use std::path::{Component, Path, PathBuf};

use attest::Sbom;
use attest::provenance::ResourceDescriptor;
use attest::sbom::{STANDARD_LIBRARY, module_purl, own_module_purl};
use console::hint::Hinted;
use content::Digest;
use sbom::{BuildInfo, Module};

use super::{Description, sha256};
use crate::inputs::git::{Dependencies, GoModules, Source};
use crate::inputs::go;
use crate::lock::modules::{self, ModuleName, Part};
use crate::lock::packages::Package;
use crate::untrusted::shown;

/// The modules of a lock. A file `go.mod` alone is a part of its module.
pub(super) fn resolved(modules: &[modules::Module]) -> impl Iterator<Item = ResourceDescriptor> {
    modules.iter().map(|one| {
        let mut digest = sha256(&one.sha256);
        // In hex, as all digests of provenance (in-toto attestation framework, "DigestSet").
        digest.insert("dirHash".to_owned(), one.h1.hex());
        let part = match one.version.part() {
            Part::Archive => "",
            Part::Manifest => "#go.mod",
        };
        let purl = module_purl(one.name.as_str(), one.version.number());
        ResourceDescriptor {
            uri: Some(format!("{purl}{part}")),
            digest,
            name: None,
        }
    })
}

/// The package URL of the module of the first program.
pub(super) fn application(description: &Description<'_>) -> Option<String> {
    let main = description
        .modules
        .values()
        .find_map(|info| info.main.as_ref())?;
    add_module(&mut Sbom::new(), main, description).ok()
}

/// Adds the modules that programs say that they were made of, and Go's standard library.
///
/// # Errors
/// The lock does not name a module of a program.
pub(super) fn add(sbom: &mut Sbom, description: &Description<'_>) -> Result<(), Hinted> {
    for info in description.modules.values() {
        let main = match &info.main {
            Some(main) => Some(add_module(sbom, main, description)?),
            None => None,
        };
        let mut used = vec![add_standard(sbom, info, description)?];
        for one in &info.dependencies {
            used.push(add_module(sbom, one, description)?);
        }
        if let Some(main) = &main {
            used.iter().for_each(|used| sbom.add_dependency(main, used));
        }
    }
    Ok(())
}

/// Adds the standard library of the toolchain. Returns its package URL.
fn add_standard(
    sbom: &mut Sbom,
    info: &BuildInfo,
    description: &Description<'_>,
) -> Result<String, Hinted> {
    let go = info.go.trim_start_matches("go");
    // Experiments follow the version.
    let go = go.split([' ', '-']).next().unwrap_or_default();
    let lock = description.lock;
    let toolchain = go::toolchain(&lock.modules, go).map(|toolchain| toolchain.sha256);
    if toolchain.is_none() && description.source.go.is_some() {
        return Err(absent(&format!("the standard library of Go {go}")));
    }
    sbom.add_standard_library(go, toolchain.or_else(|| of_command(go, &lock.packages)));
    Ok(module_purl(STANDARD_LIBRARY, go))
}

/// The digest of what has the standard library that a command used: Debian's package of the source of this version of Go. It is not
/// known of a program that was linked by another Go, such as one in an archive.
fn of_command(go: &str, packages: &[Package]) -> Option<Digest> {
    let language: Vec<_> = go.splitn(3, '.').take(2).collect();
    let name = format!("golang-{}-src", language.join("."));
    let is_same = |package: &&Package| {
        let upstream = package.version.split(['-', '~', '+']).next();
        package.name == name && upstream == Some(go)
    };
    Some(packages.iter().find(is_same)?.sha256)
}

/// Adds a module. Returns its package URL.
fn add_module(
    sbom: &mut Sbom,
    module: &Module,
    description: &Description<'_>,
) -> Result<String, Hinted> {
    let source = description.source;
    if let Some(own) = own(module, source) {
        let folder = own.folder.to_string_lossy();
        sbom.add_own_module(own.name, own.version, &folder, source.tree);
        return Ok(own_module_purl(own.name, own.version, &folder));
    }
    let actual = module.actual();
    let locked = description.lock.modules.iter().find(|locked| {
        let is_archive = locked.version.part() == Part::Archive;
        is_archive
            && locked.name.as_str() == actual.path
            && locked.version.number() == actual.version
    });
    let named = format!("module {} {}", actual.path, actual.version);
    let locked = locked.filter(|locked| locked.h1.to_string() == actual.sum);
    let locked = locked.ok_or_else(|| absent(&named))?;
    sbom.add_module(&actual.path, &actual.version, locked.sha256);
    Ok(module_purl(&actual.path, &actual.version))
}

/// A module whose code is in the source.
#[derive(Debug, Eq, PartialEq)]
struct Own<'a> {
    name: &'a str,
    version: &'a str,
    folder: PathBuf,
}

/// The module as the bill of materials names it, if its code is in the source: that which is linked, and not the one that it
/// replaces. A folder has the name by which it is imported, and the version of the source.
fn own<'a>(module: &'a Module, source: &'a Source) -> Option<Own<'a>> {
    let folder = match &source.go {
        Some(go) => folder(module, go)?,
        None => copied(module, source),
    };
    let actual = module.actual();
    let (name, version) = match actual.is_folder() {
        true => (&module.path, &source.commit),
        false => (&actual.path, &actual.version),
    };
    Some(Own {
        name,
        version,
        folder,
    })
}

/// The folder of the source that has the code of a module, if it is in the source.
fn folder(module: &Module, go: &GoModules) -> Option<PathBuf> {
    let root = go
        .workspace
        .as_deref()
        .or(go.modules.first().map(|own| own.folder.as_path()))?;
    match (
        &module.replacement,
        module.actual().is_folder(),
        go.dependencies,
    ) {
        (Some(replacement), true, _) => plain(&root.join(&replacement.path)),
        (None, true, _) => {
            let own = go.modules.iter().find(|own| own.name == module.path);
            own.or(go.modules.first()).map(|own| own.folder.clone())
        }
        (_, false, Dependencies::Vendored) => vendored(root, module),
        (_, false, Dependencies::Proxies) => None,
    }
}

/// The folder of the source that has the code of a module which a command compiled. A command has no modules but those of its inputs.
fn copied(module: &Module, source: &Source) -> PathBuf {
    let vendored = vendored(&source.directory, module);
    let vendored = vendored.filter(|folder| source.staged.join(folder).is_dir());
    vendored.unwrap_or_else(|| source.directory.clone())
}

/// The folder of a vendored module below `root`; `None` if a program has a name for it that no module can have.
fn vendored(root: &Path, module: &Module) -> Option<PathBuf> {
    let name: ModuleName = module.path.parse().ok()?;
    Some(root.join("vendor").join(name.as_str()))
}

/// The path without `.` and `..`; `None` if it leads out of the source.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::CurDir => {}
            Component::Normal(name) => plain.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

fn absent(what: &str) -> Hinted {
    let what = shown(what);
    Hinted::new(format_args!(
        "describing image: the program contains {what}, which is not in Image.lock"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::git::GoModule;

    fn module(path: &str, version: &str, replacement: Option<Module>) -> Module {
        Module {
            path: path.to_owned(),
            version: version.to_owned(),
            sum: String::new(),
            replacement: replacement.map(Box::new),
        }
    }

    #[test]
    fn modules_of_the_source_have_folders() {
        let own = |folder: &str, name: &str| GoModule {
            folder: folder.into(),
            name: name.to_owned(),
        };
        let mut go = GoModules {
            workspace: None,
            modules: vec![own("app", "example.org/app"), own("lib", "example.org/lib")],
            dependencies: Dependencies::Proxies,
        };
        let of = |module: &Module, go: &GoModules| {
            folder(module, go).map(|folder| folder.to_string_lossy().into_owned())
        };
        let main = module("example.org/app", "(devel)", None);
        let other = module("example.org/lib", "(devel)", None);
        let replaced = module(
            "example.org/x",
            "v1.0.0",
            Some(module("../x/./y", "(devel)", None)),
        );
        for path in ["../../../x", "/etc", "a/../../../x"] {
            let other = Some(module(path, "(devel)", None));
            assert_eq!(of(&module("example.org/x", "v1.0.0", other), &go), None);
        }
        let fetched = module("example.org/a", "v1.0.0", None);
        assert_eq!(of(&main, &go).as_deref(), Some("app"));
        assert_eq!(of(&other, &go).as_deref(), Some("lib"));
        assert_eq!(of(&replaced, &go).as_deref(), Some("x/y"));
        assert_eq!(of(&fetched, &go), None);
        go.dependencies = Dependencies::Vendored;
        assert_eq!(
            of(&fetched, &go).as_deref(),
            Some("app/vendor/example.org/a")
        );
        for path in ["/etc", "../../etc", "a/../../../../etc"] {
            assert_eq!(of(&module(path, "v1.0.0", None), &go), None);
        }
    }

    #[test]
    fn the_standard_library_has_the_digest_of_its_package_or_none() {
        let mut package = crate::lock::tests::lock().packages[0].clone();
        package.name = "golang-1.24-src".to_owned();
        package.version = "1.24.4-1~bpo12+1".to_owned();
        let packages = [package];
        assert_eq!(of_command("1.24.4", &packages), Some(packages[0].sha256));
        for other in ["1.24.5", "1.24", "1.23.4"] {
            assert_eq!(of_command(other, &packages), None, "{other}");
        }
        assert_eq!(of_command("1.24.4", &[]), None);
    }

    #[test]
    fn modules_of_a_command_are_of_the_source() {
        let staged = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(staged.path().join("app/vendor/example.org/c")).unwrap();
        let source = Source {
            commit: "0a0a".to_owned(),
            time: 0,
            tree: Digest::of(b""),
            staged: staged.path().to_owned(),
            directory: "app".into(),
            cargo: None,
            go: None,
            folders: [].into(),
            submodules: Vec::new(),
        };
        for (module, version, folder) in [
            (module("example.org/app", "(devel)", None), "0a0a", "app"),
            (
                module("example.org/c", "v1.0.0", None),
                "v1.0.0",
                "app/vendor/example.org/c",
            ),
            (
                module("../vendor/example.org/c", "v1.0.0", None),
                "v1.0.0",
                "app",
            ),
            (module("/tmp", "v1.0.0", None), "v1.0.0", "app"),
        ] {
            let found = own(&module, &source).unwrap();
            assert_eq!((found.version, found.folder), (version, folder.into()));
        }
    }

    #[test]
    fn a_vendored_module_has_the_name_of_what_is_linked() {
        let own_module = GoModule {
            folder: "app".into(),
            name: "example.org/app".to_owned(),
        };
        let source = Source {
            commit: "0a0a".to_owned(),
            time: 0,
            tree: Digest::of(b""),
            staged: "/nowhere".into(),
            directory: "app".into(),
            cargo: None,
            go: Some(GoModules {
                workspace: None,
                modules: vec![own_module],
                dependencies: Dependencies::Vendored,
            }),
            folders: [].into(),
            submodules: Vec::new(),
        };
        let c = |replacement| module("example.org/c", "v1.0.0", Some(replacement));
        for (replaced, name, version, folder) in [
            (
                c(module("example.org/d", "v2.0.0", None)),
                "example.org/d",
                "v2.0.0",
                "app/vendor/example.org/c",
            ),
            (c(module("./d", "", None)), "example.org/c", "0a0a", "app/d"),
        ] {
            let folder = folder.into();
            let expected = Own {
                name,
                version,
                folder,
            };
            assert_eq!(own(&replaced, &source), Some(expected));
        }
    }
}
