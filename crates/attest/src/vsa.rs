use std::collections::BTreeMap;

use content::{json, limits};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::predicate::{Predicate, Purpose};

/// A verdict (SLSA verification summary v1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vsa {
    /// The verifier that reached the verdict.
    pub verifier: Verifier,
    /// The time of the verdict, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_verified: Option<String>,
    /// The image, by digest.
    pub resource_uri: String,
    /// The policy that was applied.
    pub policy: PolicyDescriptor,
    /// `PASSED` or `FAILED`.
    pub verification_result: String,
    /// The SLSA levels that were verified.
    #[serde(default)]
    pub verified_levels: Vec<String>,
    /// The version of the SLSA specification; some minor version of 1 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

/// The verifier that reached a verdict.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verifier {
    /// The URI of the verifier.
    pub id: String,
}

/// A policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PolicyDescriptor {
    /// The URI of the policy. SLSA demands it; summaries that this program signed before do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests by algorithm, as hex. A verifier should state one, and may state none.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

impl Vsa {
    /// The type of predicate. Verdicts that differ only in their times are equal.
    pub const PREDICATE: Predicate = Predicate {
        name: "vsa",
        cosign_name: Self::URI,
        uri: Self::URI,
        media_type: "application/json",
        file: "vsa.json",
        summary: "SLSA verification summary: the verdict of a verifier",
        purpose: Purpose::Verdict,
        volatile: &["timeVerified"],
        parse: |bytes| Self::parse(bytes).map(drop),
    };
    const URI: &str = "https://slsa.dev/verification_summary/v1";

    /// Parses a predicate.
    ///
    /// # Errors
    /// The bytes are larger than [`limits::STATEMENT`], not strict JSON, or not a verification summary.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        json::parse(bytes, limits::STATEMENT).map_err(|source| Error::Document {
            what: "verification summary",
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_example_of_the_specification() {
        // slsa.dev, verification summary v1, cut to what we read and one member that we do not.
        let text = br#"{"verifier":{"id":"https://example.com/publication_verifier","version":{"slsa-verifier-linux-amd64":"v2.3.0"}},
            "timeVerified":"1985-04-12T23:20:50.52Z","resourceUri":"https://example.com/example-1.2.3.tar.gz",
            "policy":{"uri":"https://example.com/example_tarball.policy","digest":{"sha256":"1234"}},
            "inputAttestations":[],"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"],
            "dependencyLevels":{},"slsaVersion":"1.0"}"#;
        let vsa = Vsa::parse(text).unwrap();
        assert_eq!(vsa.verification_result, "PASSED");
        assert_eq!(vsa.policy.digest["sha256"], "1234");
        let bytes = json::canonical(&vsa).unwrap();
        assert_eq!(Vsa::parse(&bytes).unwrap(), vsa);
    }

    #[test]
    fn what_is_optional_may_be_absent() {
        let required = r#"{"verifier":{"id":"v"},"resourceUri":"r","policy":{"uri":"p"},"verificationResult":"PASSED","verifiedLevels":[]}"#;
        let vsa = Vsa::parse(required.as_bytes()).unwrap();
        assert_eq!((vsa.time_verified, vsa.slsa_version), (None, None));
        assert!(vsa.policy.digest.is_empty());
        // As this program signed them before.
        let unnamed = required.replace(r#"{"uri":"p"}"#, r#"{"digest":{"sha256":"00"}}"#);
        assert_eq!(Vsa::parse(unnamed.as_bytes()).unwrap().policy.uri, None);
        for member in [
            r#""verifier":{"id":"v"},"#,
            r#""id":"v""#,
            r#""resourceUri":"r","#,
            r#""policy":{"uri":"p"},"#,
            r#""verificationResult":"PASSED","#,
        ] {
            let without = required.replace(member, "");
            assert_ne!(without, required);
            assert!(Vsa::parse(without.as_bytes()).is_err(), "{without}");
        }
    }
}
