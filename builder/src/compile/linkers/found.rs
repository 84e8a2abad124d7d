//! The linkers of a build that can list what they read: those of packages, and the one that Rust's own archives bring.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::at::At;
use crate::inputs::archive::Mounted;
use crate::spec::cargo::Target;

/// Where linkers are in a build root.
const PROGRAMS: &str = "usr/bin";
/// The ends of the names of GNU ld and gold.
const GNU: [&str; 2] = ["-ld.bfd", "-ld.gold"];
const MOLD: &str = "mold";
/// Where Debian has the folder of each release of LLVM, and how these begin.
const RELEASES: &str = "usr/lib";
const LLVM: &str = "llvm-";
/// The names of lld: it links for the system that its own name tells (lld manual, "Using LLD").
const LLD: [&str; 5] = ["ld.lld", "ld64.lld", "lld", "lld-link", "wasm-ld"];

/// A linker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Linker {
    /// Its path in the sandbox, where the script will be.
    pub(super) place: PathBuf,
    /// Its file, by each of the paths in the folder of linkers that it is called by; none if it stays where it is.
    pub(super) moved: Vec<(PathBuf, String)>,
    /// Its kind, which tells how it is called.
    pub(super) kind: Kind,
}

/// A kind of linker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// GNU ld or gold, by its name.
    Gnu(String),
    /// mold.
    Mold,
    /// lld of a release of LLVM, by the name of its folder.
    Lld(String),
    /// lld of Rust, by its path in the sandbox. It finds its libraries beside itself. The C compiler calls a program that calls it, and the
    /// script is in the place of that program.
    Rust(PathBuf),
}

/// The linkers of a build root and of archives.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn find(root: &Path, archives: &[Mounted]) -> Result<Vec<Linker>, At> {
    let mut found = Vec::new();
    for name in names(&root.join(PROGRAMS), FileType::is_file)? {
        let path = Path::new(PROGRAMS).join(&name);
        let moved = vec![(root.join(&path), name.clone())];
        if GNU.iter().any(|end| name.ends_with(end)) {
            found.push(Linker::moved(&path, moved, Kind::Gnu(name)));
        } else if name == MOLD {
            found.push(Linker::moved(&path, moved, Kind::Mold));
        }
    }
    for release in names(&root.join(RELEASES), FileType::is_dir)? {
        let path = Path::new(RELEASES).join(&release).join("bin/lld");
        if release.starts_with(LLVM) && is_file(&root.join(&path))? {
            let moved = LLD.map(|name| (root.join(&path), format!("{release}/{name}")));
            found.push(Linker::moved(&path, moved.to_vec(), Kind::Lld(release)));
        }
    }
    found.extend(of_rust(archives)?);
    Ok(found)
}

impl Linker {
    fn moved(path: &Path, moved: Vec<(PathBuf, String)>, kind: Kind) -> Self {
        let place = Path::new("/").join(path);
        Self { place, moved, kind }
    }
}

/// The linker of the first archive that has it.
fn of_rust(archives: &[Mounted]) -> Result<Option<Linker>, At> {
    let programs = format!("lib/rustlib/{}/bin", Target::Gnu.as_str());
    let called = Path::new(&programs).join("gcc-ld/ld.lld");
    for archive in archives {
        if is_file(&archive.folder.join(&called))? {
            return Ok(Some(Linker {
                place: archive.path.join(called),
                moved: Vec::new(),
                kind: Kind::Rust(archive.path.join(&programs).join("rust-lld")),
            }));
        }
    }
    Ok(None)
}

/// The sorted names in a folder of one type; none if there is no folder.
fn names(folder: &Path, is_wanted: impl Fn(&FileType) -> bool) -> Result<Vec<String>, At> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(At::reading(folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(At::reading(folder))?;
        if is_wanted(&entry.file_type().map_err(At::reading(folder))?) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a regular file is at `path`.
fn is_file(path: &Path) -> Result<bool, At> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => Ok(found.map_err(At::reading(path))?.is_file()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn add(folder: &Path, path: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn linkers_are_found_where_packages_have_them() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find(root.path(), &[]).unwrap(), []);
        for path in [
            "usr/bin/x86_64-linux-gnu-ld.gold",
            "usr/bin/x86_64-linux-gnu-ld.bfd",
            "usr/bin/ldd",
            "usr/bin/mold",
            "usr/lib/llvm-19/bin/lld",
            "usr/lib/llvm-14/bin/clang",
            "usr/lib/other/bin/lld",
        ] {
            add(root.path(), path);
        }
        for link in ["other-ld.bfd", "ld.mold", "ld.lld"] {
            symlink("any", root.path().join("usr/bin").join(link)).unwrap();
        }
        let found = find(root.path(), &[]).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|linker| (linker.place.to_str().unwrap(), linker.kind.clone()))
            .collect();
        let gnu = |name: &str| Kind::Gnu(format!("x86_64-linux-gnu-ld.{name}"));
        let expected = [
            ("/usr/bin/mold", Kind::Mold),
            ("/usr/bin/x86_64-linux-gnu-ld.bfd", gnu("bfd")),
            ("/usr/bin/x86_64-linux-gnu-ld.gold", gnu("gold")),
            ("/usr/lib/llvm-19/bin/lld", Kind::Lld("llvm-19".to_owned())),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_linker_of_rust_stays_beside_its_libraries() {
        let place = tempfile::tempdir().unwrap();
        let archive = |name: &str| Mounted {
            folder: place.path().join(name),
            path: "/opt/rust".into(),
        };
        let archives = [archive("cargo"), archive("rustc")];
        let programs = "lib/rustlib/x86_64-unknown-linux-gnu/bin";
        add(&archives[0].folder, "bin/cargo");
        add(&archives[1].folder, &format!("{programs}/gcc-ld/ld.lld"));
        let root = tempfile::tempdir().unwrap();
        let programs = Path::new("/opt/rust").join(programs);
        let expected = Linker {
            place: programs.join("gcc-ld/ld.lld"),
            moved: Vec::new(),
            kind: Kind::Rust(programs.join("rust-lld")),
        };
        assert_eq!(find(root.path(), &archives).unwrap(), [expected]);
    }
}
