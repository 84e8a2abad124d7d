//! Where the programs of a build are: in archives, or else in the build root.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, FileType};
use std::io;
use std::path::{Path, PathBuf};

use content::{Digest, Hasher};

use super::program::Invocation;
use crate::at::{self, At};
use crate::inputs::archive::Mounted;
use crate::order::Order;
use crate::sandbox::Bind;

/// Where programs of packages are.
const PATH: &str = "/usr/bin:/bin";

/// Most files that a note names.
const NAMED: usize = 4;

/// The archives of a build as the sandbox sees them. Those with one path share it.
#[derive(Default)]
struct Shared {
    binds: Vec<Bind>,
    /// The files that differ between archives with one path.
    different: Vec<PathBuf>,
}

/// The archives of a build as the sandbox sees them. If those with one path have different files of one name, that is reported.
///
/// # Errors
/// A folder cannot be read.
pub(super) fn binds(archives: &[Mounted], order: &Order<'_>) -> Result<Vec<Bind>, At> {
    let shared = shared(archives)?;
    if let Some(note) = shared.note() {
        order.supply.note(&note);
    }
    Ok(shared.binds)
}

impl Shared {
    fn note(&self) -> Option<String> {
        let named = self.different.iter().take(NAMED);
        let named: Vec<_> = named.map(|path| at::shown(path)).collect();
        let more = match self.different.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!named.is_empty()).then(|| {
            format!(
                "note: several [[archive]] with one path have these files with different contents, and the build sees that of the \
                 first: {}{more}",
                named.join(", ")
            )
        })
    }
}

fn shared(archives: &[Mounted]) -> Result<Shared, At> {
    let mut places: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    for archive in archives {
        let folders = places.entry(&archive.path).or_default();
        folders.push(archive.folder.clone());
    }
    let mut shared = Shared::default();
    for (path, folders) in places {
        shared.add(folders, path.to_owned(), path)?;
    }
    Ok(shared)
}

impl Shared {
    /// Binds what the folders have to one path below that of the archives, `top`. Of files with the same name, the first is bound.
    fn add(&mut self, found: Vec<PathBuf>, target: PathBuf, top: &Path) -> Result<(), At> {
        let kinds = found.iter().map(|path| kind(path));
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        if found.len() > 1 && kinds.iter().all(FileType::is_dir) {
            return self.add_folders(&found, &target, top);
        }
        if let Some((first, others)) = found.split_first() {
            // Files beside the folders of an archive are about itself, such as its license.
            let is_about_itself =
                target.parent() == Some(top) && kinds.iter().all(FileType::is_file);
            if !is_about_itself && !are_same(first, others)? {
                self.different.push(target.clone());
            }
            let source = first.clone();
            self.binds.push(Bind { source, target });
        }
        Ok(())
    }

    fn add_folders(&mut self, folders: &[PathBuf], target: &Path, top: &Path) -> Result<(), At> {
        let mut names: BTreeMap<OsString, Vec<PathBuf>> = BTreeMap::new();
        for folder in folders {
            for entry in fs::read_dir(folder).map_err(At::reading(folder))? {
                let entry = entry.map_err(At::reading(folder))?;
                let found = names.entry(entry.file_name()).or_default();
                found.push(entry.path());
            }
        }
        for (name, found) in names {
            self.add(found, target.join(name), top)?;
        }
        Ok(())
    }
}

fn kind(path: &Path) -> Result<FileType, At> {
    let found = fs::symlink_metadata(path).map_err(At::reading(path))?;
    Ok(found.file_type())
}

/// Whether all are the same as the first: links with one target, or files with one content.
fn are_same(first: &Path, others: &[PathBuf]) -> Result<bool, At> {
    for other in others {
        let kinds = [kind(first)?, kind(other)?];
        let is_same = match kinds {
            _ if kinds.iter().all(FileType::is_symlink) => target(first)? == target(other)?,
            _ if kinds.iter().all(FileType::is_file) => digest(first)? == digest(other)?,
            _ => false,
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

fn target(link: &Path) -> Result<PathBuf, At> {
    fs::read_link(link).map_err(At::reading(link))
}

fn digest(file: &Path) -> Result<Digest, At> {
    let mut hasher = Hasher::new();
    let read = File::open(file).and_then(|mut file| io::copy(&mut file, &mut hasher));
    read.map_err(At::reading(file))?;
    Ok(hasher.finish())
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
        assert_eq!(shared(&archives).unwrap().binds.len(), 3);
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
        let shared = shared(&archives).unwrap();
        assert_eq!(shared.note(), None);
        let found = shared.binds.iter().map(|bind| {
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
    #[test]
    fn different_files_of_one_name_are_reported() {
        let place = tempfile::tempdir().unwrap();
        let archive = |name: &str, text: &str| {
            let folder = place.path().join(name);
            fs::create_dir_all(folder.join("bin")).unwrap();
            fs::write(folder.join("LICENSE"), name).unwrap();
            fs::write(folder.join("bin/same"), "same").unwrap();
            fs::write(folder.join("bin/tool"), text).unwrap();
            std::os::unix::fs::symlink(text, folder.join("bin/link")).unwrap();
            let path = "/opt/tools".into();
            Mounted { folder, path }
        };
        let archives = [archive("a", "1"), archive("b", "2"), archive("c", "1")];
        let expected = "note: several [[archive]] with one path have these files with different contents, and the build sees \
                        that of the first: /opt/tools/bin/link, /opt/tools/bin/tool";
        let note = shared(&archives).unwrap().note();
        assert_eq!(note.as_deref(), Some(expected));
        fs::write(place.path().join("c/share"), "").unwrap();
        let [a, _, c] = archives;
        fs::create_dir(a.folder.join("share")).unwrap();
        let note = shared(&[a.clone(), c.clone()]).unwrap().note().unwrap();
        assert!(note.ends_with("of the first: /opt/tools/share"), "{note}");
        fs::remove_dir(a.folder.join("share")).unwrap();
        assert_eq!(shared(&[a, c]).unwrap().note(), None);
    }
}
