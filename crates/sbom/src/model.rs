//! What a bill of materials says, whatever its format.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use crate::{Crate, Format};

/// A bill of materials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// The format.
    pub format: Format,
    /// The version of the specification, such as `1.6` or `2.3`.
    pub version: String,
    /// The BOM-Link by which other documents refer to this one (CycloneDX), `urn:cdx:UUID/VERSION`, if it has a serial number.
    pub link: Option<String>,
    /// The component that the document describes (CycloneDX, `metadata.component`). In SPDX it is one of the components,
    /// which a relation names.
    pub subject: Option<Component>,
    /// The components in the order of the document, each before those inside it.
    pub components: Vec<Component>,
    /// How components, files and other elements are related.
    pub relations: Vec<Relation>,
}

/// A package or file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Component {
    /// The identifier in the document (`bom-ref`, `SPDXID`).
    pub reference: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// The name; for a file, its path as the document has it.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// The package URLs. Only SPDX has components with several.
    pub purls: BTreeSet<String>,
    /// The digests as hex, by CycloneDX's name of the algorithm, such as `SHA-256`. An algorithm may be there twice.
    pub digests: Vec<(String, String)>,
    /// The component that this one is inside of, as an index of [`Document::components`]; `None` if it is inside of the
    /// subject or at the top.
    pub parent: Option<usize>,
}

/// What a component is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Kind {
    /// A file.
    File,
    /// A library, or a package whose purpose the document does not say.
    #[default]
    Library,
    /// Anything else, by its name in the specification in lower case, such as `application` or `operating-system`.
    Other(String),
}

/// A relation between two elements, by their identifiers. They may be those of another document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Relation {
    /// The element that the relation is of.
    pub from: String,
    /// The relation.
    pub kind: RelationKind,
    /// The element that it is related to.
    pub to: String,
}

/// How an element is related to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RelationKind {
    /// It needs the other.
    DependsOn,
    /// The other is part of it.
    Contains,
    /// The document describes the other.
    Describes,
    /// Any other relation, by SPDX's name.
    Other(String),
}

impl Component {
    /// The package URL, if there is exactly one.
    pub fn purl(&self) -> Option<&str> {
        only(self.purls.iter().map(String::as_str))
    }

    /// The digests with this algorithm as hex.
    pub fn digests_by(&self, algorithm: &str) -> impl Iterator<Item = &str> {
        let found = self.digests.iter();
        let found = found.filter(move |(name, _)| name == algorithm);
        found.map(|(_, hex)| hex.as_str())
    }

    /// The digest with this algorithm as hex, if there is exactly one.
    pub fn digest(&self, algorithm: &str) -> Option<&str> {
        only(self.digests_by(algorithm))
    }

    /// The crate that the package URL names (purl specification, type `cargo`), if it names one.
    pub fn named_crate(&self) -> Option<Crate> {
        let (name, version) = self.named("pkg:cargo/")?;
        Some(Crate { name, version })
    }

    /// The name and version of the Debian package that the package URL names (purl specification, type `deb`), if it names
    /// one.
    pub fn named_package(&self) -> Option<(String, String)> {
        self.named("pkg:deb/debian/")
    }

    /// The path and version of the Go module that the package URL names (purl specification, type `golang`), if it names one. The
    /// path is in small letters.
    pub fn named_module(&self) -> Option<(String, String)> {
        let (name, version) = self.named("pkg:golang/")?;
        Some((name.to_ascii_lowercase(), version))
    }

    /// The name and version of the Python package that the package URL names (purl specification, type `pypi`), if it names one.
    pub fn named_wheel(&self) -> Option<(String, String)> {
        self.named("pkg:pypi/")
    }

    /// The name and version in a package URL that begins with `prefix`.
    fn named(&self, prefix: &str) -> Option<(String, String)> {
        let rest = self.purl()?.strip_prefix(prefix)?;
        let path = rest.split(['?', '#']).next()?;
        let (name, version) = path.rsplit_once('@')?;
        let decoded = |text| percent_decode_str(text).decode_utf8().ok();
        let (name, version) = (decoded(name)?, decoded(version)?);
        Some((name.into_owned(), version.into_owned()))
    }
}

fn only<'a>(mut found: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// A package URL with its scheme and type in lower case and without slashes between them, which readers do not tell apart
/// (purl specification, how to parse). Other text is kept.
pub(crate) fn package_url(text: String) -> String {
    let scheme = text.split_once(':');
    let Some((_, rest)) = scheme.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("pkg")) else {
        return text;
    };
    let rest = rest.trim_start_matches('/');
    let (kind, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("pkg:{}{rest}", kind.to_ascii_lowercase())
}

impl Document {
    /// The number of files among the components.
    pub fn files(&self) -> usize {
        let files = self.components.iter();
        files
            .filter(|component| component.kind == Kind::File)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn one_of_several_package_urls_or_digests_is_not_chosen() {
        let digest = |hex: &str| ("SHA-256".to_owned(), hex.to_owned());
        let mut component = Component {
            purls: texts(&["pkg:cargo/ring@1.0.0"]),
            digests: vec![digest("00"), ("SHA-1".to_owned(), "02".to_owned())],
            ..Component::default()
        };
        assert_eq!(component.digest("SHA-256"), Some("00"));
        assert_eq!(component.named_crate().unwrap().to_string(), "ring 1.0.0");
        component.purls = texts(&["pkg:cargo/ring@1.0.0", "pkg:generic/ring"]);
        component.digests.push(digest("01"));
        assert_eq!(
            (component.purl(), component.digest("SHA-256")),
            (None, None)
        );
        assert_eq!(component.named_crate(), None);
        let both: Vec<_> = component.digests_by("SHA-256").collect();
        assert_eq!(both, ["00", "01"]);
    }

    #[test]
    fn spellings_of_a_package_url_are_one() {
        for (text, expected) in [
            ("pkg:cargo/itoa@1.0.15", "pkg:cargo/itoa@1.0.15"),
            ("PKG:Cargo/Itoa@1.0.15", "pkg:cargo/Itoa@1.0.15"),
            ("pkg://CARGO/itoa@1.0.15", "pkg:cargo/itoa@1.0.15"),
            ("pkg:cargo", "pkg:cargo"),
            ("https://EXAMPLE.com/x", "https://EXAMPLE.com/x"),
            ("", ""),
        ] {
            assert_eq!(package_url(text.to_owned()), expected);
        }
    }
}
