//! A program that an interpreter runs: in Python, or a script.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::entries::{Entry, HOME, entries};
use super::found::{Build, Content, Found};
use super::python;
use crate::at::At;
use crate::error::Error;

/// The longest first line of a script, in bytes.
const LINE: u64 = 256;

/// An interpreter, by the name that the first line of a script has.
struct Interpreter {
    name: &'static str,
    path: &'static str,
    packages: &'static [&'static str],
}

const PYTHON: Interpreter = Interpreter {
    name: "python3",
    path: python::PYTHON,
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
        // No image can have `perl`: paths of its modules differ only in case.
        packages: &["perl-base"],
    },
];

/// Finds a program.
pub(super) fn find(directory: &Path) -> Result<Option<Found>, Error> {
    let entries = entries(directory)?;
    match python::find(directory, &entries)? {
        Some(found) => Ok(Some(found)),
        None => script(directory, &entries),
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
            requirements: None,
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
