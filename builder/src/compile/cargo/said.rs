//! Messages of cargo and build scripts that explain why the source is refused. They choose a hint; the answer is the same.

/// Whether cargo says that a package needs a newer compiler. The next lines name the packages.
pub(super) fn is_too_old(line: &str) -> bool {
    line.contains(" is not supported by the following package")
}

/// Whether a program says that it cannot write to the source.
pub(super) fn writes_to_source(line: &str) -> bool {
    line.contains("Read-only file system") || line.contains("ReadOnlyFilesystem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_cargo_and_the_system() {
        assert!(is_too_old(
            "error: rustc 1.85.0 is not supported by the following packages:"
        ));
        for line in [
            "  called `Result::unwrap()` on an `Err` value: Os { code: 30, kind: ReadOnlyFilesystem, message: \"Read-only file system\" }",
            "touch: cannot touch 'src/x': Read-only file system",
        ] {
            assert!(writes_to_source(line), "{line}");
        }
        let other = "error[E0425]: cannot find value `nonsense` in this scope";
        assert!(!is_too_old(other) && !writes_to_source(other));
    }
}
