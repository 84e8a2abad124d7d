//! How tests say what they leave out. For tests only: nothing depends on it otherwise.
//!
//! The test harness shows what a test prints only if the test fails, and a skip passes; so what is
//! said here goes to standard error itself. Where `STRICT` is `1`, as on machines that have
//! everything installed, a skip fails.

use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Says that `test` is skipped, and why.
///
/// # Panics
/// The environment variable `STRICT` is `1`.
pub fn skip(test: &str, reason: impl Display) {
    leave_out(test, &reason);
    let strict = std::env::var_os("STRICT").is_some_and(|value| value == "1");
    assert!(!strict, "{test} is skipped: {reason}");
}

/// Says that a part of a test is left out which no installation would bring.
pub fn leave_out(part: &str, reason: impl Display) {
    // A test that cannot say so has still nothing to fail for.
    let _ = std::io::stderr().write_all(format!("skipped: {part}: {reason}\n").as_bytes());
}

/// The folder of other projects' vectors named `family`, below what the environment variable
/// `VECTORS` names; `None`, and said, where that is not set.
///
/// # Panics
/// `VECTORS` is set, there is no such folder in it, and `STRICT` is `1`.
pub fn vectors(family: &str) -> Option<PathBuf> {
    let Some(all) = std::env::var_os("VECTORS").map(PathBuf::from) else {
        leave_out(family, "VECTORS names no folder of vectors");
        return None;
    };
    let folder = all.join(family);
    if !folder.is_dir() {
        skip(family, format_args!("it is not in {}", all.display()));
        return None;
    }
    Some(folder)
}

/// Compares `actual` with the golden file `path`. Where the environment variable `GOLDEN` is `write`, writes the file
/// instead, for a change to be reviewed in the diff.
///
/// # Panics
/// The file differs, or cannot be read or written.
#[track_caller]
pub fn golden(path: &Path, actual: &[u8]) {
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
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
