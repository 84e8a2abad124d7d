//! The programs of a module of Go in a directory, for which there is no `Image.toml` yet.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use content::limits;

use super::manifest::Manifest;
use crate::at::{self, At};
use crate::error::Error;
use console::hint::Hinted;

const MODULE: &str = "go.mod";
/// How many folders deep programs are looked for.
const DEPTH: usize = 6;
/// How many folders and files are looked at.
const ENTRIES: usize = 20_000;
/// How much of a file is read: its package clause follows comments only.
const HEAD: u64 = 1 << 16;

/// What a module has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Module {
    /// The path of the module.
    pub path: String,
    /// Whether `go.mod` names a Go whose releases are modules.
    pub has_toolchain: bool,
    /// The folders with programs, as arguments of `go build`: `.` and `./cmd/server`.
    pub programs: Vec<String>,
}

impl Module {
    /// The name that Go gives to the program in a folder: the last part of its import path that is not a version.
    pub fn binary(&self, program: &str) -> String {
        let folder = program.trim_start_matches('.');
        let path = format!("{}{folder}", self.path);
        let is_version = |part: &str| {
            let number = part.strip_prefix('v').unwrap_or_default();
            !number.is_empty() && number != "1" && number.bytes().all(|b| b.is_ascii_digit())
        };
        let mut parts = path.rsplit('/');
        let last = parts.next().unwrap_or_default();
        let name = match (is_version(last), parts.next()) {
            (true, Some(before)) => before,
            _ => last,
        };
        name.to_owned()
    }
}

/// The module of the `go.mod` in `directory`; `None` if there is none.
///
/// # Errors
/// A file or folder cannot be read, or `go.mod` is invalid.
pub fn module(directory: &Path) -> Result<Option<Module>, Error> {
    let path = directory.join(MODULE);
    let bytes = match at::read(&path, limits::DOCUMENT) {
        Err(At { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let manifest = Manifest::parse(&bytes);
    let manifest = manifest
        .map_err(|fault| Hinted::new(format_args!("parsing {}: {fault}", path.display())))?;
    let mut programs = Vec::new();
    let mut left = ENTRIES;
    find(directory, ".", DEPTH, &mut left, &mut programs)?;
    programs.sort();
    let named = manifest.toolchain.or(manifest.go);
    Ok(Some(Module {
        path: manifest.module.unwrap_or_default(),
        has_toolchain: named.is_some_and(|version| version.release().is_some()),
        programs,
    }))
}

/// Adds the folders with programs at and below `folder`. Go ignores folders that begin with `.` or `_`, `testdata`, and other
/// modules.
fn find(
    folder: &Path,
    name: &str,
    depth: usize,
    left: &mut usize,
    programs: &mut Vec<String>,
) -> Result<(), Error> {
    let mut is_program = false;
    for entry in fs::read_dir(folder).map_err(At::reading(folder))? {
        let Some(rest) = left.checked_sub(1) else {
            return Ok(());
        };
        *left = rest;
        let entry = entry.map_err(At::reading(folder))?;
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let kind = entry.file_type().map_err(At::reading(&entry.path()))?;
        let is_ignored = file.starts_with(['.', '_']);
        if kind.is_dir() && depth > 0 && !is_ignored && !is_foreign(&entry.path(), &file) {
            find(
                &entry.path(),
                &format!("{name}/{file}"),
                depth - 1,
                left,
                programs,
            )?;
        }
        let is_source = file.ends_with(".go") && !file.ends_with("_test.go") && !is_ignored;
        if kind.is_file() && is_source && !is_program {
            is_program = is_main(&entry.path())?;
        }
    }
    if is_program {
        programs.push(name.to_owned());
    }
    Ok(())
}

fn is_foreign(path: &Path, name: &str) -> bool {
    matches!(name, "vendor" | "testdata") || path.join(MODULE).is_file()
}

/// Whether a file is part of a program: its package is `main`, and no line excludes it from builds.
fn is_main(path: &Path) -> Result<bool, Error> {
    let file = fs::File::open(path).map_err(At::reading(path))?;
    let mut head = Vec::new();
    file.take(HEAD)
        .read_to_end(&mut head)
        .map_err(At::reading(path))?;
    let head = String::from_utf8_lossy(&head);
    let lines = head.lines().map(str::trim_end);
    let mut before = lines
        .clone()
        .take_while(|line| !line.starts_with("package "));
    let is_ignored = before.any(|line| line == "//go:build ignore" || line == "// +build ignore");
    let package = lines.into_iter().find(|line| line.starts_with("package "));
    let name = package.and_then(|line| line.split_whitespace().nth(1));
    Ok(name == Some("main") && !is_ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<Module> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        module(folder.path()).unwrap()
    }

    const MAIN: &str = "// A comment.\n\npackage main // here\n";

    #[test]
    fn programs_are_found_where_go_finds_them() {
        assert_eq!(found(&[("main.go", MAIN)]), None);
        let module = found(&[
            ("go.mod", "module example.org/app/v2\n\ngo 1.21\n"),
            ("main.go", MAIN),
            ("cmd/tool/tool.go", MAIN),
            ("cmd/tool/tool_test.go", MAIN),
            ("internal/lib/lib.go", "package lib\n"),
            ("scripts/gen.go", "//go:build ignore\n\npackage main\n"),
            ("testdata/x/x.go", MAIN),
            ("vendor/y/y.go", MAIN),
            ("other/go.mod", "module example.org/other\n"),
            ("other/main.go", MAIN),
        ]);
        let module = module.unwrap();
        assert_eq!(module.programs, [".", "./cmd/tool"]);
        assert!(module.has_toolchain);
        assert_eq!(module.binary("."), "app");
        assert_eq!(module.binary("./cmd/tool"), "tool");
    }

    #[test]
    fn an_old_go_has_no_toolchain() {
        for text in ["module a\n\ngo 1.19\n", "module a\n"] {
            assert!(!found(&[("go.mod", text)]).unwrap().has_toolchain);
        }
    }
}
