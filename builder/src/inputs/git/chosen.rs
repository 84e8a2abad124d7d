//! The package that `Image.toml` names, as its manifests describe it. What cargo would refuse only when it compiles is
//! found here, before anything is fetched, and by reading alone: cargo itself would obey what the source configures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use toml::{Table, Value};

use super::error::SourceError;
use super::manifest::{Manifest, Manifests};
use super::manifests::Files;
use super::path::{SourcePath, join};
use super::workspace;
use crate::spec::cargo::{CargoSpec, Profile};
use crate::untrusted::shown;

/// What was found about a package.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// What is wrong, each with what to write.
    pub faults: Vec<String>,
    /// The version of Rust that the package needs, if it says so.
    pub rust_version: Option<String>,
}

/// Checks the names in `Image.toml` against the manifest in the folder `home` and its workspace. `binaries` are those that are
/// compiled.
///
/// # Errors
/// A manifest cannot be read or parsed.
pub(super) fn choose(
    home: &str,
    spec: &CargoSpec,
    binaries: &BTreeSet<&str>,
    manifests: &mut Manifests<'_>,
) -> Result<Chosen, SourceError> {
    let around = workspace::around(home, manifests)?;
    let root = match &around {
        Some(workspace) => manifests.expect(&workspace.root)?,
        None => manifests.expect(home)?,
    };
    let members = around.map_or_else(|| [home.to_owned()].into(), |around| around.members);
    let mut packages = BTreeMap::new();
    for folder in members {
        let manifest = manifests.expect(&folder)?;
        if let Some(name) = manifest.name() {
            packages.insert(name.to_owned(), (folder, manifest));
        }
    }
    let mut chosen = Chosen::default();
    chosen.check_profile(spec, &root);
    let Some((folder, manifest)) = packages.get(&spec.package) else {
        let names = packages.keys().map(String::as_str);
        chosen.fault(
            "package",
            &spec.package,
            "the workspace has no such package",
            names,
        );
        return Ok(chosen);
    };
    chosen.rust_version = manifest.rust_version(&root);
    let features = features(manifest);
    for feature in &spec.features {
        // Others belong to dependencies.
        if !feature.contains('/') && !features.contains_key(feature.as_str()) {
            let names = features.keys().copied();
            let none = format!("package {} has no such feature", shown(&spec.package));
            chosen.fault("features", feature, &none, names);
        }
    }
    let built = self::binaries(folder, manifest, manifests)?;
    let enabled = enabled(spec, &features);
    for binary in binaries {
        chosen.check_binary(binary, spec, &built, &enabled);
    }
    Ok(chosen)
}

impl Chosen {
    fn fault<'a>(
        &mut self,
        entry: &str,
        found: &str,
        fault: &str,
        names: impl Iterator<Item = &'a str>,
    ) {
        let names: Vec<_> = names.map(|name| format!("\"{}\"", shown(name))).collect();
        let others = match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("write one of {}", names.join(", ")),
        };
        self.faults
            .push(format!("{entry} = \"{}\": {fault}: {others}", shown(found)));
    }

    fn check_profile(&mut self, spec: &CargoSpec, root: &Manifest) {
        let own = root.profiles();
        let name = spec.profile.as_str();
        if !Profile::BUILT_IN.contains(&name) && !own.contains(&name) {
            let own = own
                .into_iter()
                .filter(|own| !Profile::BUILT_IN.contains(own));
            let names = Profile::BUILT_IN.into_iter().chain(own);
            let none = "Cargo.toml of the workspace has no such profile";
            self.fault("profile", name, none, names);
        }
    }

    fn check_binary(
        &mut self,
        name: &str,
        spec: &CargoSpec,
        built: &BTreeMap<String, Vec<String>>,
        enabled: &BTreeSet<&str>,
    ) {
        let package = shown(&spec.package);
        let Some(required) = built.get(name) else {
            let names = built.keys().map(String::as_str);
            let none = format!("package {package} has no such binary");
            return self.fault("binary", name, &none, names);
        };
        let missing: Vec<_> = required
            .iter()
            .filter(|feature| !feature.contains('/') && !enabled.contains(feature.as_str()))
            .map(|feature| format!("\"{}\"", shown(feature)))
            .collect();
        if !missing.is_empty() {
            let (name, missing) = (shown(name), missing.join(", "));
            self.faults.push(format!(
                "binary = \"{name}\": it needs more features: write features = [{missing}] in [build]"
            ));
        }
    }
}

