//! Types of predicates by the names that cosign gives them, or by URI, and how a file becomes such a predicate.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use content::{json, limits};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::predicate::{COSIGN_SIGN, Predicate};
use crate::sbom::SPDX;

/// The predicate type of cosign's `custom`: any text, with a time.
pub const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
/// The predicate type of cosign's `vuln`: what a scanner found.
pub const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const SLSA_0_2: &str = "https://slsa.dev/provenance/v0.2";
const OPENVEX: &str = "https://openvex.dev/ns";
/// The longest URI of a type, in bytes.
const URI_LIMIT: usize = 1024;

/// A type of predicate, which the programs need not know.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct PredicateType {
    uri: Cow<'static, str>,
    form: Form,
}

/// How a file becomes a predicate.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Form {
    /// The file is a JSON object, which is the predicate.
    Object,
    /// The file is text, which is the predicate, as a string.
    Text,
    /// The file is text, which the predicate has as `Data`, beside `Timestamp`.
    Data,
}

/// A type that the programs do not parse.
struct Named {
    name: &'static str,
    uri: &'static str,
    form: Form,
    summary: &'static str,
}

/// Names of cosign (`PredicateTypeMap` in `cmd/cosign/cli/options/predicate.go`) beyond those in [`Predicate::ALL`].
const NAMED: [Named; 8] = [
    Named::new(
        "custom",
        CUSTOM,
        Form::Data,
        "any text, with the time of the attestation",
    ),
    Named::new(
        "slsaprovenance",
        SLSA_0_2,
        Form::Object,
        "SLSA provenance v0.2",
    ),
    Named::new(
        "slsaprovenance02",
        SLSA_0_2,
        Form::Object,
        "SLSA provenance v0.2",
    ),
    Named::new("spdx", SPDX, Form::Text, "SPDX document as text"),
    Named::new("spdxjson", SPDX, Form::Object, "SPDX document in JSON"),
    Named::new("vuln", VULN, Form::Object, "result of a vulnerability scan"),
    Named::new(
        "link",
        "https://in-toto.io/Link/v1",
        Form::Object,
        "in-toto link",
    ),
    Named::new("openvex", OPENVEX, Form::Object, "OpenVEX document"),
];

/// Where predicates say when they were made, as JSON pointers (RFC 6901). The first that is there counts.
const TIMES: [(&str, &[&str]); 10] = [
    (CUSTOM, &["/Timestamp"]),
    (VULN, &["/metadata/scanFinishedOn"]),
    (SLSA_0_2, &["/metadata/buildFinishedOn"]),
    (
        "https://slsa.dev/provenance/v1",
        &["/runDetails/metadata/finishedOn"],
    ),
    (
        "https://slsa.dev/verification_summary/v1",
        &["/timeVerified"],
    ),
    (SPDX, &["/creationInfo/created"]),
    ("https://cyclonedx.org/bom", &["/metadata/timestamp"]),
    (OPENVEX, &["/last_updated", "/timestamp"]),
    (
        "https://openvex.dev/ns/v0.2.0",
        &["/last_updated", "/timestamp"],
    ),
    (
        "https://project-oak.github.io/oak/tr/endorsement/v1",
        &["/issuedOn"],
    ),
];

/// Text that names no type of attestation.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidType {
    /// It is neither a name nor a URI.
    #[error(
        "unknown type of predicate `{found}`, expected a URI or one of {}",
        names()
    )]
    Unknown {
        /// The text.
        found: String,
    },
    /// It is the type of signatures, which are not attestations.
    #[error("statements of type {COSIGN_SIGN} are signatures")]
    Signature,
}

fn names() -> String {
    let names: Vec<_> = PredicateType::names().map(|(name, _)| name).collect();
    names.join(", ")
}

impl Named {
    const fn new(name: &'static str, uri: &'static str, form: Form, summary: &'static str) -> Self {
        Self {
            name,
            uri,
            form,
            summary,
        }
    }
}

