//! Where packages come from.

use std::fmt;

/// Where a package comes from, which says how its name is written and its versions are ordered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Ecosystem {
    /// crates.io.
    Crates,
    /// A release of Debian, such as `12`. Advisories are about source packages.
    Debian(String),
    /// Modules of Go, and Go itself as `stdlib`.
    Go,
    /// The Python Package Index.
    Python,
}

/// The releases of Debian with their code names.
const RELEASES: [(&str, &str); 7] = [
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("stretch", "9"),
    ("jessie", "8"),
];

/// The number of a release of Debian: from `debian-12`, `12`, `12.5` or `bookworm`; `None` for other text.
pub(crate) fn release(text: &str) -> Option<String> {
    let text = text.strip_prefix("debian-").unwrap_or(text);
    let text = text.split('.').next().unwrap_or(text);
    let named = RELEASES.iter().find(|(name, _)| *name == text);
    let number = named.map_or(text, |(_, number)| number);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| number.to_owned())
}

impl fmt::Display for Ecosystem {
    /// The name in advisories (OSV schema).
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crates => out.write_str("crates.io"),
            Self::Debian(release) => write!(out, "Debian:{release}"),
            Self::Go => out.write_str("Go"),
            Self::Python => out.write_str("PyPI"),
        }
    }
}

impl Ecosystem {
    /// The ecosystem that an advisory names (OSV schema, `affected[].package.ecosystem`), and whether this one is it.
    pub(crate) fn is(&self, named: &str) -> bool {
        let (name, suffix) = match named.split_once(':') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (named, None),
        };
        match self {
            Self::Crates => name == "crates.io",
            Self::Go => name == "Go",
            Self::Python => name == "PyPI",
            Self::Debian(own) => {
                name == "Debian"
                    && suffix.is_none_or(|suffix| release(suffix).as_ref() == Some(own))
            }
        }
    }

    /// A name in the form in which names are compared: where case or separators do not distinguish packages, without them.
    pub(crate) fn normal(&self, name: &str) -> String {
        match self {
            Self::Crates => name.to_ascii_lowercase().replace('_', "-"),
            // Package URLs of Go are in lower case (purl specification, type golang).
            Self::Go => name.to_lowercase(),
            Self::Debian(_) => name.to_owned(),
            Self::Python => {
                // PEP 503, normalized names.
                let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join("-").to_lowercase()
            }
        }
    }
}
