//! SLSA provenance v1: the inputs, the process and the builder of an image.

use std::collections::BTreeMap;

use content::{json, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::predicate::{Predicate, Purpose};

/// The build type of images that `builder build` makes from the inputs of an `Image.lock`
/// (docs/build-type-v1.md).
pub const BUILD_TYPE: &str = "https://countersign.dev/hermetic-build/v1";

/// The external parameter with the name of the image, if its source describes several (docs/build-type-v1.md).
pub const IMAGE: &str = "image";

/// The predicate (slsa.dev, provenance v1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The build's inputs.
    pub build_definition: BuildDefinition,
    /// The builder and the run.
    pub run_details: RunDetails,
}

/// The inputs of a build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// The URI of the build type, which defines the parameters.
    pub build_type: String,
    /// The parameters that the user of the builder chose. A verifier must know each of them.
    #[serde(deserialize_with = "json::not_null")]
    pub external_parameters: BTreeMap<String, Value>,
    /// The parameters that the builder chose.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub internal_parameters: BTreeMap<String, Value>,
    /// Everything that the build used: the source, the lock, and what they name.
    #[serde(default)]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// One input.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ResourceDescriptor {
    /// The URI of the input: a package URL, or `git+…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests by algorithm, as hex.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
    /// A name within the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The builder and the run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunDetails {
    /// The builder.
    pub builder: Builder,
    /// Times and identifier of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
}

/// The builder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Builder {
    /// The URI of the builder.
    pub id: String,
}

impl Provenance {
    /// The type of predicate.
    pub const PREDICATE: Predicate = Predicate {
        name: "provenance",
        cosign_name: "slsaprovenance1",
        uri: "https://slsa.dev/provenance/v1",
        media_type: "application/json",
        file: "provenance.json",
        summary: "SLSA provenance: how the image was built",
        purpose: Purpose::Description,
        volatile: &[],
        parse: |bytes| Self::parse(bytes).map(drop),
    };

    /// Parses a predicate.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::STATEMENT`], not strict JSON, or not provenance.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::STATEMENT).map_err(document)
    }

    /// The predicate as canonical JSON.
    ///
    /// # Errors
    /// A parameter contains a number that is not an integer.
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
    /// With members that other builders write and that this parser ignores.
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
    fn refuses_other_documents() {
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
