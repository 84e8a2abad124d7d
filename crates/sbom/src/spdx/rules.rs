//! The rules of the specification that the schema does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use spdx::{Expression, LicenseItem, ParseMode};

use super::document::{Checksum, Spdx, is_unknown};
use crate::{COMPONENTS, Error, Format};

/// The licence of every document (SPDX 2.3, section 6.2).
const DATA_LICENSE: &str = "CC0-1.0";
/// The identifier of every document (section 6.3).
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
/// Who can have created a document (section 6.8).
const CREATORS: [&str; 3] = ["Person: ", "Organization: ", "Tool: "];
/// How licence expressions are parsed (annex D): deprecated identifiers are still in the list, and `GPL-2.0+` is one.
const EXPRESSIONS: ParseMode = ParseMode {
    allow_deprecated: true,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_slash_as_or_operator: false,
    allow_unknown: false,
};

/// The identifiers of licences and exceptions, by their lower case.
static NAMES: LazyLock<BTreeMap<String, &str>> = LazyLock::new(|| {
    let licenses = spdx::identifiers::LICENSES.iter();
    let licenses = licenses.map(|license| license.name);
    let exceptions = spdx::identifiers::EXCEPTIONS.iter();
    let exceptions = exceptions.map(|exception| exception.name);
    let all = licenses.chain(exceptions);
    all.map(|name| (name.to_ascii_lowercase(), name)).collect()
});

/// Checks a document.
///
/// # Errors
/// The first rule that it violates.
pub(super) fn check(spdx: &Spdx, format: Format) -> Result<(), Error> {
    let rules = Rules {
        format,
        identifiers: identifiers(spdx, format)?,
        documents: documents(spdx),
        licenses: spdx
            .has_extracted_licensing_infos
            .iter()
            .map(|license| license.license_id.as_str())
            .collect(),
    };
    rules.head(spdx)?;
    rules.checksums(spdx)?;
    rules.references(spdx)?;
    rules.licenses(spdx)
}

struct Rules<'a> {
    format: Format,
    /// The identifiers of all elements.
    identifiers: BTreeSet<&'a str>,
    /// The identifiers of other documents.
    documents: BTreeSet<&'a str>,
    /// The licences that are not in the list.
    licenses: BTreeSet<&'a str>,
}

/// The identifiers, each of which is valid and unique (sections 7.2, 8.2 and 9.1).
fn identifiers(spdx: &Spdx, format: Format) -> Result<BTreeSet<&str>, Error> {
    let elements = spdx.packages.len() + spdx.files.len();
    if elements > COMPONENTS {
        let expected = format!("at most {COMPONENTS} packages and files");
        return Err(Error::value(format, expected, &elements.to_string()));
    }
    let packages = spdx.packages.iter().map(|package| &package.id);
    let files = spdx.files.iter().map(|file| &file.id);
    let snippets = spdx.snippets.iter().map(|snippet| &snippet.id);
    let mut all = BTreeSet::from([spdx.id.as_str()]);
    for id in packages.chain(files).chain(snippets) {
        let name = id.strip_prefix("SPDXRef-").unwrap_or_default();
        // Programs write the + of versions, and most accept it, as the specification does in identifiers of other documents.
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        if name.is_empty() || !name.bytes().all(is_plain) {
            let expected = "SPDXRef- and letters, digits, periods, hyphens and plus signs";
            return Err(Error::value(format, expected, id));
        }
        if !all.insert(id) {
            return Err(Error::value(format, "each SPDXID once", id));
        }
    }
    Ok(all)
}

fn documents(spdx: &Spdx) -> BTreeSet<&str> {
    let documents = spdx.external_document_refs.iter();
    documents
        .map(|document| document.external_document_id.as_str())
        .collect()
}

