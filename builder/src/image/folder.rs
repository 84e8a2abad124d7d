//! The contents of a folder as entries.

use std::fs::{self, DirEntry};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use oci::layer::{Content, Executable, Kind};

use crate::at::At;
use crate::untrusted::shown;

/// Everything below `top`, sorted, by relative paths. Files are executable if their owner may execute them.
///
/// # Errors
/// Something cannot be read, has a name that is not UTF-8, or is not a file, directory or link.
pub(super) fn walk(top: &Path) -> Result<Vec<(String, Kind)>, Hinted> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let folder = top.join(&below);
        for entry in fs::read_dir(&folder).map_err(unread(&folder))? {
            let entry = entry.map_err(unread(&folder))?;
            let path = below.join(entry.file_name());
            let kind = kind(&entry)?;
            let text = path.to_str().ok_or_else(|| {
                let path = shown(&path.to_string_lossy());
                Hinted::new(format_args!("\"{path}\" is not UTF-8")).hinting("rename the file")
            })?;
            if kind == Kind::Directory {
                open.push(path.clone());
            }
            found.push((text.to_owned(), kind));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

fn kind(entry: &DirEntry) -> Result<Kind, Hinted> {
    let path = &entry.path();
    let metadata = entry.metadata().map_err(unread(path))?;
    match metadata.file_type() {
        kind if kind.is_dir() => Ok(Kind::Directory),
        kind if kind.is_file() => Ok(file(path, &metadata)),
        kind if kind.is_symlink() => {
            let target = fs::read_link(path).map_err(unread(path))?;
            let target = target.into_os_string().into_string();
            let target = target.map_err(|target| {
                let target = shown(&target.to_string_lossy());
                Hinted::new(format_args!("link target \"{target}\" is not UTF-8"))
            })?;
            Ok(Kind::Symlink { target })
        }
        _ => {
            let path = shown(&path.to_string_lossy());
            Err(Hinted::new(format_args!(
                "\"{path}\" is not a file, directory or link"
            )))
        }
    }
}

/// The file at a path, with its executable bit.
pub(super) fn file(path: &Path, metadata: &fs::Metadata) -> Kind {
    let executable = match metadata.permissions().mode() & 0o100 {
        0 => Executable::No,
        _ => Executable::Yes,
    };
    Kind::File {
        content: Content::File(path.to_owned()),
        executable,
    }
}

/// Whether the target of a link at `path` stays below the folder that both are relative to.
pub(super) fn stays(path: &str, target: &str) -> bool {
    let mut depth = path.matches('/').count();
    if target.starts_with('/') {
        return false;
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}

fn unread(path: &Path) -> impl Fn(std::io::Error) -> Hinted {
    move |error| Hinted::from_error(At::reading(path)(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn everything_below_a_folder_is_found() {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path);
        fs::create_dir_all(at("b/empty")).unwrap();
        fs::write(at("b/run"), "").unwrap();
        fs::set_permissions(at("b/run"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(at("a"), "").unwrap();
        symlink("b/run", at("link")).unwrap();
        let file = |path: &str, executable| Kind::File {
            content: Content::File(at(path)),
            executable,
        };
        let link = Kind::Symlink {
            target: "b/run".to_owned(),
        };
        let expected = [
            ("a", file("a", Executable::No)),
            ("b", Kind::Directory),
            ("b/empty", Kind::Directory),
            ("b/run", file("b/run", Executable::Yes)),
            ("link", link),
        ];
        let expected = expected.map(|(path, kind)| (path.to_owned(), kind));
        assert_eq!(walk(top.path()).unwrap(), expected);
    }

    #[test]
    fn links_stay_below_a_folder() {
        for (path, target, expected) in [
            ("a", "b", true),
            ("a/b", "../c", true),
            ("a/b", "./../a/../c", true),
            ("a", "../c", false),
            ("a/b", "../../c", false),
            ("a/b", "c/../../../d", false),
            ("a", "/b", false),
        ] {
            assert_eq!(stays(path, target), expected, "{path} {target}");
        }
    }
}