impl PredicateType {
    /// The names that can be used in place of a URI, each with a short description for help texts.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        let known = Predicate::descriptions().map(|known| (known.cosign_name, known.summary));
        known.chain(NAMED.iter().map(|named| (named.name, named.summary)))
    }

    /// The name of a URI, if it has one: of several, the first for a document in JSON.
    pub fn name_of(uri: &str) -> Option<&'static str> {
        let known = Predicate::with_uri(uri).map(|known| known.cosign_name);
        let is_named = |named: &&Named| named.uri == uri && named.form != Form::Text;
        known.or_else(|| NAMED.iter().find(is_named).map(|named| named.name))
    }

    /// The URI in statements.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The type among those that the programs know.
    pub fn known(&self) -> Option<Predicate> {
        Predicate::with_uri(&self.uri).filter(|_| self.form == Form::Object)
    }

    /// Where a predicate of this type says when it was made: JSON pointers, of which the first that is there counts.
    pub fn times(&self) -> &'static [&'static str] {
        let found = TIMES.iter().find(|(uri, _)| *uri == self.uri);
        found.map_or(&[], |(_, pointers)| pointers)
    }

    /// Makes a predicate of the contents of a file. `time`, in RFC 3339, is part of it only if the type has no other place
    /// for a time.
    ///
    /// # Errors
    /// The contents are larger than [`limits::STATEMENT`], no strict JSON where JSON is needed, not UTF-8, or not of a type
    /// that the programs know.
    pub fn predicate(&self, contents: &[u8], time: &str) -> Result<Value, Error> {
        if let Some(known) = self.known() {
            (known.parse)(contents)?;
        }
        match self.form {
            Form::Object => object(contents),
            Form::Text => Ok(Value::String(text(contents)?)),
            Form::Data => Ok(json!({"Data": text(contents)?, "Timestamp": time})),
        }
    }
}

fn object(contents: &[u8]) -> Result<Value, Error> {
    let parsed = json::parse::<Map<String, Value>>(contents, limits::STATEMENT);
    let parsed = parsed.map_err(|source| Error::Document {
        what: "predicate",
        source,
    })?;
    Ok(Value::Object(parsed))
}

fn text(contents: &[u8]) -> Result<String, Error> {
    let wrong = |expected: String, found: String| Error::Value {
        what: "predicate",
        expected,
        found,
    };
    if contents.len() as u64 > limits::STATEMENT {
        let limit = format!("at most {} bytes", limits::STATEMENT);
        return Err(wrong(limit, contents.len().to_string()));
    }
    let text = std::str::from_utf8(contents);
    let text = text.map_err(|error| wrong("UTF-8".to_owned(), error.to_string()))?;
    Ok(text.to_owned())
}

impl From<&Predicate> for PredicateType {
    fn from(predicate: &Predicate) -> Self {
        Self {
            uri: Cow::Borrowed(predicate.uri),
            form: Form::Object,
        }
    }
}

impl FromStr for PredicateType {
    type Err = InvalidType;

    fn from_str(text: &str) -> Result<Self, InvalidType> {
        let mut known = Predicate::descriptions();
        if let Some(predicate) = known.find(|predicate| predicate.cosign_name == text) {
            return Ok(Self::from(&predicate));
        }
        if let Some(named) = NAMED.iter().find(|named| named.name == text) {
            let uri = Cow::Borrowed(named.uri);
            return Ok(Self {
                uri,
                form: named.form,
            });
        }
        if text == COSIGN_SIGN {
            return Err(InvalidType::Signature);
        }
        match is_uri(text) {
            true => Ok(Self {
                uri: Cow::Owned(text.to_owned()),
                form: if text == CUSTOM {
                    Form::Data
                } else {
                    Form::Object
                },
            }),
            false => Err(InvalidType::Unknown {
                found: content::printable(text, 100),
            }),
        }
    }
}

/// Whether text may be a type: a URI (RFC 3986, with a scheme). Types are compared byte by byte, so that more need not be
/// known.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_short = text.len() <= URI_LIMIT;
    is_short
        && starts
        && scheme.chars().all(is_scheme)
        && !rest.is_empty()
        && rest.chars().all(|c| c.is_ascii_graphic())
}

