//! Refuses cargo configuration in a source: it could replace the checked crates, the compiler, the linker and all flags,
//! and provenance would be wrong.
//!
//! `rust-toolchain.toml` and `rust-toolchain` are for rustup, which the build root does not have.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::{SourceError, reading};
use super::path::SourcePath;
use crate::untrusted::shown;

/// The names that cargo looks for (The Cargo Book, "Configuration").
const FILES: [&str; 2] = [".cargo/config", ".cargo/config.toml"];

/// Checks that there is no configuration where cargo looks for it when it runs in `folder`: there, and in all folders
/// above.
///
/// # Errors
/// There is a file of configuration.
pub(super) fn refuse<'a>(
    folder: &str,
    mut paths: impl Iterator<Item = &'a SourcePath>,
) -> Result<(), SourceError> {
    let above = Path::new(folder).ancestors();
    let obeyed: BTreeSet<_> = above
        .flat_map(|folder| FILES.map(|file| folder.join(file)))
        .collect();
    match paths.find(|path| obeyed.contains(path.as_ref() as &Path)) {
        None => Ok(()),
        Some(found) => {
            let found = shown(found.as_str());
            let configuration = reading(format_args!(
                "{found} is cargo configuration, which could replace crates, compiler and linker"
            ));
            Err(SourceError::Refused(configuration.hinting(
                "remove it from the commit; build settings belong in Cargo.toml",
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_that_cargo_would_read_is_refused() {
        for (folder, path, obeyed) in [
            ("a/b", "a/b/.cargo/config.toml", true),
            ("a/b", "a/.cargo/config", true),
            ("a/b", ".cargo/config.toml", true),
            ("", ".cargo/config.toml", true),
            ("a/b", "a/c/.cargo/config.toml", false),
            ("a", "a/.cargo/other", false),
        ] {
            let paths = [SourcePath::parse(path).unwrap()];
            let refused = refuse(folder, paths.iter());
            match obeyed {
                false => refused.unwrap(),
                true => {
                    let refused = refused.unwrap_err();
                    let expected = format!(
                        "reading source: {path} is cargo configuration, which could replace crates, \
                         compiler and linker"
                    );
                    assert_eq!(refused.to_string(), expected, "{folder}");
                    assert!(refused.is_refusal());
                }
            }
        }
    }
}
