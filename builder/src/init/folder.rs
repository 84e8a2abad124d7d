//! A program that an interpreter runs: in Python, or a script.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use console::hint::Hinted;

use super::found::{Build, Content, Found};
use crate::at::At;
use crate::error::Error;

/// Where the program is in the image.
const HOME: &str = "/app";
/// Names of the main file of a program in Python, the likeliest first.
const MAIN: [&str; 4] = ["main.py", "app.py", "server.py", "__main__.py"];
/// The largest number of entries of the directory.
const ENTRIES: usize = 10_000;
/// The longest first line of a script, in bytes.
const LINE: u64 = 256;
/// Folders that are not part of a program.
const OTHERS: [&str; 8] = [
    "build",
    "dist",
    "docs",
    "node_modules",
    "policies",
    "target",
    "tests",
    "venv",
];

/// An interpreter, by the name that the first line of a script has.
struct Interpreter {
    name: &'static str,
    path: &'static str,
    packages: &'static [&'static str],
}

const PYTHON: Interpreter = Interpreter {
    name: "python3",
    path: "/usr/bin/python3",
    packages: &["python3"],
};
const INTERPRETERS: [Interpreter; 5] = [
    Interpreter {
        name: "sh",
        path: "/usr/bin/dash",
        packages: &["dash", "coreutils"],
    },
    Interpreter {
        name: "bash",
        path: "/usr/bin/bash",
        packages: &["bash", "coreutils"],
    },
    PYTHON,
    Interpreter {
        name: "python",
        ..PYTHON
    },
    Interpreter {
        name: "perl",
        path: "/usr/bin/perl",
        packages: &["perl"],
    },
];

/// An entry of the directory.
struct Entry {
    name: String,
    is_folder: bool,
    is_executable: bool,
}

/// Finds a program.
pub(super) fn find(directory: &Path) -> Result<Option<Found>, Error> {
    let entries = entries(directory)?;
    match python(&entries) {
        Some(main) => Ok(Some(in_python(&entries, &main))),
        None => script(directory, &entries),
    }
}

fn entries(directory: &Path) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(At::reading(directory))? {
        if entries.len() == ENTRIES {
            let directory = directory.display();
            let many = format!("reading {directory}: more than {ENTRIES} entries");
            return Err(Hinted::new(many).into());
        }
        let entry = entry.map_err(At::reading(directory))?;
        let kind = entry.file_type().map_err(At::reading(&entry.path()))?;
        let mode = entry.metadata().map_err(At::reading(&entry.path()))?;
        // A name that is not text cannot be in Image.toml.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push(Entry {
                name,
                is_folder: kind.is_dir(),
                is_executable: kind.is_file() && mode.permissions().mode() & 0o111 != 0,
            });
        }
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// The main file of a program in Python: one of the usual names, or the only file.
fn python(entries: &[Entry]) -> Option<String> {
    let named = |name: &str| {
        entries
            .iter()
            .any(|entry| entry.name == name && !entry.is_folder)
    };
    if let Some(main) = MAIN.into_iter().find(|name| named(name)) {
        return Some(main.to_owned());
    }
    let mut files = entries.iter().filter(|entry| is_python(entry));
    match (files.next(), files.next()) {
        (Some(only), None) => Some(only.name.clone()),
        _ => None,
    }
}

fn is_python(entry: &Entry) -> bool {
    !entry.is_folder && entry.name.ends_with(".py")
}

fn in_python(entries: &[Entry], main: &str) -> Found {
    let is_part = |entry: &&Entry| {
        let is_other = OTHERS.contains(&entry.name.as_str()) || entry.name.starts_with('.');
        is_python(entry) || entry.is_folder && !is_other
    };
    let files = entries.iter().filter(is_part).map(|entry| {
        let content = match entry.is_folder {
            true => Content::Tree(entry.name.clone()),
            false => Content::Source(entry.name.clone()),
        };
        (format!("{HOME}/{}", entry.name), content)
    });
    let files: Vec<_> = files.collect();
    let mut open = vec![(
        "file",
        "check that these are the files of the program".to_owned(),
    )];
    if entries.iter().any(|entry| entry.name == "requirements.txt") {
        open.push((
            "runtime.packages",
            "add [[wheels]] with requirements.txt if it has digests, or name its packages as Debian has them, such as python3-flask"
                .to_owned(),
        ));
    }
    Found {
        build: Build::Interpreted {
            packages: PYTHON.packages.to_vec(),
        },
        start: vec![PYTHON.path.to_owned(), format!("{HOME}/{main}")],
        files,
        open,
    }
}

/// The only executable script, or the first.
fn script(directory: &Path, entries: &[Entry]) -> Result<Option<Found>, Error> {
    let mut scripts = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_executable) {
        let path = directory.join(&entry.name);
        let line = first_line(&path).map_err(At::reading(&path))?;
        scripts.extend(interpreter(&line).map(|interpreter| (entry, interpreter)));
    }
    let names: Vec<_> = scripts
        .iter()
        .map(|(entry, _)| entry.name.clone())
        .collect();
    let Some((entry, interpreter)) = scripts.into_iter().next() else {
        return Ok(None);
    };
    let mut open = vec![(
        "runtime.packages",
        "add the Debian packages of the programs that the script calls".to_owned(),
    )];
    if names.len() > 1 {
        open.push((
            "image.entrypoint",
            format!("choose the script: {}", names.join(", ")),
        ));
    }
    let path = format!("{HOME}/{}", entry.name);
    Ok(Some(Found {
        build: Build::Interpreted {
            packages: interpreter.packages.to_vec(),
        },
        start: vec![interpreter.path.to_owned(), path.clone()],
        files: vec![(path, Content::Source(entry.name.clone()))],
        open,
    }))
}

fn first_line(path: &Path) -> io::Result<String> {
    let mut line = Vec::new();
    let mut start = BufReader::new(fs::File::open(path)?.take(LINE));
    start.read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The interpreter that the first line of a script names, directly or by `env`.
fn interpreter(line: &str) -> Option<&'static Interpreter> {
    let mut words = line.strip_prefix("#!")?.split_whitespace();
    let first = words.next()?.rsplit('/').next()?;
    let name = match first {
        "env" => words.find(|word| !word.starts_with('-'))?,
        name => name,
    };
    INTERPRETERS.iter().find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_an_interpreter() {
        for (line, path) in [
            ("#!/bin/sh", Some("/usr/bin/dash")),
            ("#! /usr/bin/env bash", Some("/usr/bin/bash")),
            ("#!/usr/bin/env -S python3 -u", Some("/usr/bin/python3")),
            ("#!/usr/bin/node", None),
            ("\u{7f}ELF", None),
            ("#!", None),
        ] {
            assert_eq!(interpreter(line).map(|found| found.path), path, "{line}");
        }
    }
}
