//! A program in Python.

use std::collections::BTreeMap;
use std::path::Path;

use console::hint::Hinted;
use content::limits;
use serde::Deserialize;

use super::entries::{Entry, HOME};
use super::found::{Build, Content, Found};
use crate::at;
use crate::error::Error;

/// The interpreter in the image.
pub(super) const PYTHON: &str = "/usr/bin/python3";
/// Names of the main file of a program, the likeliest first.
const MAIN: [&str; 4] = ["main.py", "app.py", "server.py", "__main__.py"];
/// Files that tools read, and that are no programs.
const TOOLS: [&str; 3] = ["conftest.py", "noxfile.py", "setup.py"];
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
const PROJECT: &str = "pyproject.toml";
/// Files that can say which packages a program needs, the likeliest first.
const NEEDS: [&str; 4] = [PROJECT, "setup.cfg", "setup.py", REQUIREMENTS];
const REQUIREMENTS: &str = "requirements.txt";
/// The file of a module that `python3 -m` starts.
const STARTED: &str = "__main__.py";

/// How a program starts, and its files.
struct Program {
    start: Vec<String>,
    files: Vec<(String, Content)>,
}

/// A module that the directory has, or a folder in it.
struct Module {
    /// Its file or folder.
    content: Content,
    /// Whether `python3 -m` starts it.
    is_started: bool,
}

#[derive(Deserialize)]
struct Document {
    project: Option<Project>,
}

/// `[project]` of `pyproject.toml` (packaging.python.org, "pyproject.toml specification").
#[derive(Deserialize)]
struct Project {
    name: String,
    /// Functions as `module:function`, by the commands that start them.
    #[serde(default)]
    scripts: BTreeMap<String, String>,
}

/// Finds a program: a command of `pyproject.toml`, a file with one of the usual names, a module that can be started, or the
/// only file.
pub(super) fn find(directory: &Path, entries: &[Entry]) -> Result<Option<Found>, Error> {
    let has = |name: &str| {
        entries
            .iter()
            .any(|entry| entry.name == name && !entry.is_folder)
    };
    let project = match has(PROJECT) {
        true => project(&directory.join(PROJECT))?,
        false => None,
    };
    let place = Place { directory, entries };
    let commanded = project.as_ref().and_then(|project| place.command(project));
    let program = commanded
        .or_else(|| {
            MAIN.into_iter()
                .find(|name| has(name))
                .map(|main| place.file(main))
        })
        .or_else(|| place.started())
        .or_else(|| place.only());
    let Some(program) = program else {
        return Ok(None);
    };
    let mut open = Vec::new();
    let commands = project.map(|project| project.scripts).unwrap_or_default();
    if commands.len() > 1 {
        let names: Vec<_> = commands.into_keys().collect();
        let choose = format!("choose the command of {PROJECT}: {}", names.join(", "));
        open.push(("image.entrypoint", choose));
    }
    let check = "check that these are the files of the program";
    open.push(("file", check.to_owned()));
    let is_pinned = has(REQUIREMENTS) && is_pinned(&directory.join(REQUIREMENTS))?;
    if let Some(needs) = NEEDS.into_iter().find(|name| !is_pinned && has(name)) {
        open.push(("wheels", unpinned(needs)));
    }
    Ok(Some(Found {
        build: Build::Interpreted {
            packages: vec!["python3"],
            requirements: is_pinned.then_some(REQUIREMENTS),
        },
        start: program.start,
        files: program.files,
        open,
    }))
}

fn project(path: &Path) -> Result<Option<Project>, Error> {
    let bytes = at::read(path, limits::DOCUMENT)?;
    let document: Document = content::toml::parse(bytes).map_err(|error| {
        Hinted::doing(format_args!("reading {}", path.display()), error)
            .hinting("correct the file, or write Image.toml with kind = \"command\"")
    })?;
    Ok(document.project)
}

/// Whether requirements have digests.
fn is_pinned(path: &Path) -> Result<bool, Error> {
    let text = at::read(path, limits::DOCUMENT)?;
    Ok(String::from_utf8_lossy(&text).contains("--hash="))
}

/// What to do for packages without digests, which this file names.
fn unpinned(from: &str) -> String {
    let to = match from {
        REQUIREMENTS => "locked.txt",
        _ => REQUIREMENTS,
    };
    format!(
        "if the program needs packages, write them with digests (uv pip compile --generate-hashes --python-version 3.13 {from} -o {to}), \
         and add [[wheels]]"
    )
}

