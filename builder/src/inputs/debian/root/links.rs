//! Links that packages expect and do not contain: those of merged `/usr`, which the system's installer makes, and those that
//! the scripts of packages make.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::spec::Toolchain;

/// Folders that are links to those of the same name in `/usr` if it is merged (Debian Policy, section 9.1.1).
const TOP: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];
/// Commands in `/usr/bin` that scripts of packages link to the first of several that is installed (update-alternatives(1)). A
/// version may follow each.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("awk", &["mawk", "gawk", "original-awk"]),
    ("c++", &["g++", "clang++"]),
    ("cc", &["gcc", "clang"]),
    ("which", &["which.debianutils"]),
    ("yacc", &["bison.yacc", "byacc"]),
];

/// Adds the links to an unpacked root: those of merged `/usr` if no package has a folder in their place, and commands if
/// `/usr` is merged or the root has a toolchain. All other roots are as their packages are, as they always were.
///
/// # Errors
/// The root cannot be read or written.
pub(super) fn add(root: &Path, toolchain: Option<Toolchain>) -> io::Result<()> {
    let is_merged = is_merged(root)?;
    if is_merged {
        for name in TOP {
            let target = Path::new("usr").join(name);
            if root.join(&target).is_dir() {
                link(&target, &root.join(name))?;
            }
        }
    }
    match is_merged || toolchain.is_some() {
        true => commands(&root.join("usr/bin")),
        false => Ok(()),
    }
}

fn is_merged(root: &Path) -> io::Result<bool> {
    for name in TOP {
        match fs::symlink_metadata(root.join(name)) {
            Ok(found) if !found.is_symlink() => return Ok(false),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(true)
}

fn commands(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    let names = names.collect::<io::Result<Vec<_>>>()?;
    for (command, choices) in COMMANDS {
        let found = choices.iter().find_map(|choice| newest(choice, &names));
        if let Some(target) = found {
            link(Path::new(target), &folder.join(command))?;
        }
    }
    Ok(())
}

/// The command without a version, or else that of the newest version.
fn newest<'a>(command: &str, names: &'a [String]) -> Option<&'a str> {
    let version = |name: &str| match name.strip_prefix(command)?.strip_prefix('-') {
        Some(version) => version.parse::<u32>().ok(),
        None if name == command => Some(u32::MAX),
        None => None,
    };
    let found = names.iter().filter_map(|name| Some((version(name)?, name)));
    found.max().map(|(_, name)| name.as_str())
}

/// Makes a link unless a package has something in its place.
fn link(target: &Path, path: &Path) -> io::Result<()> {
    match symlink(target, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links of a root with these files.
    fn links(files: &[&str], toolchain: Option<Toolchain>) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        add(root.path(), toolchain).unwrap();
        let mut links = Vec::new();
        for folder in ["", "usr/bin"] {
            for entry in fs::read_dir(root.path().join(folder)).into_iter().flatten() {
                let entry = entry.unwrap();
                if let Ok(target) = fs::read_link(entry.path()) {
                    let name = entry.file_name().into_string().unwrap();
                    links.push(format!("{name} -> {}", target.display()));
                }
            }
        }
        links.sort();
        links
    }

    #[test]
    fn merged_roots_have_the_links_of_the_system() {
        let files = [
            "usr/bin/gcc-9",
            "usr/bin/gcc-14",
            "usr/bin/gcc-ar-14",
            "usr/bin/mawk",
            "usr/lib64/ld.so",
        ];
        let expected = [
            "awk -> mawk",
            "bin -> usr/bin",
            "cc -> gcc-14",
            "lib64 -> usr/lib64",
        ];
        assert_eq!(links(&files, None), expected);
        assert_eq!(links(&[], None), [""; 0]);
        assert_eq!(
            links(&["usr/bin/gcc", "usr/bin/gcc-14", "usr/bin/cc"], None),
            ["bin -> usr/bin"]
        );
    }

    #[test]
    fn other_roots_are_as_their_packages_unless_they_have_a_toolchain() {
        let files = ["bin/dash", "usr/bin/g++-12", "usr/bin/gcc-12", "usr/sbin/x"];
        assert_eq!(links(&files, None), [""; 0]);
        assert_eq!(
            links(&files, Some(Toolchain::C)),
            ["c++ -> g++-12", "cc -> gcc-12"]
        );
    }
}
