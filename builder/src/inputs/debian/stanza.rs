//! A stanza of a package list or of a `.deb`: one package, described in fields (Debian repository format;
//! deb-control(5)).

use std::collections::BTreeMap;

use console::hint::Hinted;
use content::Digest;

use crate::lock::packages::{Package, SourcePackage};

/// The package that the fields describe.
///
/// # Errors
/// A field is missing or invalid.
pub(super) fn package(fields: &BTreeMap<&str, String>) -> Result<Package, Hinted> {
    let missing = |field: &str| {
        let package = fields.get("Package").map_or("", String::as_str);
        Hinted::new(format_args!(
            "parsing package index: package {package:?}: missing or invalid field {field}"
        ))
    };
    let get = |field| fields.get(field).cloned().ok_or_else(|| missing(field));
    Ok(Package {
        name: get("Package")?,
        suite: None,
        source: Some(source(fields).ok_or_else(|| missing("Source"))?),
        version: get("Version")?,
        path: get("Filename")?.parse().map_err(|_| missing("Filename"))?,
        sha256: Digest::from_hex(&get("SHA256")?).map_err(|_| missing("SHA256"))?,
        size: get("Size")?.parse().map_err(|_| missing("Size"))?,
    })
}

/// The source package. A package that does not name it has the name of its source.
fn source(fields: &BTreeMap<&str, String>) -> Option<SourcePackage> {
    fields.get("Source").or(fields.get("Package"))?.parse().ok()
}

/// The fields that are read. Descriptions are most of an index, and are not.
const READ: [&str; 9] = [
    "Depends",
    "Filename",
    "Package",
    "Pre-Depends",
    "Provides",
    "SHA256",
    "Size",
    "Source",
    "Version",
];

/// The fields of a stanza that are read.
pub(super) fn fields(paragraph: &str) -> BTreeMap<&str, String> {
    let mut fields = BTreeMap::new();
    for line in paragraph.lines() {
        // An indented line continues a field; the fields that are read here have one line.
        if let Some((name, value)) = line.split_once(':').filter(|(name, _)| READ.contains(name)) {
            fields.insert(name, value.trim().to_owned());
        }
    }
    fields
}

/// The text of a stanza for tests, with `more` fields.
#[cfg(test)]
pub(super) fn stanza(name: &str, more: &str) -> String {
    let digest = Digest::of(name.as_bytes()).hex();
    format!(
        "Package: {name}\nVersion: 1\nFilename: pool/{name}.deb\nSHA256: {digest}\nSize: 7\n{more}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_must_have_a_digest() {
        let text = stanza("a", "").replace("SHA256", "SHA1");
        let refused = package(&fields(&text)).unwrap_err();
        let said = "parsing package index: package \"a\": missing or invalid field SHA256";
        assert_eq!(refused.to_string(), said);
    }

    #[test]
    fn a_package_has_the_name_of_its_source_unless_it_says_another() {
        let source = |more: &str| {
            let package = package(&fields(&stanza("a", more)));
            package.map(|package| package.source.unwrap().to_string())
        };
        assert_eq!(source("").unwrap(), "a");
        assert_eq!(source("Source: b").unwrap(), "b");
        assert_eq!(source("Source: b (2-1)").unwrap(), "b (2-1)");
        let refused = source("Source: b 2").unwrap_err().to_string();
        assert!(
            refused.ends_with("missing or invalid field Source"),
            "{refused}"
        );
    }
}
