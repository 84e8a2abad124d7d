//! The list of predicates. To add one, add a file with its parser and constant, and an entry here.

use crate::predicate::{Predicate, Purpose};
use crate::{Provenance, Sbom, Vsa};

impl Predicate {
    /// Every type, in the order of reports.
    pub const ALL: [Self; 3] = [Provenance::PREDICATE, Sbom::PREDICATE, Vsa::PREDICATE];

    /// The types that describe an image.
    pub fn descriptions() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|predicate| predicate.purpose == Purpose::Description)
    }

    /// The type with this URI.
    pub fn with_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|predicate| predicate.uri == uri)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::predicate::COSIGN_SIGN;

    #[test]
    fn each_type_has_names_of_its_own() {
        let columns: [fn(&Predicate) -> &'static str; 4] = [
            |predicate| predicate.name,
            |predicate| predicate.cosign_name,
            |predicate| predicate.uri,
            |predicate| predicate.file,
        ];
        for column in columns {
            let names: BTreeSet<_> = Predicate::ALL.iter().map(column).collect();
            assert_eq!(names.len(), Predicate::ALL.len(), "{names:?}");
        }
        for predicate in Predicate::ALL {
            assert_eq!(Predicate::with_uri(predicate.uri), Some(predicate));
        }
        assert_eq!(Predicate::with_uri(COSIGN_SIGN), None);
    }

    #[test]
    fn no_type_parses_the_document_of_another() {
        let provenance: &[u8] = br#"{"buildDefinition":{"buildType":"t","externalParameters":{}},
            "runDetails":{"builder":{"id":"b"}}}"#;
        let sbom = Sbom::new().to_bytes().unwrap();
        let vsa: &[u8] = br#"{"verifier":{"id":"v"},"timeVerified":"2026-11-28T00:00:00Z",
            "resourceUri":"r","policy":{"digest":{}},"verificationResult":"PASSED","slsaVersion":"1.0"}"#;
        let documents = [provenance, &sbom, vsa];
        for (predicate, own) in Predicate::ALL.iter().zip(documents) {
            for document in documents {
                let parsed = (predicate.parse)(document);
                assert_eq!(parsed.is_ok(), document == own, "{}", predicate.name);
            }
        }
    }
}
