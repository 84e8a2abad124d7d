//! The list of crates in a program, in the form of `cargo auditable` (cargo-auditable, PARSING.md): JSON, compressed with zlib,
//! in the section `.dep-v0`. It is added after the link: then no build script, macro or linker takes part in it, and a program
//! that brings a list of its own is refused.

use std::fs;
use std::path::Path;

use console::hint::Hinted;
use content::json;
use elf::Fault;
use serde::Serialize;

use crate::at::At;
use crate::compile::error::CompileError;
use crate::compile::program::{CrateOrigin, Linked, is_root};
use crate::compile::zlib;

const SECTION: &str = ".dep-v0";

#[derive(Serialize)]
struct List<'a> {
    packages: Vec<Package<'a>>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    source: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<usize>,
    #[serde(skip_serializing_if = "is_dependency")]
    root: bool,
}

fn is_dependency(root: &bool) -> bool {
    !root
}

/// Adds the list to the program in a file.
///
/// # Errors
/// The program has such a section already, or is not in the expected form of ELF, or the file cannot be read or written.
pub(super) fn add(path: &Path, linked: &[Linked]) -> Result<(), CompileError> {
    let mut program = fs::read(path).map_err(At::reading(path))?;
    let list = list(linked).map_err(|error| Hinted::doing("listing crates", error))?;
    elf::add_section(&mut program, SECTION, &zlib::stored(&list)).map_err(|fault| {
        CompileError::refused(
            format_args!("adding section {SECTION} to the program: {fault}"),
            match fault {
                Fault::Present => "no crate may define a section of this name: the builder writes the list of crates",
                Fault::Unreadable => "see `target` in Image.toml: the program must be one for x86-64 Linux",
            },
        )
    })?;
    Ok(fs::write(path, program).map_err(At::writing(path))?)
}

/// The list, in the order of `linked`.
fn list(linked: &[Linked]) -> Result<Vec<u8>, json::JsonError> {
    let packages = linked.iter().enumerate().map(|(index, one)| Package {
        name: one.name.as_str(),
        version: one.version.as_str(),
        source: match &one.origin {
            CrateOrigin::Source(_) => "local",
            CrateOrigin::Git(..) => "git",
            CrateOrigin::Registry => "crates.io",
        },
        dependencies: one.dependencies.clone(),
        root: is_root(linked, index),
    });
    let packages = packages.collect();
    json::canonical(&List { packages })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked() -> Vec<Linked> {
        let one = |name: &str, folder: Option<&str>, dependencies: &[usize]| Linked {
            name: name.parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            origin: folder.map_or(CrateOrigin::Registry, |folder| {
                CrateOrigin::Source(folder.into())
            }),
            dependencies: dependencies.to_vec(),
        };
        vec![
            one("app", Some("app"), &[1, 2]),
            one("itoa", None, &[]),
            one("ring", None, &[1]),
        ]
    }

    #[test]
    fn other_programs_read_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::copy("/bin/true", &path).unwrap();
        add(&path, &linked()).unwrap();
        let crates = sbom::linked(&fs::read(&path).unwrap()).unwrap().unwrap();
        let crates: Vec<_> = crates.iter().map(ToString::to_string).collect();
        assert_eq!(crates, ["app 1.0.0", "itoa 1.0.0", "ring 1.0.0"]);
        let again = add(&path, &linked()).unwrap_err();
        assert!(again.is_refusal(), "{again}");
    }

    #[test]
    fn the_list_has_one_spelling() {
        let expected = concat!(
            r#"{"packages":[{"dependencies":[1,2],"name":"app","root":true,"source":"local","version":"1.0.0"},"#,
            r#"{"name":"itoa","source":"crates.io","version":"1.0.0"},"#,
            r#"{"dependencies":[1],"name":"ring","source":"crates.io","version":"1.0.0"}]}"#
        );
        assert_eq!(
            String::from_utf8(list(&linked()).unwrap()).unwrap(),
            expected
        );
    }
}
