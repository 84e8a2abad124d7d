//! Links in an unpacked archive: none leads out of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Maximum number of links on the way to a file (path_resolution(7)).
const LINKS: usize = 40;

/// Checks all links below a folder. A link to a file that does not exist is allowed.
///
/// # Errors
/// The first link that leads out of the folder, or to itself.
pub(super) fn check(folder: &Path) -> Result<(), String> {
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let failed = |error: io::Error| format!("{}: {error}", below.display());
        for entry in fs::read_dir(folder.join(&below)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_symlink() {
                follow(folder, &path)?;
            }
        }
    }
    Ok(())
}

/// Follows a link, as the kernel does if the folder is the root.
fn follow(folder: &Path, link: &Path) -> Result<(), String> {
    let out = || format!("link {} leads out of the archive", link.display());
    let mut parts: VecDeque<OsString> = link.iter().map(OsString::from).collect();
    let mut here = PathBuf::new();
    let mut links = 0;
    while let Some(part) = parts.pop_front() {
        if part == ".." {
            if !here.pop() {
                return Err(out());
            }
            continue;
        }
        let next = here.join(&part);
        let Ok(target) = fs::read_link(folder.join(&next)) else {
            here = next;
            continue;
        };
        links += 1;
        if links > LINKS {
            return Err(format!("link {} leads to itself", link.display()));
        }
        for component in target.components().rev() {
            match component {
                Component::Normal(part) => parts.push_front(part.to_owned()),
                Component::ParentDir => parts.push_front("..".into()),
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => return Err(out()),
            }
        }
    }
    Ok(())
}