/// The directory of a program.
struct Place<'a> {
    directory: &'a Path,
    entries: &'a [Entry],
}

impl Place<'_> {
    /// The command that is named as the project, or the first.
    fn command(&self, project: &Project) -> Option<Program> {
        let Project { name, scripts } = project;
        let first = || scripts.values().next();
        let (module, function) = scripts.get(name).or_else(first)?.split_once(':')?;
        let (top, object) = (first_of(module), first_of(function));
        if !is_name(module) || !is_name(function) {
            return None;
        }
        let found = self.module(top)?;
        let call = format!("import sys; from {module} import {object}; sys.exit({function}())");
        let start = match found.is_started {
            true => ["-m", top],
            false => ["-c", &call],
        };
        Some(program(&start, top, found))
    }

    /// The only module that `python3 -m` starts.
    fn started(&self) -> Option<Program> {
        let folders = self.folders().filter(|name| is_name(name));
        let found = folders.filter_map(|name| Some((name, self.module(name)?)));
        let mut started = found.filter(|(_, module)| module.is_started);
        match (started.next(), started.next()) {
            (Some((name, module)), None) => Some(program(&["-m", name], name, module)),
            _ => None,
        }
    }

    /// The module of this name in the directory, or in a folder of it, as `src`.
    fn module(&self, name: &str) -> Option<Module> {
        let above = [""].into_iter().chain(self.folders());
        let paths = above.map(|above| match above {
            "" => name.to_owned(),
            above => format!("{above}/{name}"),
        });
        paths.into_iter().find_map(|path| {
            let file = format!("{path}.py");
            let folder = self.directory.join(&path);
            match folder.is_dir() {
                true if has_modules(&folder) => Some(Module {
                    is_started: folder.join(STARTED).is_file(),
                    content: Content::Tree(path),
                }),
                _ => self.directory.join(&file).is_file().then_some(Module {
                    content: Content::Source(file),
                    is_started: false,
                }),
            }
        })
    }

    fn folders(&self) -> impl Iterator<Item = &str> {
        let folders = self
            .entries
            .iter()
            .filter(|entry| is_part(entry) && entry.is_folder);
        folders.map(|entry| entry.name.as_str())
    }

    /// A program whose main file has this name, with everything beside it.
    fn file(&self, main: &str) -> Program {
        let is_own = |entry: &&Entry| is_part(entry) && !TOOLS.contains(&entry.name.as_str());
        let files = self.entries.iter().filter(is_own).map(|entry| {
            let content = match entry.is_folder {
                true => Content::Tree(entry.name.clone()),
                false => Content::Source(entry.name.clone()),
            };
            (format!("{HOME}/{}", entry.name), content)
        });
        Program {
            start: vec![PYTHON.to_owned(), format!("{HOME}/{main}")],
            files: files.collect(),
        }
    }

    /// The program that the only file is.
    fn only(&self) -> Option<Program> {
        let is_own = |entry: &&Entry| is_file(entry) && !TOOLS.contains(&entry.name.as_str());
        let mut files = self.entries.iter().filter(is_own);
        match (files.next(), files.next()) {
            (Some(only), None) => Some(self.file(&only.name)),
            _ => None,
        }
    }
}

fn program(words: &[&str], top: &str, module: Module) -> Program {
    let words = words.iter().map(|word| (*word).to_owned());
    let end = match module.content {
        Content::Source(_) => ".py",
        Content::Tree(_) | Content::Binary(_) => "",
    };
    Program {
        start: [PYTHON.to_owned()].into_iter().chain(words).collect(),
        files: vec![(format!("{HOME}/{top}{end}"), module.content)],
    }
}

fn has_modules(folder: &Path) -> bool {
    ["__init__.py", STARTED]
        .iter()
        .any(|name| folder.join(name).is_file())
}

fn is_file(entry: &Entry) -> bool {
    !entry.is_folder && entry.name.ends_with(".py")
}

/// Whether an entry can be part of a program.
fn is_part(entry: &Entry) -> bool {
    let is_other = OTHERS.contains(&entry.name.as_str()) || entry.name.starts_with('.');
    is_file(entry) || entry.is_folder && !is_other
}

/// The part of a dotted name before the first dot.
fn first_of(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Whether it is a name in Python, which may have dots.
fn is_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        part.bytes().next().is_some_and(is_letter)
            && part
                .bytes()
                .all(|byte| is_letter(byte) || byte.is_ascii_digit())
    })
}
