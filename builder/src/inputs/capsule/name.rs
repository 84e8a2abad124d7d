//! Where a capsule is.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use console::at::shown;
use oci::ImageRef;

/// Where a capsule is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CapsuleName {
    /// In a file.
    File(PathBuf),
    /// In a registry, by digest.
    Registry(ImageRef),
}

impl FromStr for CapsuleName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.parse() {
            Ok(reference) => Self::Registry(reference),
            Err(_) => Self::File(text.into()),
        })
    }
}

impl fmt::Display for CapsuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown(path)),
            Self::Registry(reference) => reference.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_by_digest_is_one_in_a_registry() {
        let parse = |text: &str| text.parse::<CapsuleName>().unwrap();
        let by_digest = format!("registry.example/a@sha256:{}", "0".repeat(64));
        assert!(matches!(parse(&by_digest), CapsuleName::Registry(_)));
        for text in ["inputs.capsule", "/a/b", "registry.example/a:v1"] {
            assert_eq!(parse(text), CapsuleName::File(text.into()));
        }
    }
}
