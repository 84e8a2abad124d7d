//! What is wrong with `Image.toml` and the source, with that of a program that cargo compiles above all. All of it is found when a
//! lock is resolved, before anything is fetched, and is in one error.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use console::hint::Hinted;

use super::cargo::CargoLock;
use super::git::{self, CargoFiles, Chosen, Located};
use super::text::read;
use crate::at::At;
use crate::error::Error;
use crate::spec::cargo::Target;
use crate::spec::{BuildSpec, CargoSpec, Origin, Spec, root};
use crate::untrusted::shown;

const HINT: &str = "mend all of them, and run `builder lock` again";

/// Checks the source in the working tree.
///
/// # Errors
/// Names in `Image.toml` do not exist, `Cargo.lock` is missing or names sources that are not supported, or configuration of
/// cargo would have an effect.
pub(super) fn check(
    located: &Located,
    files: &CargoFiles,
    cargo: &CargoSpec,
    spec: &Spec,
    directory: &Path,
) -> Result<Chosen, Error> {
    let mut chosen = located.choose(cargo, &spec.binaries())?;
    chosen.faults.extend(unlisted(cargo, spec));
    chosen.faults.extend(without_library(cargo, spec));
    chosen.faults.extend(missing(spec, directory)?);
    let lock = read(Path::new(""), &located.top.join(&files.lock));
    let lock = lock.and_then(|text| Ok(CargoLock::parse(&text)?));
    let configuration = git::check(&files.configuration, cargo);
    let errors = [lock.err(), configuration.err().map(Error::from)];
    let mut errors: Vec<_> = errors.into_iter().flatten().collect();
    match (&chosen.faults[..], errors.pop_if(|_| true)) {
        ([], None) => Ok(chosen),
        // An error of its own says whether it is an answer about the source.
        ([], Some(only)) if errors.is_empty() => Err(only),
        (faults, last) => {
            let errors = errors.iter().chain(&last).map(ToString::to_string);
            Err(listed(faults.iter().cloned().chain(errors)).into())
        }
    }
}

/// Checks that the files and folders exist that the image has from the source.
///
/// # Errors
/// One is missing, or cannot be read.
pub(super) fn check_files(spec: &Spec, directory: &Path) -> Result<(), Error> {
    let missing = missing(spec, directory)?;
    match missing.is_empty() {
        true => Ok(()),
        false => Err(listed(missing.into_iter()).into()),
    }
}

/// Files and folders of the source that the image has, and that do not exist in the directory of `Image.toml`.
fn missing(spec: &Spec, directory: &Path) -> Result<Vec<String>, Error> {
    let images = spec.images.iter();
    let files = images.flat_map(|image| &image.parts.files);
    let named = files.filter_map(|file| match &file.origin {
        Origin::Source(path) => Some(("source", "file", path)),
        Origin::Tree(path) => Some(("tree", "folder", path)),
        Origin::Binary(_) | Origin::Text(_) | Origin::Link(_) | Origin::Directory => None,
    });
    let mut missing = Vec::new();
    for (entry, what, path) in named {
        let at = directory.join(path);
        match fs::metadata(&at) {
            Ok(found) if found.is_dir() == (what == "folder") => continue,
            Err(error) if !is_absent(&error) => return Err(At::reading(&at)(error).into()),
            Ok(_) | Err(_) => {}
        }
        let fault = format!("{entry} = \"{}\": there is no such {what}", shown(path));
        if !missing.contains(&fault) {
            missing.push(fault);
        }
    }
    Ok(missing)
}

fn is_absent(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    kinds.contains(&error.kind())
}

/// Checks that what is compiled is compiled for the processor of the build.
///
/// # Errors
/// `Image.toml` names another.
pub(super) fn check_processor(spec: &Spec) -> Result<(), Hinted> {
    let is_compiled = match &spec.build {
        BuildSpec::Cargo(_) | BuildSpec::Go(_) => true,
        BuildSpec::Command(command) => !command.command.is_empty(),
    };
    let processor = &spec.root.architecture;
    if !is_compiled || processor == root::ARCHITECTURE {
        return Ok(());
    }
    let processor = shown(processor);
    Err(Hinted::new(format_args!(
        "reading Image.toml: architecture = \"{processor}\": programs can be compiled and run for {} only",
        root::ARCHITECTURE
    ))
    .hinting("leave the entry out; for another processor, an image can have files and packages, but nothing that is compiled"))
}

fn listed(faults: impl Iterator<Item = String>) -> Hinted {
    let faults: Vec<_> = faults.collect();
    match &faults[..] {
        [only] => Hinted::new(format_args!("reading Image.toml: {only}")),
        all => {
            let numbered = all.iter().zip(1..);
            let numbered: Vec<_> = numbered
                .map(|(fault, number)| format!("({number}) {fault}"))
                .collect();
            let (count, all) = (all.len(), numbered.join("; "));
            Hinted::new(format_args!("reading Image.toml: {count} faults: {all}"))
        }
    }
    .hinting(HINT)
}

/// Binaries that files name, and that are not among those that `[build]` lists.
fn unlisted(cargo: &CargoSpec, spec: &Spec) -> Vec<String> {
    let images = spec.images.iter();
    let named: BTreeSet<_> = images.flat_map(|image| image.parts.binaries()).collect();
    let is_listed = |name: &str| cargo.binaries.is_empty() || cargo.binaries.contains(name);
    let unlisted = named.into_iter().filter(|name| !is_listed(name));
    unlisted
        .map(|name| {
            let name = shown(name);
            format!("binary = \"{name}\": it is not built: add it to binaries in [build]")
        })
        .collect()
}

