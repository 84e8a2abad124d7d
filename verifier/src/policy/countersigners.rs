//! `[countersignatures]`: the parties that must have signed an image before it is bound.

use std::collections::BTreeSet;

use serde::Deserialize;
use trust::{Identity, Principals};

use super::InvalidPolicy;
use super::names::keys;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    from: Vec<String>,
    threshold: Option<usize>,
}

/// The parties, and how many of them must have signed. Each counts once.
#[derive(Clone, Debug)]
pub(crate) struct Countersigners {
    /// The parties.
    pub(crate) from: BTreeSet<Identity>,
    /// How many must have signed, at least 1 and at most all.
    pub(crate) threshold: usize,
}

impl Entry {
    /// All parties must have signed, unless the entry says how many.
    pub(super) fn resolve(&self, known: &Principals) -> Result<Countersigners, InvalidPolicy> {
        let from = keys("countersignatures.from", &self.from, known)?;
        let (most, threshold) = (from.len(), self.threshold.unwrap_or(from.len()));
        match (1..=most).contains(&threshold) {
            true => Ok(Countersigners { from, threshold }),
            false if most == 0 => Err(InvalidPolicy::of(
                "countersignatures.from: expected a principal",
            )),
            false => Err(InvalidPolicy(format!(
                "countersignatures.threshold: expected 1 to {most}, found {threshold}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{parse, text};
    use signature::PrivateKey;

    #[test]
    fn a_threshold_is_within_reach() {
        let keys = [(); 3].map(|()| PrivateKey::generate().unwrap());
        let [builder, one, two] = &keys;
        let policy = text(&[("builder", builder), ("one", one), ("two", two)]);
        let read = |entry: &str| {
            let parsed = parse(&format!("{policy}\n[countersignatures]\n{entry}\n"));
            let found = parsed.map(|policy| policy.countersigners.unwrap());
            found.map(|found| (found.from.len(), found.threshold))
        };
        assert_eq!(read("from = [\"one\", \"two\"]").unwrap(), (2, 2));
        let one = read("from = [\"one\", \"two\"]\nthreshold = 1");
        assert_eq!(one.unwrap(), (2, 1));
        for (entry, fault) in [
            ("from = []", "from: expected a principal"),
            ("from = [\"x\"]", "names `x`, but no [[principal]]"),
            ("from = [\"one\", \"one\"]", "names `one` twice"),
            (
                "from = [\"one\"]\nthreshold = 0",
                "expected 1 to 1, found 0",
            ),
            (
                "from = [\"one\"]\nthreshold = 2",
                "expected 1 to 1, found 2",
            ),
            ("from = [\"one\"]\nrequire = []", "unknown field `require`"),
        ] {
            let error = read(entry).unwrap_err().to_string();
            assert!(error.contains(fault), "{entry}: {error}");
        }
    }
}
