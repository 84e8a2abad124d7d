//! What cargo would obey besides manifests. Configuration in the source could replace the checked crates
//! by others, the compiler and the linker by programs of its own, and every flag: nothing that
//! is said about a build would be true then.
//!
//! `rust-toolchain.toml` and `rust-toolchain` are rustup's, and the build root has none.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::SourceError;
use super::path::SourcePath;

/// Both names that cargo looks for (The Cargo Book, "Configuration").
const FILES: [&str; 2] = [".cargo/config", ".cargo/config.toml"];

/// Finds no configuration where cargo, started in `folder`, looks for it: there and in all folders above.
///
/// # Errors
/// There is some.
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
        Some(found) => Err(SourceError::Configuration {
            path: found.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cargo_would_obey() {
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
            assert_eq!(refused.is_err(), obeyed, "{folder}, {path}: {refused:?}");
        }
    }
}