/// A target that Debian's compiler has no library for.
fn without_library(cargo: &CargoSpec, spec: &Spec) -> Option<String> {
    (cargo.target == Target::Musl && spec.archives.is_empty()).then(|| {
        let target = cargo.target.as_str();
        format!(
            "target = \"{target}\": Debian's Rust has no library for it: name a Rust that has one in [[archive]], or leave the \
             entry out"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::inputs::Wanted;

    const SPEC: &str = "[build]\npackage = \"p\"\n[root]\nsuite = \"trixie\"\ncomponent = \"main\"\narchitecture = \"amd64\"\n\
                        packages = []\n[image]\nentrypoint = [\"/p\"]\n[[file]]\npath = \"/p\"\nbinary = \"p\"\n";
    const MANIFEST: &str = "[package]\nname = \"p\"\nversion = \"1.0.0\"\n";
    const LOCK: &str = "version = 4\n[[package]]\nname = \"p\"\nversion = \"1.0.0\"\n";

    fn refused(spec: &str, files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [&[("Image.toml", spec)], files].concat() {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Wanted::read(folder.path()).map_or_else(
            |error| {
                error
                    .to_string()
                    .replace(&folder.path().display().to_string(), "")
            },
            |_| "nothing".to_owned(),
        )
    }

    #[test]
    fn programs_are_for_one_processor() {
        let other = SPEC.replace("amd64", "arm64");
        let expected = "reading Image.toml: architecture = \"arm64\": programs can be compiled and run for amd64 only";
        assert_eq!(refused(&other, &[]), expected);
        let (_, files) = other.split_once("[root]").unwrap();
        let (files, _) = files.split_once("[[file]]").unwrap();
        let command =
            |entry: &str| format!("file = []\n[build]\nkind = \"command\"\n{entry}[root]{files}");
        assert_eq!(
            refused(
                &command("command = [\"make\"]\noutputs = { a = \"a\" }\n"),
                &[]
            ),
            expected
        );
        assert_eq!(refused(&command(""), &[]), "nothing");
    }

    #[test]
    fn one_fault_is_an_error_of_its_own() {
        let main = ("src/main.rs", "");
        let (manifest, lock) = (("Cargo.toml", MANIFEST), ("Cargo.lock", LOCK));
        assert_eq!(refused(SPEC, &[manifest, lock, main]), "nothing");
        let none = refused(SPEC, &[manifest, main]);
        assert!(
            none.ends_with("Cargo.lock: No such file or directory (os error 2)"),
            "{none}"
        );
        assert_eq!(
            refused(SPEC, &[manifest, lock]),
            "reading Image.toml: binary = \"p\": package p has no such binary: it has none"
        );
        let listed = SPEC.replace("[root]", "binaries = [\"q\"]\n[root]");
        assert_eq!(
            refused(&listed, &[manifest, lock, ("src/bin/q.rs", "")]),
            "reading Image.toml: binary = \"p\": it is not built: add it to binaries in [build]"
        );
        let musl = SPEC.replace("[root]", "target = \"x86_64-unknown-linux-musl\"\n[root]");
        let said = refused(&musl, &[manifest, lock, main]);
        assert!(
            said.contains("Debian's Rust has no library for it"),
            "{said}"
        );
        let other = refused(SPEC, &[("main.go", "")]);
        assert!(other.contains("no Cargo.toml is in"), "{other}");
    }

    #[test]
    fn files_of_the_image_must_exist() {
        let command = "[build]\nkind = \"command\"\n";
        let (_, rest) = SPEC.split_once("[root]").unwrap();
        let (rest, _) = rest.split_once("[[file]]").unwrap();
        let files = "[[file]]\npath = \"/a\"\nsource = \"a.txt\"\n[[file]]\npath = \"/b\"\nsource = \"b\"\n\
                     [[file]]\npath = \"/c\"\ntree = \"a.txt\"\n[[file]]\npath = \"/d\"\ntree = \"b\"\n";
        let spec = format!("{command}[root]{rest}{files}");
        assert_eq!(
            refused(&spec, &[("a.txt", ""), ("b/c", "")]),
            "reading Image.toml: 2 faults: (1) source = \"b\": there is no such file; (2) tree = \"a.txt\": there is no such folder"
        );
        assert_eq!(
            refused(&spec, &[("b", "")]),
            "reading Image.toml: 3 faults: (1) source = \"a.txt\": there is no such file; (2) tree = \"a.txt\": there is no such \
             folder; (3) tree = \"b\": there is no such folder"
        );
        let manifest = [("Cargo.toml", MANIFEST), ("Cargo.lock", LOCK)];
        let said = refused(&format!("{SPEC}{files}"), &manifest);
        assert!(said.contains("5 faults: (1) binary = "), "{said}");
        assert!(
            said.contains("; (5) tree = \"b\": there is no such folder"),
            "{said}"
        );
    }

    #[test]
    fn all_faults_are_in_one_error() {
        let git = "[[package]]\nname = \"g\"\nversion = \"1.0.0\"\nsource = \"git+http://host.example/g#0\"\n";
        let config = "build.rustc-wrapper = \"sccache\"\n";
        let spec = SPEC.replace("[root]", "profile = \"small\"\n[root]");
        let said = refused(
            &spec,
            &[
                ("Cargo.toml", MANIFEST),
                ("Cargo.lock", &format!("{LOCK}{git}")),
                (".cargo/config.toml", config),
                ("src/main.rs", ""),
            ],
        );
        let start = "reading Image.toml: 3 faults: (1) profile = \"small\": Cargo.toml of the workspace has no such profile";
        assert!(said.starts_with(start), "{said}");
        assert!(
            said.contains("; (2) reading Cargo.lock: line 8: crate g 1.0.0: "),
            "{said}"
        );
        assert!(
            said.contains("; (3) reading source: the source configures cargo"),
            "{said}"
        );
    }
}
