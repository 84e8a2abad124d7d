//! `[signatures]`: the principals that must have signed an image, and which of their signatures count.

use serde::Deserialize;
use trust::{Principals, Quorum};

use super::names::keys;
use super::{Demand, InvalidPolicy};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) require: Vec<String>,
    threshold: Option<usize>,
    #[serde(default)]
    pub(super) without_repository: WithoutRepository,
}

/// Whether a signature counts that names the image's digest and no repository, as cosign 3 makes them by default.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WithoutRepository {
    /// It does not: the image may be presented as the release of another repository.
    #[default]
    Refuse,
    /// It does, for the digest alone.
    Count,
}

impl Entry {
    /// As many as are required must have signed, unless the entry asks for more; `None` if it asks for no signature, in so many
    /// words: then an attestation must name the image.
    pub(super) fn resolve(
        &self,
        known: &Principals,
        attestations: Demand,
    ) -> Result<Option<Quorum>, InvalidPolicy> {
        match (&self.require[..], self.threshold, attestations) {
            ([], Some(0), Demand::Required) => Ok(None),
            ([], Some(0), Demand::NotRequired) => Err(InvalidPolicy::of(
                "signatures.threshold is 0, and no attestation is required: expected predicates in attestations.require, or an \
                 [[attestation]]",
            )),
            _ => self.quorum(known).map(Some),
        }
    }

    fn quorum(&self, known: &Principals) -> Result<Quorum, InvalidPolicy> {
        let required = keys("signatures.require", &self.require, known)?;
        let threshold = self.threshold.unwrap_or(required.len());
        let quorum = Quorum::new(required, threshold, known);
        quorum.map_err(|error| InvalidPolicy(format!("signatures.threshold: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::WithoutRepository;
    use crate::policy::tests::{parse, text};
    use signature::PrivateKey;

    #[test]
    fn a_signature_must_name_the_repository_unless_the_policy_says_otherwise() {
        let key = PrivateKey::generate().unwrap();
        let policy = text(&[("builder", &key)]);
        let with = |line: &str| {
            let policy = policy.replace("[signatures]", &format!("[signatures]\n{line}"));
            parse(&policy).map(|policy| policy.without_repository)
        };
        assert_eq!(with("").unwrap(), WithoutRepository::Refuse);
        for (word, expected) in [
            ("refuse", WithoutRepository::Refuse),
            ("count", WithoutRepository::Count),
        ] {
            let found = with(&format!("without_repository = \"{word}\""));
            assert_eq!(found.unwrap(), expected);
        }
        for line in [
            "without_repository = true",
            "without_repository = \"Count\"",
        ] {
            assert!(with(line).is_err(), "{line}");
        }
    }

    #[test]
    fn an_attestation_may_be_enough() {
        let key = PrivateKey::generate().unwrap();
        let policy = text(&[("builder", &key)]);
        let none = policy.replace(
            "[signatures]\nrequire = [\"builder\"]",
            "[signatures]\nrequire = []\nthreshold = 0",
        );
        assert_ne!(none, policy);
        assert!(parse(&none).unwrap().signatures.is_none());
        let unattested = none.replace("require = [\"provenance\", \"sbom\"]", "require = []");
        let error = parse(&unattested).unwrap_err().to_string();
        assert!(error.contains("no attestation is required"), "{error}");
        let entry = "\n[[attestation]]\ntype = \"custom\"\nfrom = [\"builder\"]\n";
        assert!(parse(&(unattested + entry)).unwrap().signatures.is_none());
    }
}
