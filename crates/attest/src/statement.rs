//! The in-toto statement: a predicate about the digests of its subjects.

use std::collections::BTreeMap;

use content::{Digest, json, limits};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Predicate};

/// The statement type that this crate writes (in-toto attestation framework, statement v1).
const V1: &str = "https://in-toto.io/Statement/v1";
/// The statement type that `cosign attest` writes.
const V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// A predicate about subjects.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Written<P>", bound(deserialize = "P: DeserializeOwned"))]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: String,
    /// The subjects, which are matched by digest only.
    pub subject: Vec<Subject>,
    /// The URI of the predicate type.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The predicate.
    pub predicate: P,
}

/// A statement as signers write it: without a predicate, as cosign 2.6 does in the bundle of a signature, it has an empty
/// one (in-toto attestation framework, statement v1).
#[derive(Deserialize)]
struct Written<P> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Option<P>,
}

impl<P: DeserializeOwned> TryFrom<Written<P>> for Statement<P> {
    type Error = serde_json::Error;

    fn try_from(written: Written<P>) -> Result<Self, Self::Error> {
        let empty = || serde_json::from_value(Value::Object(Map::new()));
        Ok(Self {
            kind: written.kind,
            subject: written.subject,
            predicate_type: written.predicate_type,
            predicate: written.predicate.map_or_else(empty, Ok)?,
        })
    }
}

/// One subject of a statement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Subject {
    /// The subject's name; for an image, its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digests by algorithm, as hex.
    pub digest: BTreeMap<String, String>,
    /// What the signer says about the subject beside its digest (in-toto, resource descriptor). cosign writes the
    /// annotations of a signature here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

impl Subject {
    /// An image in a repository.
    pub fn image(repository: &str, digest: &Digest) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.hex())]);
        Self {
            name: Some(repository.to_owned()),
            digest,
            annotations: BTreeMap::new(),
        }
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
    /// The statement as JSON: the same bytes for equal statements.
    ///
    /// # Errors
    /// The statement cannot be converted to JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let document = |source| Error::Document {
            what: "statement",
            source,
        };
        json::sorted(self).map_err(document)
    }
}

impl<P: DeserializeOwned> Statement<P> {
    /// Parses a statement whose signature has been verified.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::STATEMENT`], not strict JSON, or not a statement of a known version
    /// with 1 to [`limits::SUBJECTS`] subjects and a predicate of type `P`.
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
    /// Whether `other` has equal subjects, predicate type and predicate, [`Predicate::volatile`] members apart.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.subject == other.subject
            && self.predicate_type == other.predicate_type
            && self.lasting() == other.lasting()
    }

    fn lasting(&self) -> Value {
        let mut predicate = self.predicate.clone();
        let volatile =
            Predicate::with_uri(&self.predicate_type).map_or(&[][..], |kind| kind.volatile);
        if let Some(members) = predicate.as_object_mut() {
            for name in volatile {
                members.remove(*name);
            }
        }
        predicate
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Sbom, Vsa};

    fn statement() -> Statement<Value> {
        let subject = Subject::image("registry/repo", &Digest::of(b"image"));
        Statement::new(subject, Vsa::PREDICATE.uri, json!({"a": 1}))
    }

    #[test]
    fn comes_back_as_it_was() {
        let parsed = Statement::<Value>::parse(&statement().to_bytes().unwrap()).unwrap();
        assert_eq!(parsed, statement());
        let digest = &parsed.subject[0].digest["sha256"];
        assert_eq!(*digest, Digest::of(b"image").hex());
    }

    #[test]
    fn annotations_are_part_of_the_subject() {
        let mut annotated = statement();
        annotated.subject[0].annotations = [("stage".to_owned(), json!("test"))].into();
        let bytes = annotated.to_bytes().unwrap();
        let parsed = Statement::<Value>::parse(&bytes).unwrap();
        assert_eq!(parsed.subject[0].annotations["stage"], "test");
        assert!(!parsed.says_the_same_as(&statement()));
        // cosign writes an empty object if there are none.
        let text = String::from_utf8(statement().to_bytes().unwrap()).unwrap();
        for none in ["{}", "null"] {
            let with = text.replace(
                r#""digest":{"#,
                &format!(r#""annotations":{none},"digest":{{"#),
            );
            let parsed = Statement::<Value>::parse(with.as_bytes()).unwrap();
            assert!(parsed.says_the_same_as(&statement()), "{none}");
        }
    }

    #[test]
    fn no_predicate_is_an_empty_one() {
        let text = String::from_utf8(statement().to_bytes().unwrap()).unwrap();
        for none in ["", r#""predicate":null,"#, r#""predicate":{},"#] {
            let without = text.replace(r#""predicate":{"a":1},"#, none);
            let parsed = Statement::<Value>::parse(without.as_bytes()).unwrap();
            assert_eq!(parsed.predicate, json!({}), "{without}");
            // A type of predicate decides itself what it requires.
            let error = Statement::<Vsa>::parse(without.as_bytes()).unwrap_err();
            assert!(
                std::error::Error::source(&error)
                    .is_some_and(|error| error.to_string().contains("missing field")),
                "{error}"
            );
        }
    }

    #[test]
    fn refuses_other_versions_and_no_subject() {
        let bytes = statement().to_bytes().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let other = text.replace("Statement/v1", "Statement/v2");
        let refused = |bytes: &[u8]| match Statement::<Value>::parse(bytes) {
            Err(Error::Value { what, found, .. }) => (what, found),
            other => panic!("{other:?}"),
        };
        let version = "https://in-toto.io/Statement/v2".to_owned();
        assert_eq!(refused(other.as_bytes()), ("type of statement", version));
        let mut empty = statement();
        empty.subject.clear();
        let none = ("subjects of statement", "0".to_owned());
        assert_eq!(refused(&empty.to_bytes().unwrap()), none);
    }

    #[test]
    fn the_same_verdict_at_another_time_is_the_same() {
        let verdict = |predicate: Value| Statement {
            predicate,
            ..statement()
        };
        let early = verdict(json!({"timeVerified": "1", "verificationResult": "PASSED"}));
        let late = verdict(json!({"timeVerified": "2", "verificationResult": "PASSED"}));
        assert!(early.says_the_same_as(&early) && early.says_the_same_as(&late));
        let other = verdict(json!({"timeVerified": "1", "verificationResult": "FAILED"}));
        assert!(!early.says_the_same_as(&other));
        let more = verdict(json!({"verificationResult": "PASSED", "policy": {}}));
        assert!(!early.says_the_same_as(&more));
        let elsewhere = Statement {
            subject: vec![Subject::image("registry/repo", &Digest::of(b"other"))],
            ..early.clone()
        };
        assert!(!early.says_the_same_as(&elsewhere));
        let [one, two] = [early, late].map(|statement| Statement {
            predicate_type: Sbom::PREDICATE.uri.to_owned(),
            ..statement
        });
        assert!(!one.says_the_same_as(&two));
    }
}
