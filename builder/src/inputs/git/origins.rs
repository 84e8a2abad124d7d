//! The origins of the crates in a manifest. The public registry, folders of the source and git repositories are allowed, whose
//! commits `Cargo.lock` names. Other registries are refused before any request: their owners could change the crates.

use super::error::{SourceError, reading};
use crate::inputs::cargo::ELSEWHERE as HINT;
use crate::untrusted::shown;

/// Tables of dependencies, with their old names (The Cargo Book, "Specifying Dependencies").
pub(super) const KINDS: [&str; 5] = [
    "dependencies",
    "dev-dependencies",
    "dev_dependencies",
    "build-dependencies",
    "build_dependencies",
];
/// Keys of a dependency from another registry.
const ELSEWHERE: [&str; 2] = ["registry", "registry-index"];
/// Cargo's name of the public registry in manifests.
const PUBLIC: &str = "crates-io";

/// Checks that no crate in a manifest comes from another registry.
///
/// # Errors
/// A crate comes from another registry.
pub(super) fn refuse(manifest: &str, table: &toml::Table) -> Result<(), SourceError> {
    let mut found = Vec::new();
    for (name, dependency) in dependencies(table) {
        for key in ELSEWHERE {
            let Some(value) = dependency.get(key) else {
                continue;
            };
            if key == "registry" && value.as_str() == Some(PUBLIC) {
                continue;
            }
            let value = shown(&format!("{key} = {value}"));
            found.push(format!("{} ({value})", shown(name)));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let elsewhere = reading(format_args!(
        "{} uses crates from another registry: {}",
        shown(manifest),
        found.join(", ")
    ));
    Err(SourceError::Refused(elsewhere.hinting(HINT)))
}

/// All dependencies of any kind, for any target, and their replacements.
fn dependencies(manifest: &toml::Table) -> impl Iterator<Item = (&str, &toml::Value)> {
    let tables = |name| {
        let table = manifest.get(name).and_then(toml::Value::as_table);
        table.into_iter().flat_map(toml::Table::values)
    };
    let targets = tables("target").filter_map(toml::Value::as_table);
    let workspace = manifest.get("workspace").and_then(toml::Value::as_table);
    let own = std::iter::once(manifest).chain(targets).chain(workspace);
    let kinds = own.flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)));
    // `[patch.REGISTRY]`, and `[replace]`, which is older.
    let others = tables("patch").chain(manifest.get("replace"));
    let all = kinds.chain(others).filter_map(toml::Value::as_table);
    all.flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Result<(), String> {
        let table = content::toml::parse(text).unwrap();
        refuse("a/Cargo.toml", &table).map_err(|error| error.to_string())
    }

    #[test]
    fn crates_of_the_public_registry_and_of_the_source_are_allowed() {
        for text in [
            "",
            "[dependencies]\na = '1'\nb = { version = '1', registry = 'crates-io' }\nc = { path = '../c' }",
            "[dependencies]\na.workspace = true\n[workspace.dependencies]\na = '1'",
            "[patch.crates-io]\na = { path = 'a' }\n[package]\npublish = ['own']",
            "[dependencies]\na = { git = 'https://source.example/x', tag = 'v1' }",
            // Crates may have the names of keys.
            "[dependencies]\ngit = '1'\nregistry = { version = '1' }",
        ] {
            assert_eq!(refused(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn all_crates_of_a_manifest_are_named() {
        let error = refused(
            "[dependencies]\na = { version = '1', registry = 'own' }\n[build-dependencies]\nb = { version = '1', registry = 'own' }",
        );
        let expected = "reading source: a/Cargo.toml uses crates from another registry: a (registry = \"own\"), b (registry = \"own\")";
        assert_eq!(error, Err(expected.to_owned()));
    }

    #[test]
    fn crates_of_other_registries_are_refused() {
        let origins = [
            "registry = 'own'",
            "registry-index = 'sparse+http://127.0.0.1:1/'",
            "registry = ['crates-io']",
        ];
        let tables = [
            "dependencies",
            "dev-dependencies",
            "dev_dependencies",
            "build-dependencies",
            "build_dependencies",
            "target.'cfg(windows)'.dependencies",
            "target.x86_64-unknown-linux-gnu.build-dependencies",
            "workspace.dependencies",
            "patch.crates-io",
            "patch.'https://source.example/y'",
            "replace",
        ];
        for origin in origins {
            for table in tables {
                let error = refused(&format!("[{table}]\n'x:1.0.0' = {{ {origin} }}")).unwrap_err();
                let expected = "reading source: a/Cargo.toml uses crates from another registry: x:1.0.0 (registry";
                assert!(error.starts_with(expected), "{error}");
            }
        }
    }
}
