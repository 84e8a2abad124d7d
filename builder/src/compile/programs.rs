//! Where the programs of a build are: in archives, or else in the build root.

use std::path::{Path, PathBuf};

use super::program::Invocation;
use crate::inputs::archive::Mounted;
use crate::sandbox::Bind;

/// Where programs of packages are.
const PATH: &str = "/usr/bin:/bin";

/// The archives of a build as the sandbox sees them.
pub(super) fn binds(archives: &[Mounted]) -> impl Iterator<Item = Bind> {
    archives.iter().map(|archive| Bind {
        source: archive.folder.clone(),
        target: archive.path.clone(),
    })
}

/// The variable `PATH`: the folders `bin` of archives, and those of packages.
pub(super) fn path(archives: &[Mounted]) -> String {
    let folders = archives
        .iter()
        .filter(|archive| archive.folder.join("bin").is_dir());
    let folders = folders.map(|archive| archive.path.join("bin").display().to_string());
    folders
        .chain([PATH.to_owned()])
        .collect::<Vec<_>>()
        .join(":")
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
    use std::fs;

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
        assert_eq!(binds(&archives).count(), 3);
    }
}
