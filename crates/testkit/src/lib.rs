//! Helpers for tests: reporting skips, other projects' vectors, golden files, mutants, keys, services. Only a dev-dependency.
//!
//! The test harness shows a test's output only if the test fails, and a skipped test passes, so skips
//! are written to standard error directly. If the environment variable `STRICT` is `1`, as on machines
//! that have every program installed, a skip fails the test.

pub mod go;
pub mod http;
mod manual;
pub mod mutate;
mod pss;
mod zstd;

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use manual::manual;
pub use pss::pss;
pub use zstd::zstd;

/// Reports that `test` is skipped, and why.
///
/// # Panics
/// The environment variable `STRICT` is `1`.
pub fn skip(test: &str, reason: impl Display) {
    leave_out(test, &reason);
    let strict = std::env::var_os("STRICT").is_some_and(|value| value == "1");
    assert!(!strict, "{test} is skipped: {reason}");
}

/// Reports that a part of a test is skipped that no installed program would enable.
pub fn leave_out(part: &str, reason: impl Display) {
    // A test does not fail because standard error cannot be written.
    let _ = std::io::stderr().write_all(format!("skipped: {part}: {reason}\n").as_bytes());
}

/// The folder `family` of other projects' vectors, in the folder that the environment variable
/// `VECTORS` names; `None`, reported as a skip, if there is none.
///
/// # Panics
/// `VECTORS` is set, and there is no such folder in it.
#[track_caller]
pub fn vectors(family: &str) -> Option<PathBuf> {
    let Some(all) = std::env::var_os("VECTORS") else {
        leave_out(family, "VECTORS is not set");
        return None;
    };
    Some(family_in(Path::new(&all), family))
}

#[track_caller]
fn family_in(all: &Path, family: &str) -> PathBuf {
    let folder = all.join(family);
    assert!(
        folder.is_dir(),
        "the vectors of {family} are not in {}, which VECTORS names",
        all.display()
    );
    folder
}

/// Compares `actual` with the golden file `path`. If the environment variable `GOLDEN` is `write`,
/// writes the file instead, so that the change can be reviewed in the diff.
///
/// # Panics
/// The file differs, or cannot be read or written.
#[track_caller]
pub fn golden(path: &Path, actual: &[u8]) {
    if is_writing() {
        let written = std::fs::write(path, actual);
        assert!(written.is_ok(), "writing {}: {written:?}", path.display());
        return;
    }
    let expected = std::fs::read(path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs (`just golden` rewrites it); expected:\n{}\nactual:\n{}",
        path.display(),
        String::from_utf8_lossy(&expected),
        String::from_utf8_lossy(actual)
    );
}

fn is_writing() -> bool {
    std::env::var_os("GOLDEN").is_some_and(|value| value == "write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_of_vectors_is_a_folder_in_the_named_one() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(family_in(crates, "src"), crates.join("src"));
    }

    #[test]
    #[should_panic(expected = "the vectors of absent are not in /")]
    fn a_family_that_is_missing_fails() {
        family_in(Path::new("/"), "absent");
    }

    #[test]
    #[should_panic(expected = "the vectors of lib.rs are not in ")]
    fn a_file_is_not_a_family() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        family_in(&folder, "lib.rs");
    }
}