/// The features of a package, with what each enables: those that it lists, and its optional dependencies that no feature
/// names with `dep:` (The Cargo Book, "Features").
fn features(manifest: &Manifest) -> BTreeMap<&str, Vec<&str>> {
    let listed = manifest.table("features").into_iter().flatten();
    let mut features: BTreeMap<&str, Vec<&str>> = listed
        .map(|(name, enables)| {
            let enables = enables.as_array().into_iter().flatten();
            (name.as_str(), enables.filter_map(Value::as_str).collect())
        })
        .collect();
    let hidden: BTreeSet<_> = features
        .values()
        .flatten()
        .filter_map(|enabled| enabled.strip_prefix("dep:"))
        .collect();
    let optional = manifest.optional_dependencies();
    let implicit = optional.into_iter().filter(|name| !hidden.contains(name));
    let implicit: Vec<_> = implicit.collect();
    for name in implicit {
        features.entry(name).or_default();
    }
    features.entry("default").or_default();
    features
}

/// The features that are enabled.
fn enabled<'a>(
    spec: &'a CargoSpec,
    features: &BTreeMap<&'a str, Vec<&'a str>>,
) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = spec.features.iter().map(String::as_str).collect();
    if spec.default_features {
        open.push("default");
    }
    let mut enabled = BTreeSet::new();
    while let Some(feature) = open.pop() {
        if enabled.insert(feature) {
            open.extend(features.get(feature).into_iter().flatten());
        }
    }
    enabled
}

/// The binaries of a package, with the features that each requires (The Cargo Book, "Cargo Targets").
pub(super) fn binaries(
    folder: &str,
    manifest: &Rc<Manifest>,
    manifests: &mut Manifests<'_>,
) -> Result<BTreeMap<String, Vec<String>>, SourceError> {
    let mut unlisted = match manifest.finds_binaries() {
        true => unlisted(folder, manifest, manifests.files())?,
        false => BTreeMap::new(),
    };
    let mut found = BTreeMap::new();
    for program in manifest.programs() {
        let text = |key: &str| program.get(key).and_then(Value::as_str);
        // The same file is not also a binary with the name that the file would give it.
        if let Some(path) = text("path") {
            unlisted.remove(&Path::new("/").join(folder).join(path));
        }
        if let Some(name) = text("name") {
            let required = program.get("required-features").and_then(Value::as_array);
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            found.insert(name.to_owned(), required.map(str::to_owned).collect());
        }
    }
    for name in unlisted.into_values() {
        found.entry(name).or_default();
    }
    Ok(found)
}

/// The names of the binaries that cargo finds by the paths of their files, which are absolute, for the repository as the root.
fn unlisted(
    folder: &str,
    manifest: &Manifest,
    files: &mut dyn Files,
) -> Result<BTreeMap<PathBuf, String>, SourceError> {
    let source = join(folder, "src");
    let programs = join(&source, "bin");
    let mut found = BTreeMap::new();
    let mut add = |path: &str, name: &str| found.insert(Path::new("/").join(path), name.to_owned());
    let in_source = files.files_in(&source)?;
    if let (true, Some(name)) = (in_source.iter().any(|file| file == MAIN), manifest.name()) {
        add(&join(&source, MAIN), name);
    }
    for file in files.files_in(&programs)? {
        if let Some(name) = file.strip_suffix(".rs") {
            add(&join(&programs, &file), name);
        }
    }
    for name in files.folders_in(&programs)? {
        let main = SourcePath::parse(&join(&join(&programs, &name), MAIN))?;
        if files.file(&main)?.is_some() {
            add(main.as_str(), &name);
        }
    }
    Ok(found)
}

/// The file of a binary that has no other name.
const MAIN: &str = "main.rs";

impl Manifest {
    fn table(&self, name: &str) -> Option<&Table> {
        self.document().get(name)?.as_table()
    }

    /// The name of the package.
    fn name(&self) -> Option<&str> {
        self.package()?.get("name")?.as_str()
    }

    /// The names of its profiles.
    fn profiles(&self) -> Vec<&str> {
        let profiles = self.table("profile").into_iter().flat_map(Table::keys);
        profiles.map(String::as_str).collect()
    }