impl Rules<'_> {
    fn wrong(&self, expected: &str, found: &str) -> Error {
        Error::value(self.format, expected, found)
    }

    fn must(&self, holds: bool, expected: &str, found: &str) -> Result<(), Error> {
        match holds {
            true => Ok(()),
            false => Err(self.wrong(expected, found)),
        }
    }

    /// Section 6.
    fn head(&self, spdx: &Spdx) -> Result<(), Error> {
        self.must(spdx.id == DOCUMENT, DOCUMENT, &spdx.id)?;
        self.must(
            spdx.data_license == DATA_LICENSE,
            DATA_LICENSE,
            &spdx.data_license,
        )?;
        let namespace = &spdx.document_namespace;
        let is_namespace = namespace.contains(':')
            && !namespace.contains('#')
            && !namespace.contains(char::is_whitespace);
        self.must(
            is_namespace,
            "a namespace that is a URI without #",
            namespace,
        )?;
        let created = &spdx.creation_info.created;
        self.must(is_time(created), "a time as YYYY-MM-DDThh:mm:ssZ", created)?;
        let creators = &spdx.creation_info.creators;
        self.must(!creators.is_empty(), "a creator", "an empty list")?;
        for creator in creators {
            let is_known = CREATORS.iter().any(|kind| creator.starts_with(kind));
            self.must(
                is_known,
                "a creator that is a Person:, Organization: or Tool:",
                creator,
            )?;
        }
        let suppliers = spdx.packages.iter().flat_map(|package| {
            let named = package.supplier.iter().chain(&package.originator);
            named.filter(|name| !is_unknown(name))
        });
        for supplier in suppliers {
            let is_known = CREATORS[..2].iter().any(|kind| supplier.starts_with(kind));
            self.must(
                is_known,
                "a supplier that is a Person: or Organization:",
                supplier,
            )?;
        }
        Ok(())
    }

    /// Sections 7.10 and 8.4.
    fn checksums(&self, spdx: &Spdx) -> Result<(), Error> {
        let packages = spdx.packages.iter().flat_map(|package| &package.checksums);
        let files = spdx.files.iter().flat_map(|file| &file.checksums);
        let documents = spdx.external_document_refs.iter();
        let documents = documents.map(|document| &document.checksum);
        for checksum in packages.chain(files).chain(documents) {
            let expected = format!("a {} in hex", checksum.algorithm);
            self.must(is_digest(checksum), &expected, &checksum.checksum_value)?;
        }
        Ok(())
    }

    /// Section 11, and what other sections refer to.
    fn references(&self, spdx: &Spdx) -> Result<(), Error> {
        let relations = spdx.relationships.iter();
        let related = relations
            .flat_map(|relation| [&relation.spdx_element_id, &relation.related_spdx_element]);
        let contained = spdx.packages.iter().flat_map(|package| &package.has_files);
        let sources = spdx
            .snippets
            .iter()
            .map(|snippet| &snippet.snippet_from_file);
        let mut all = related
            .chain(&spdx.document_describes)
            .chain(contained)
            .chain(sources);
        match all.find(|reference| !self.is_known(reference)) {
            Some(reference) => Err(self.wrong("the SPDXID of an element", reference)),
            None => Ok(()),
        }
    }

    fn is_known(&self, reference: &str) -> bool {
        let other = reference.split_once(':');
        let is_elsewhere = other.is_some_and(|(document, _)| self.documents.contains(document));
        self.identifiers.contains(reference) || is_unknown(reference) || is_elsewhere
    }

    /// Section 10 and annex D.
    fn licenses(&self, spdx: &Spdx) -> Result<(), Error> {
        let packages = spdx.packages.iter().map(|package| &package.licenses);
        let files = spdx.files.iter().map(|file| &file.licenses);
        let snippets = spdx.snippets.iter().map(|snippet| &snippet.licenses);
        let all = packages.chain(files).chain(snippets);
        let mut checked = BTreeSet::new();
        for text in all.flat_map(|licenses| licenses.all()) {
            if !is_unknown(text) && checked.insert(text) {
                self.expression(text)?;
            }
        }
        Ok(())
    }

    fn expression(&self, text: &str) -> Result<(), Error> {
        let parsed = Expression::parse_mode(&canonical(text), EXPRESSIONS);
        let parsed = parsed.map_err(|error| {
            let expected = format!("a licence expression ({})", error.reason);
            self.wrong(&expected, text)
        })?;
        for requirement in parsed.requirements() {
            if let LicenseItem::Other(other) = &requirement.req.license
                && other.doc_ref.is_none()
            {
                let name = format!("LicenseRef-{}", other.lic_ref);
                let expected = "a licence that hasExtractedLicensingInfos has";
                self.must(self.licenses.contains(name.as_str()), expected, &name)?;
            }
        }
        Ok(())
    }
}

/// The expression with the identifiers of the lists as these have them (annex D.2: they are "matched in a case-insensitive
/// manner").
fn canonical(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        let (word, after) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
        out.push_str(before);
        out.push_str(
            NAMES
                .get(&word.to_ascii_lowercase())
                .copied()
                .unwrap_or(word),
        );
        rest = after;
    }
    out + rest
}

/// Section 6.9. The 31st is accepted in each month.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(byte, form): (u8, u8)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    };
    let number = |from: usize| {
        text.get(from..from + 2)
            .and_then(|two| two.parse::<u8>().ok())
    };
    let within = |from, least, most| number(from).is_some_and(|n| (least..=most).contains(&n));
    text.len() == FORM.len()
        && text.bytes().zip(FORM.iter().copied()).all(fits)
        && within(5, 1, 12)
        && within(8, 1, 31)
        && within(11, 0, 23)
        && within(14, 0, 59)
        && within(17, 0, 60)
}

/// Whether the value is hex, of the length of its algorithm where there is only one.
fn is_digest(checksum: &Checksum) -> bool {
    let value = &checksum.checksum_value;
    let digits = match checksum.algorithm.as_str() {
        "MD2" | "MD4" | "MD5" => 32,
        "ADLER32" => 8,
        "SHA1" => 40,
        "SHA224" => 56,
        "SHA256" | "SHA3-256" | "BLAKE2b-256" => 64,
        "SHA384" | "SHA3-384" | "BLAKE2b-384" => 96,
        "SHA512" | "SHA3-512" | "BLAKE2b-512" => 128,
        _ => value.len(),
    };
    value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}
