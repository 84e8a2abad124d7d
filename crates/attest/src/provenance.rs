//! SLSA provenance v1: from what, how and by whom an image was built.

use std::collections::BTreeMap;

use content::{json, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Statement};

/// How [`Provenance`] of ours was built: by `builder build`, with the inputs of an `Image.lock`.
pub const BUILD_TYPE: &str = "https://countersign.dev/hermetic-build/v1";

/// The predicate (slsa.dev, provenance v1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was built and from what.
    pub build_definition: BuildDefinition,
    /// Who built it.
    pub run_details: RunDetails,
}

/// The inputs.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How to read the parameters.
    pub build_type: String,
    /// What whoever asked for the build chose. A verifier must know each of them.
    #[serde(deserialize_with = "json::not_null")]
    pub external_parameters: BTreeMap<String, Value>,
    /// What the builder chose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub internal_parameters: BTreeMap<String, Value>,
    /// Everything that was fetched.
    #[serde(default)]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// One input.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ResourceDescriptor {
    /// What it is: a package URL, or `git+…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests by algorithm, as hex.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
    /// A name within the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunDetails {
    /// Who ran it.
    pub builder: Builder,
    /// When and as what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
}

/// Who ran a build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Builder {
    /// A URI that the builder is known by.
    pub id: String,
}

impl Provenance {
    /// Parses a predicate.
    ///
    /// # Errors
    /// Larger than [`limits::STATEMENT`], not strict JSON, or no provenance.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::STATEMENT).map_err(document)
    }

    /// Parses the predicate of a statement.
    ///
    /// # Errors
    /// As [`Statement::parse`].
    pub fn of_statement(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Statement::parse(bytes)?.predicate)
    }

    /// The predicate as canonical JSON.
    ///
    /// # Errors
    /// Parameters with fractions.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        json::canonical(self).map_err(document)
    }
}

fn document(source: json::JsonError) -> Error {
    Error::Document {
        what: "provenance",
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"{"buildDefinition":{"buildType":"t","externalParameters":{"a":1}},"runDetails":{"builder":{"id":"b"}}}"#;
    /// With what others put in, and we pass over.
    const FULL: &str = r#"{"buildDefinition":{"buildType":"t","externalParameters":{},
        "internalParameters":{"x":[true]},"resolvedDependencies":[{"uri":"u","digest":{"sha256":"00"},
        "name":"n","mediaType":"m","annotations":{}}]},"runDetails":{"builder":{"id":"b","version":{}},
        "metadata":{"invocationId":"i"},"byproducts":[]}}"#;

    #[test]
    fn comes_back_as_it_was() {
        for text in [MINIMAL, FULL] {
            let provenance = Provenance::parse(text.as_bytes()).unwrap();
            let bytes = provenance.to_bytes().unwrap();
            assert_eq!(Provenance::parse(&bytes).unwrap(), provenance);
        }
    }

    #[test]
    fn keeps_parameters_that_it_does_not_know() {
        let provenance = Provenance::parse(MINIMAL.as_bytes()).unwrap();
        let parameters = provenance.build_definition.external_parameters;
        assert_eq!(parameters, BTreeMap::from([("a".to_owned(), 1.into())]));
    }

    #[test]
    fn refuses_what_is_no_provenance() {
        for (from, to, reason) in [
            ("buildType", "build_type", "missing field `buildType`"),
            (
                "externalParameters",
                "parameters",
                "missing field `externalParameters`",
            ),
            (r#"{"a":1}"#, "null", "unexpected null"),
            (r#""id":"b""#, r#""id":null"#, "invalid type: null"),
            (r#""a":1"#, r#""a":1,"a":2"#, "\"a\""),
            ("runDetails", "run", "missing field `runDetails`"),
        ] {
            assert_eq!(MINIMAL.matches(from).count(), 1, "{from}");
            let text = MINIMAL.replace(from, to);
            let error = Provenance::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
