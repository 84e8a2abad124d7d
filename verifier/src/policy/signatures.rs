//! `[signatures]`: the principals that must have signed an image, and which of their signatures count.

use serde::Deserialize;
use trust::{Principals, Quorum};

use super::InvalidPolicy;
use super::names::keys;

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
    /// As many as are required must have signed, unless the entry asks for more.
    pub(super) fn resolve(&self, known: &Principals) -> Result<Quorum, InvalidPolicy> {
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
}
