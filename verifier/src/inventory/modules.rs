//! The modules of Go in programs, compared with the components of a bill of materials.

use std::collections::BTreeSet;

use attest::sbom::STANDARD_LIBRARY;
use sbom::{BuildInfo, Component, Document, Module};

use crate::contents::Program;

/// The modules of all programs, with their paths in small letters, as package URLs have them.
pub(super) struct Modules {
    /// Modules with a version.
    versions: BTreeSet<(String, String)>,
    /// Modules whose code is in a folder: a program does not say of which version it is.
    folders: BTreeSet<String>,
}

/// The modules of these programs.
pub(super) fn linked<'a>(programs: impl Iterator<Item = &'a Program>) -> Modules {
    let mut modules = Modules {
        versions: BTreeSet::new(),
        folders: BTreeSet::new(),
    };
    for program in programs {
        if let Program::Go(info) = program {
            let go = info.go.trim_start_matches("go");
            // Experiments follow the version.
            let go = go.split([' ', '-']).next().unwrap_or_default();
            modules
                .versions
                .insert((STANDARD_LIBRARY.to_owned(), go.to_owned()));
            all(info).for_each(|module| modules.add(module));
        }
    }
    modules
}

impl Modules {
    fn add(&mut self, module: &Module) {
        let actual = module.actual();
        if !actual.is_folder() {
            // The one that is linked, and not the one that it replaces.
            self.versions.insert(key(actual));
            return;
        }
        for one in [module, actual] {
            self.folders.insert(one.path.to_ascii_lowercase());
        }
    }

    /// Whether a component is one of them.
    pub(super) fn has(&self, component: &Component) -> bool {
        let Some((name, version)) = component.named_module() else {
            return false;
        };
        self.folders.contains(&name) || self.versions.contains(&(name, version))
    }
}

/// The modules of a program that are no components, with their versions.
pub(super) fn unlisted(info: &BuildInfo, document: &Document) -> Vec<String> {
    let components = document.subject.iter().chain(&document.components);
    let listed: BTreeSet<_> = components.filter_map(Component::named_module).collect();
    let is_listed = |module: &Module| {
        let is_version = || listed.contains(&key(module.actual()));
        let name = module.path.to_ascii_lowercase();
        let is_name = || listed.iter().any(|(listed, _)| *listed == name);
        match module.actual().is_folder() {
            true => is_name(),
            false => is_version(),
        }
    };
    let unlisted = all(info).filter(|module| !is_listed(module));
    unlisted
        .map(|module| {
            let actual = module.actual();
            format!("{} {}", actual.path, actual.version)
        })
        .collect()
}

fn all(info: &BuildInfo) -> impl Iterator<Item = &Module> {
    info.main.iter().chain(&info.dependencies)
}

fn key(module: &Module) -> (String, String) {
    (module.path.to_ascii_lowercase(), module.version.clone())
}

/// The module that the package URL of a component names, if it differs from the component's name and version. Some programs
/// write the last part of the path as the name, and the version without `v`.
pub(super) fn misnamed(component: &Component) -> Option<String> {
    let (path, version) = component.named_module()?;
    let name = component.name.to_ascii_lowercase();
    let is_name = path == name
        || path
            .strip_suffix(&name)
            .is_some_and(|rest| rest.ends_with('/'));
    let found = component.version.as_deref().unwrap_or_default();
    let plain = |version: &str| version.strip_prefix('v').unwrap_or(version).to_owned();
    (!is_name || plain(found) != plain(&version)).then(|| format!("{path} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sbom::Format;

    fn module(path: &str, version: &str, replacement: Option<Module>) -> Module {
        Module {
            path: path.to_owned(),
            version: version.to_owned(),
            sum: String::new(),
            replacement: replacement.map(Box::new),
        }
    }

    fn info() -> BuildInfo {
        BuildInfo {
            go: "go1.26.0 X:nodwarf5".to_owned(),
            path: "example.org/App/cmd".to_owned(),
            main: Some(module("example.org/App", "(devel)", None)),
            dependencies: vec![
                module("example.org/a", "v1.0.0", None),
                module(
                    "example.org/b",
                    "v1.0.0",
                    Some(module("./b", "(devel)", None)),
                ),
                module(
                    "example.org/c",
                    "v1.0.0",
                    Some(module("example.org/d", "v2.0.0", None)),
                ),
            ],
            has_cgo: false,
        }
    }

    fn component(purl: &str) -> Component {
        let (name, version) = purl.split_once('@').unwrap();
        Component {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            purls: [format!("pkg:golang/{purl}")].into(),
            ..Component::default()
        }
    }

    fn document(purls: &[&str]) -> Document {
        Document {
            format: Format::CycloneDxJson,
            version: "1.5".to_owned(),
            link: None,
            subject: None,
            components: purls.iter().map(|purl| component(purl)).collect(),
            relations: Vec::new(),
        }
    }

    const ALL: [&str; 4] = [
        "example.org/app@0a0a",
        "example.org/a@v1.0.0",
        "example.org/b@0a0a",
        "example.org/d@v2.0.0",
    ];

    #[test]
    fn each_module_of_a_program_is_listed() {
        assert_eq!(unlisted(&info(), &document(&ALL)), Vec::<String>::new());
        for (left_out, named) in ALL.iter().zip([
            "example.org/App (devel)",
            "example.org/a v1.0.0",
            "./b (devel)",
            "example.org/d v2.0.0",
        ]) {
            let rest: Vec<_> = ALL
                .iter()
                .copied()
                .filter(|purl| purl != left_out)
                .collect();
            assert_eq!(unlisted(&info(), &document(&rest)), [named]);
        }
        let other = document(&["example.org/a@v1.0.1"]);
        assert_eq!(unlisted(&info(), &other).len(), 4);
    }

    #[test]
    fn a_component_is_a_module_of_a_program() {
        let program = Program::Go(info());
        let modules = linked([&program].into_iter());
        for purl in ALL.into_iter().chain(["stdlib@1.26.0"]) {
            assert!(modules.has(&component(purl)), "{purl}");
        }
        for purl in [
            "example.org/a@v1.0.1",
            "example.org/e@v1.0.0",
            "stdlib@1.25.0",
        ] {
            assert!(!modules.has(&component(purl)), "{purl}");
        }
    }

    #[test]
    fn a_url_names_its_component() {
        let named = |name: &str, version: &str| Component {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            ..component("github.com/azure/x@v1.0.0")
        };
        for (name, version, is_right) in [
            ("github.com/Azure/x", "v1.0.0", true),
            ("x", "1.0.0", true),
            ("azure/x", "v1.0.0", true),
            ("e/x", "v1.0.0", false),
            ("zure/x", "v1.0.0", false),
            ("github.com/Azure/x", "v1.0.1", false),
        ] {
            assert_eq!(
                misnamed(&named(name, version)).is_none(),
                is_right,
                "{name}"
            );
        }
    }
}
