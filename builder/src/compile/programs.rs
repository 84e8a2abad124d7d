//! Where the programs of a build are: in archives, or else in the build root.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::program::Invocation;
use crate::at::At;
use crate::inputs::archive::Mounted;
use crate::sandbox::Bind;

/// Where programs of packages are.
const PATH: &str = "/usr/bin:/bin";

/// The archives of a build as the sandbox sees them. Those with one path share it.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn binds(archives: &[Mounted]) -> Result<Vec<Bind>, At> {
    let mut places: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    for archive in archives {
        let folders = places.entry(&archive.path).or_default();
        folders.push(archive.folder.clone());
    }
    let mut binds = Vec::new();
    for (path, folders) in places {
        share(folders, path.to_owned(), &mut binds)?;
    }
    Ok(binds)
}

/// Binds what the folders have to one path. Of files with the same name, the first is bound.
fn share(folders: Vec<PathBuf>, target: PathBuf, binds: &mut Vec<Bind>) -> Result<(), At> {
    let is_shared = folders.len() > 1 && folders.iter().all(|path| is_folder(path));
    if let (false, Some(source)) = (is_shared, folders.first()) {
        let source = source.clone();
        binds.push(Bind { source, target });
        return Ok(());
    }
    let mut names: BTreeMap<OsString, Vec<PathBuf>> = BTreeMap::new();
    for folder in &folders {
        for entry in fs::read_dir(folder).map_err(At::reading(folder))? {
            let entry = entry.map_err(At::reading(folder))?;
            let found = names.entry(entry.file_name()).or_default();
            found.push(entry.path());
        }
    }
    for (name, found) in names {
        share(found, target.join(name), binds)?;
    }
    Ok(())
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// The variable `PATH`: the folders `bin` of archives, and those of packages.
pub(super) fn path(archives: &[Mounted]) -> String {
    let folders = archives
        .iter()
        .filter(|archive| archive.folder.join("bin").is_dir());
    let folders = folders.map(|archive| archive.path.join("bin").display().to_string());
    let mut folders: Vec<_> = folders.chain([PATH.to_owned()]).collect();
    // Archives with one path have one folder of programs.
    folders.dedup();
    folders.join(":")
}

/// The path in the sandbox of a program of the first archive that has it; `None` if no archive has it.
fn find(name: &str, archives: &[Mounted]) -> Option<PathBuf> {
    let within = Path::new("bin").join(name);
    let archive = archives
        .iter()
        .find(|archive| archive.folder.join(&within).is_file())?;
    Some(archive.path.join(within))
}

/// Whether an archive has a program of this name.
pub(super) fn have(name: &str, archives: &[Mounted]) -> bool {
    find(name, archives).is_some()
}

/// Uses the program of the same name in an archive, if there is one, and finds others there first.
pub(super) fn prefer(archives: &[Mounted], invocation: &mut Invocation) {
    if archives.is_empty() {
        return;
    }
    let environment = &mut invocation.environment;
    if environment.get("PATH").is_none_or(|own| own == PATH) {
        environment.insert("PATH".to_owned(), path(archives));
    }
    prefer_program(archives, &mut invocation.command);
}

/// Replaces the program of a command line by that of an archive, if there is one.
pub(super) fn prefer_program(archives: &[Mounted], command: &mut [String]) {
    let Some(program) = command.first_mut() else {
        return;
    };
    let name = program.rsplit('/').next().unwrap_or_default();
    if let Some(found) = find(name, archives) {
        *program = found.display().to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_archives_come_first() {
        let place = tempfile::tempdir().unwrap();
        let archive = |name: &str, programs: &[&str]| {
            let folder = place.path().join(name);
            fs::create_dir(&folder).unwrap();
            for program in programs {
                fs::create_dir_all(folder.join("bin")).unwrap();
                fs::write(folder.join("bin").join(program), "").unwrap();
            }
            Mounted {
                folder,
                path: Path::new("/opt").join(name),
            }
        };
        let archives = [
            archive("data", &[]),
            archive("protoc", &["protoc"]),
            archive("rust", &["cargo", "rustc"]),
        ];
        let invocation = |path: &str| Invocation {
            command: vec!["/usr/bin/cargo".to_owned(), "build".to_owned()],
            environment: [("PATH".to_owned(), path.to_owned())].into(),
        };
        let preferred = |archives: &[Mounted], path: &str| {
            let mut invocation = invocation(path);
            prefer(archives, &mut invocation);
            invocation
        };
        assert_eq!(preferred(&[], PATH), invocation(PATH));
        let found = preferred(&archives, PATH);
        assert_eq!(found.command, ["/opt/rust/bin/cargo", "build"]);
        assert_eq!(
            found.environment["PATH"],
            "/opt/protoc/bin:/opt/rust/bin:/usr/bin:/bin"
        );
        assert_eq!(
            preferred(&archives[..2], "/own").environment["PATH"],
            "/own"
        );
        assert_eq!(preferred(&archives[..2], PATH).command[0], "/usr/bin/cargo");
        assert_eq!(binds(&archives).unwrap().len(), 3);
    }

    #[test]
    fn archives_with_one_path_share_it() {
        let place = tempfile::tempdir().unwrap();
        let archive = |name: &str, files: &[&str]| {
            let folder = place.path().join(name);
            for file in files {
                let file = folder.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, name).unwrap();
            }
            let path = "/opt/rust".into();
            Mounted { folder, path }
        };
        let archives = [
            archive(
                "rustc",
                &[
                    "LICENSE",
                    "bin/rustc",
                    "lib/rustlib/gnu/bin/lld",
                    "lib/driver.so",
                ],
            ),
            archive("cargo", &["LICENSE", "bin/cargo", "share/cargo"]),
            archive(
                "std",
                &["lib/rustlib/gnu/lib/std", "lib/rustlib/musl/lib/std"],
            ),
        ];
        let binds = binds(&archives).unwrap();
        let found = binds.iter().map(|bind| {
            let source = bind.source.strip_prefix(place.path()).unwrap();
            let target = bind.target.strip_prefix("/opt/rust").unwrap();
            (target.to_str().unwrap(), source.to_str().unwrap())
        });
        let expected = [
            ("LICENSE", "rustc/LICENSE"),
            ("bin/cargo", "cargo/bin/cargo"),
            ("bin/rustc", "rustc/bin/rustc"),
            ("lib/driver.so", "rustc/lib/driver.so"),
            ("lib/rustlib/gnu/bin", "rustc/lib/rustlib/gnu/bin"),
            ("lib/rustlib/gnu/lib", "std/lib/rustlib/gnu/lib"),
            ("lib/rustlib/musl", "std/lib/rustlib/musl"),
            ("share", "cargo/share"),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(path(&archives), "/opt/rust/bin:/usr/bin:/bin");
    }
}
