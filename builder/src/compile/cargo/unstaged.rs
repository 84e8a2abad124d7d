//! Detects that the compiler needs a file that was not staged, as with `include_str!("../../README.md")`. The repository
//! may have the file, so this does not refuse the source. Messages that an attacker chooses can only turn a refusal into
//! this error.

use std::path::{Component, Path, PathBuf};

use crate::inputs::git::Source;

/// The compiler's message before the path of a missing included file or module.
const MISSED: &str = "error: couldn't read ";
const ABSENT: &str = ": No such file or directory";

/// If this line of the compiler reports a missing file outside the staged folders, returns the path of the file in the
/// repository. The source is at `place` in the sandbox.
pub(super) fn unstaged(line: &str, source: &Source, place: &Path) -> Option<PathBuf> {
    let (path, _) = line.trim().strip_prefix(MISSED)?.rsplit_once(ABSENT)?;
    // Cargo runs the compiler in the root of the workspace, where the lock is.
    let root = place.join(source.cargo.as_ref()?.lock.parent()?);
    let path = plain(&root.join(path.trim_matches('`')))?;
    let path = path.strip_prefix(place).ok()?;
    let mut folders = source.folders.iter();
    (!folders.any(|folder| path.starts_with(folder))).then(|| path.to_owned())
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if plain.pop() => {}
            Component::ParentDir => return None,
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use crate::inputs::git::CargoFiles;

    use super::*;

    fn missed(line: &str, cargo_lock: &str, folders: &[&str]) -> Option<String> {
        let source = Source {
            commit: "0".repeat(40),
            time: 1_764_356_940,
            tree: Digest::of(b"tree"),
            staged: "/nowhere".into(),
            directory: "app".into(),
            cargo: Some(CargoFiles {
                manifest: "app/Cargo.toml".into(),
                lock: cargo_lock.into(),
                configuration: Vec::new(),
            }),
            go: None,
            folders: folders.iter().map(PathBuf::from).collect(),
            submodules: Vec::new(),
        };
        let path = unstaged(line, &source, Path::new("/build/src"))?;
        Some(path.to_string_lossy().into_owned())
    }

    #[test]
    fn distinguishes_files_outside_the_staged_folders() {
        let absent = "No such file or directory (os error 2)";
        for (path, lock, expected) in [
            ("src/../../README.md", "app/Cargo.lock", Some("README.md")),
            ("`src/../../README.md`", "app/Cargo.lock", Some("README.md")),
            ("app/src/../../a/b", "Cargo.lock", Some("a/b")),
            ("/build/src/app/src/../../x", "Cargo.lock", Some("x")),
            // The commit does not have these.
            ("src/none.rs", "app/Cargo.lock", None),
            ("app/src/../none", "Cargo.lock", None),
            ("app/../lib/none", "Cargo.lock", None),
            // No commit has these.
            ("src/../../../none", "app/Cargo.lock", None),
            ("/build/target/x/out/none.rs", "app/Cargo.lock", None),
            ("../../../../../none", "app/Cargo.lock", None),
        ] {
            let line = format!("error: couldn't read {path}: {absent}");
            let found = missed(&line, lock, &["app", "lib"]);
            assert_eq!(found.as_deref(), expected, "{line}");
            assert_eq!(missed(&line, lock, &[""]), None, "{line}");
        }
        for line in [
            "error: couldn't read ../x: Permission denied (os error 13)",
            "error: could not compile `x`",
        ] {
            assert_eq!(missed(line, "app/Cargo.lock", &["app"]), None, "{line}");
        }
    }
}
