//! Symbolic links of the source. They are staged as links if they stay within the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};

use super::committed::Committed;
use super::entry::{Listed, Mode};
use super::error::{SourceError, reading};
use super::path::SourcePath;
use crate::untrusted::shown;

/// git's own folder.
const GIT: &str = ".git";
/// Linux: too many links.
const ELOOP: i32 = 40;

/// Adds to `files` what its links lead to, if it is not there, and returns the added paths.
///
/// # Errors
/// Links lead out of the repository, or there are too many files.
pub(super) fn follow(
    committed: &mut Committed,
    files: &mut Vec<Listed>,
) -> Result<Vec<String>, SourceError> {
    let mut known: BTreeSet<_> = files.iter().map(|file| file.path.clone()).collect();
    let (mut added, mut outside) = (Vec::new(), BTreeMap::new());
    let mut open: Vec<_> = files.iter().filter(is_link).cloned().collect();
    while let Some(link) = open.pop() {
        let target = committed.read(&link)?;
        let target = String::from_utf8_lossy(&target).into_owned();
        let Some(leads_to) = target_of(&link.path, &target) else {
            outside.insert(link.path, target);
            continue;
        };
        let staged = Path::new(&leads_to);
        let is_staged = |path: &SourcePath| (path.as_ref() as &Path).starts_with(staged);
        if known.iter().any(is_staged) {
            continue;
        }
        for file in committed.leads_to(&leads_to)? {
            if known.insert(file.path.clone()) {
                added.push(file.path.to_string());
                open.extend(Some(file.clone()).filter(|file| is_link(&file)));
                files.push(file);
            }
        }
    }
    match outside.is_empty() {
        true => Ok(added),
        false => Err(leaves(&outside)),
    }
}

fn is_link(file: &&Listed) -> bool {
    file.mode == Mode::Link
}

/// The path in the repository that a link leads to, `""` for its top; `None` if it leads out of the repository, or into git's
/// own folder.
fn target_of(link: &SourcePath, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = link.folder().split('/').collect();
    parts.retain(|part| !part.is_empty());
    for component in Path::new(target).components() {
        match component {
            Component::Normal(part) => {
                let part = part.to_str()?;
                if part.eq_ignore_ascii_case(GIT) || part.contains('\0') {
                    return None;
                }
                parts.push(part);
            }
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!target.is_empty()).then(|| parts.join("/"))
}

/// Checks that a staged link stays in the staged source, also by way of other links. It may lead to nothing.
///
/// # Errors
/// It leads elsewhere, or cannot be read.
pub(super) fn check(link: &SourcePath, staged: &Path) -> Result<(), SourceError> {
    let path = staged.join(link);
    let top = staged.canonicalize().map_err(SourceError::at(staged))?;
    match path.canonicalize() {
        Ok(found) if found.starts_with(&top) => Ok(()),
        Ok(found) => {
            let target = found.to_string_lossy().into_owned();
            Err(leaves(&[(link.clone(), target)].into()))
        }
        Err(error) if is_nothing(&error) => Ok(()),
        Err(error) => Err(SourceError::at(&path)(error)),
    }
}

fn is_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotADirectory | NotFound) || error.raw_os_error() == Some(ELOOP)
}

fn leaves(links: &BTreeMap<SourcePath, String>) -> SourceError {
    let links = links.iter();
    let links =
        links.map(|(link, target)| format!("{} -> {}", shown(link.as_str()), shown(target)));
    let links: Vec<_> = links.collect();
    let fault = reading(format_args!(
        "symbolic links lead out of the repository: {}",
        links.join(", ")
    ));
    SourceError::Refused(fault.hinting("commit files in place of these links, or remove them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_in_the_repository() {
        let target =
            |link: &str, target: &str| target_of(&SourcePath::parse(link).unwrap(), target);
        for (link, to, expected) in [
            ("README.md", "docs/README.md", Some("docs/README.md")),
            ("a/b/link", "../../c/./d", Some("c/d")),
            ("a/link", "..", Some("")),
            ("a/link", ".", Some("a")),
            ("a/link", "../..", None),
            ("a/link", "../../top/a", None),
            ("link", "/etc/passwd", None),
            ("link", "", None),
            ("link", ".git/config", None),
            ("a/link", "../.GIT", None),
        ] {
            assert_eq!(target(link, to).as_deref(), expected, "{link} -> {to}");
        }
    }
}