impl fmt::Display for PredicateType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Provenance, Sbom};

    const TIME: &str = "2026-11-28T00:00:00Z";

    fn kind(text: &str) -> PredicateType {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_those_of_cosign() {
        for (name, uri) in [
            ("custom", CUSTOM),
            ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
            ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
            ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
            ("spdx", "https://spdx.dev/Document"),
            ("spdxjson", "https://spdx.dev/Document"),
            ("cyclonedx", "https://cyclonedx.org/bom"),
            ("link", "https://in-toto.io/Link/v1"),
            ("vuln", VULN),
            ("openvex", "https://openvex.dev/ns"),
            ("https://example.com/x/v1", "https://example.com/x/v1"),
            ("urn:x", "urn:x"),
        ] {
            assert_eq!(kind(name).uri(), uri);
        }
        for text in [
            "",
            "Custom",
            "x",
            "https:",
            "1:x",
            "https://a b",
            "https://a\n",
            ":x",
            "é:x",
        ] {
            let error = text.parse::<PredicateType>().unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("slsaprovenance1, cyclonedx, custom"),
                "{error}"
            );
        }
        let signature = COSIGN_SIGN.parse::<PredicateType>();
        assert_eq!(signature, Err(InvalidType::Signature));
        let long = format!("urn:{}", "x".repeat(URI_LIMIT));
        assert!(long.parse::<PredicateType>().is_err());
    }

    #[test]
    fn a_uri_has_one_name() {
        for name in ["custom", "vuln", "spdxjson", "slsaprovenance", "cyclonedx"] {
            assert_eq!(PredicateType::name_of(kind(name).uri()), Some(name));
        }
        assert_eq!(PredicateType::name_of("https://example.com/x"), None);
    }

    #[test]
    fn custom_is_text_with_a_time() {
        let made = kind("custom")
            .predicate(b"{\"foo\": \"bar\"}\n", TIME)
            .unwrap();
        assert_eq!(
            made,
            json!({"Data": "{\"foo\": \"bar\"}\n", "Timestamp": TIME})
        );
        assert_eq!(kind(CUSTOM).predicate(b"x", TIME).unwrap()["Data"], "x");
        assert!(kind("custom").predicate(b"\xff", TIME).is_err());
    }

    #[test]
    fn other_types_are_objects_as_they_are() {
        let made = |name: &str, bytes: &[u8]| kind(name).predicate(bytes, TIME);
        assert_eq!(
            made("vuln", br#"{"score":7.5}"#).unwrap(),
            json!({"score": 7.5})
        );
        assert_eq!(
            made("spdx", b"SPDXVersion: SPDX-2.3").unwrap(),
            "SPDXVersion: SPDX-2.3"
        );
        for bytes in [&b"[]"[..], b"1", b"{", b"{\"a\":1,\"a\":2}", b""] {
            assert!(made("https://example.com/x", bytes).is_err());
            assert!(made("spdxjson", bytes).is_err());
        }
    }

    #[test]
    fn a_known_type_is_parsed() {
        let sbom = Sbom::new().to_bytes().unwrap();
        assert_eq!(kind("cyclonedx").known(), Some(Sbom::PREDICATE));
        assert!(kind("cyclonedx").predicate(&sbom, TIME).is_ok());
        for name in ["slsaprovenance1", Provenance::PREDICATE.uri] {
            assert!(kind(name).predicate(&sbom, TIME).is_err());
        }
    }

    #[test]
    fn each_time_is_of_a_type() {
        assert_eq!(kind("vuln").times(), ["/metadata/scanFinishedOn"]);
        assert_eq!(kind("spdx").times(), kind("spdxjson").times());
        assert!(kind("link").times().is_empty());
        assert!(kind("https://example.com/x").times().is_empty());
        for (uri, _) in TIMES {
            assert_eq!(kind(uri).uri(), uri);
        }
    }
}
