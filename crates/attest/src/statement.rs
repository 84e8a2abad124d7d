use std::collections::BTreeMap;

use content::{Digest, json, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// What we write (in-toto attestation framework, statement v1).
const V1: &str = "https://in-toto.io/Statement/v1";
/// What `cosign attest` still writes.
const V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// A predicate about subjects.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: String,
    /// What it is about; matched by digest alone.
    pub subject: Vec<Subject>,
    /// What kind of thing is said.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: P,
}

/// One thing that a statement is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subject {
    /// A name; for an image, its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digests by algorithm, as hex.
    pub digest: BTreeMap<String, String>,
}

impl Subject {
    /// An image in a repository.
    pub fn image(repository: &str, digest: &Digest) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.hex())]);
        Self {
            name: Some(repository.to_owned()),
            digest,
        }
    }

    /// The SHA-256, if there is one and it is well-formed.
    pub fn sha256(&self) -> Option<Digest> {
        self.digest
            .get("sha256")
            .and_then(|hex| Digest::from_hex(hex).ok())
    }
}

impl<P> Statement<P> {
    /// A statement about one subject.
    pub fn new(subject: Subject, predicate_type: &str, predicate: P) -> Self {
        let (kind, predicate_type) = (V1.to_owned(), predicate_type.to_owned());
        Self {
            kind,
            subject: vec![subject],
            predicate_type,
            predicate,
        }
    }
}

impl<P: Serialize> Statement<P> {
    /// The statement as canonical JSON.
    ///
    /// # Errors
    /// A predicate with fractions.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let document = |source| Error::Document {
            what: "statement",
            source,
        };
        json::canonical(self).map_err(document)
    }
}

impl<P: DeserializeOwned> Statement<P> {
    /// Parses a statement whose signature has been verified.
    ///
    /// # Errors
    /// Larger than [`limits::STATEMENT`], not strict JSON, another version, no subject or too many,
    /// or another predicate than `P`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let document = |source| Error::Document {
            what: "statement",
            source,
        };
        let statement: Self = json::parse(bytes, limits::STATEMENT).map_err(document)?;
        if ![V1, V0_1].contains(&statement.kind.as_str()) {
            let (expected, found) = (V1.to_owned(), statement.kind);
            return Err(Error::Value {
                what: "type of statement",
                expected,
                found,
            });
        }
        if !(1..=limits::SUBJECTS).contains(&statement.subject.len()) {
            return Err(Error::Value {
                what: "subjects of statement",
                expected: format!("1 to {}", limits::SUBJECTS),
                found: statement.subject.len().to_string(),
            });
        }
        Ok(statement)
    }
}

impl Statement<Value> {
    /// Parses a statement of any kind.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub fn parse_any(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement<Value> {
        let subject = Subject::image("registry/repo", &Digest::of(b"image"));
        Statement::new(subject, crate::predicate::VSA, serde_json::json!({"a": 1}))
    }

    #[test]
    fn comes_back_as_it_was() {
        let parsed = Statement::parse_any(&statement().to_bytes().unwrap()).unwrap();
        assert_eq!(parsed, statement());
        assert_eq!(parsed.subject[0].sha256(), Some(Digest::of(b"image")));
    }

    #[test]
    fn refuses_other_versions_and_no_subject() {
        let bytes = statement().to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let other = text.replace("Statement/v1", "Statement/v2");
        assert!(Statement::parse_any(other.as_bytes()).is_err());
        let mut empty = statement();
        empty.subject.clear();
        assert!(Statement::parse_any(&empty.to_bytes().unwrap()).is_err());
    }

    #[test]
    fn a_digest_in_capitals_is_none() {
        let digest = BTreeMap::from([("sha256".to_owned(), Digest::of(b"").hex().to_uppercase())]);
        assert_eq!(Subject { name: None, digest }.sha256(), None);
    }
}