    /// The `rust-version` of the package; `root` is the manifest that it inherits from.
    fn rust_version(&self, root: &Self) -> Option<String> {
        let own = self.package()?.get("rust-version")?;
        let inherited = || {
            let workspace = root.table("workspace")?;
            workspace.get("package")?.get("rust-version")?.as_str()
        };
        own.as_str().or_else(inherited).map(str::to_owned)
    }

    /// The names of its optional dependencies.
    fn optional_dependencies(&self) -> Vec<&str> {
        let all = self.dependency_tables().into_iter().flatten();
        let is_optional =
            |value: &Value| value.get("optional").and_then(Value::as_bool) == Some(true);
        let optional = all.filter(|(_, value)| is_optional(value));
        optional.map(|(name, _)| name.as_str()).collect()
    }

    /// Whether files of the folders of binaries are binaries without being listed.
    fn finds_binaries(&self) -> bool {
        let named = self
            .package()
            .and_then(|package| package.get("autobins")?.as_bool());
        named.unwrap_or(true)
    }

    /// The tables of binaries.
    fn programs(&self) -> Vec<&Table> {
        let programs = self.document().get("bin").and_then(Value::as_array);
        let programs = programs.into_iter().flatten();
        programs.filter_map(Value::as_table).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::manifests::WorkingTree;
    use super::*;

    fn faults(files: &[(&str, &str)], home: &str, spec: &str, binaries: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let spec: CargoSpec = content::toml::parse(spec).unwrap();
        let mut files = WorkingTree(folder.path().to_owned());
        let mut manifests = Manifests::of(&mut files);
        let binaries = binaries.iter().copied().collect();
        choose(home, &spec, &binaries, &mut manifests)
            .unwrap()
            .faults
    }

    const FILES: [(&str, &str); 6] = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = ['crates/*']\n[profile.release]\n[profile.small]\ninherits = 'release'\n[workspace.package]\nrust-version = '1.90'",
        ),
        (
            "crates/ripgrep/Cargo.toml",
            "[package]\nname = 'ripgrep'\nrust-version.workspace = true\n[[bin]]\nname = 'rg'\npath = 'main.rs'\n\
             [[bin]]\nname = 'extra'\nrequired-features = ['pcre2']\n[features]\npcre2 = ['dep:grep']\n\
             [dependencies]\ngrep = { version = '1', optional = true }\nlog = { version = '1', optional = true }",
        ),
        ("crates/ripgrep/src/bin/one.rs", ""),
        ("crates/ripgrep/src/bin/two/main.rs", ""),
        ("crates/ripgrep/src/bin/data/text", ""),
        (
            "crates/own/Cargo.toml",
            "[package]\nname = 'own'\nautobins = false",
        ),
    ];

    #[test]
    fn what_exists_is_right() {
        let spec = "package = 'ripgrep'\nfeatures = ['pcre2', 'log', 'x/y']\nprofile = 'small'";
        for home in ["", "crates/own"] {
            let none = faults(&FILES, home, spec, &["rg", "extra", "one", "two"]);
            assert!(none.is_empty(), "{none:?}");
        }
    }

    #[test]
    fn all_faults_are_found_at_once_with_what_to_write() {
        let spec = "package = 'ripgrep'\nfeatures = ['grep', 'none']\nprofile = 'tiny'";
        assert_eq!(
            faults(&FILES, "", spec, &["ripgrep", "extra", "data"]),
            [
                "profile = \"tiny\": Cargo.toml of the workspace has no such profile: write one of \"dev\", \"release\", \
                 \"test\", \"bench\", \"small\"",
                "features = \"grep\": package ripgrep has no such feature: write one of \"default\", \"log\", \"pcre2\"",
                "features = \"none\": package ripgrep has no such feature: write one of \"default\", \"log\", \"pcre2\"",
                "binary = \"data\": package ripgrep has no such binary: write one of \"extra\", \"one\", \"rg\", \"two\"",
                "binary = \"extra\": it needs more features: write features = [\"pcre2\"] in [build]",
                "binary = \"ripgrep\": package ripgrep has no such binary: write one of \"extra\", \"one\", \"rg\", \"two\"",
            ]
        );
        assert_eq!(
            faults(&FILES, "", "package = 'rg'", &["rg"]),
            [
                "package = \"rg\": the workspace has no such package: write one of \"own\", \"ripgrep\""
            ]
        );
        assert_eq!(
            faults(&FILES, "", "package = 'own'", &["own"]),
            ["binary = \"own\": package own has no such binary: it has none"]
        );
    }
}
