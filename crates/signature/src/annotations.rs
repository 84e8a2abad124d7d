//! Annotations of a signature: what its signer says beside the image, such as a release or a stage.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::Error;

/// Annotation: the key, as unpadded base64 of its PEM. It is self-asserted and never trusted.
pub(crate) const PUB: &str = "dev.cosignproject.cosign/pub";
/// Annotation: the signature algorithm.
pub(crate) const SIGALG: &str = "dev.cosignproject.cosign/sigalg";

/// One annotation, `KEY=VALUE`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Annotation {
    key: String,
    value: String,
}

/// Annotations, each with a key of its own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Annotations(BTreeMap<String, String>);

impl FromStr for Annotation {
    type Err = Error;

    /// Parses `KEY=VALUE`; the value may contain further `=`. The keys that name the signer's key and algorithm are
    /// refused: they are written by this crate, and Confidential Space verifies with what they name.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |reason: &str| Error::Invalid(format!("parsing annotation: {reason}"));
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(invalid(&format!("expected KEY=VALUE, found {text:?}")));
        };
        if [PUB, SIGALG]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(key))
        {
            return Err(invalid(&format!(
                "{key} is reserved: it is written with every signature that Confidential Space reads"
            )));
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Annotations {
    /// Collects annotations.
    ///
    /// # Errors
    /// Two have the same key.
    pub fn new(annotations: impl IntoIterator<Item = Annotation>) -> Result<Self, Error> {
        let mut collected = BTreeMap::new();
        for Annotation { key, value } in annotations {
            if collected.contains_key(&key) {
                return Err(Error::Invalid(format!(
                    "reading annotations: {key:?} is given twice"
                )));
            }
            collected.insert(key, value);
        }
        Ok(Self(collected))
    }

    /// Keys and values, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_and_values() {
        let read = ["release=1.2", "query=a=b", "empty="].map(|text| text.parse().unwrap());
        let annotations = Annotations::new(read).unwrap();
        let pairs: Vec<_> = annotations.iter().collect();
        assert_eq!(pairs, [("empty", ""), ("query", "a=b"), ("release", "1.2")]);
    }

    #[test]
    fn refuses_keys_that_are_reserved_or_repeated() {
        for (text, reason) in [
            ("", "expected KEY=VALUE"),
            ("release", "expected KEY=VALUE"),
            ("=1", "expected KEY=VALUE"),
            ("dev.cosignproject.cosign/pub=x", "is reserved"),
            ("dev.cosignproject.cosign/SigAlg=x", "is reserved"),
        ] {
            let error = text.parse::<Annotation>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let twice = ["a=1", "a=1"].map(|text| text.parse().unwrap());
        let error = Annotations::new(twice).unwrap_err().to_string();
        assert_eq!(error, "reading annotations: \"a\" is given twice");
    }
}
