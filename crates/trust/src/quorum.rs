use std::collections::BTreeSet;

use crate::{Identity, Principals};

/// Who must have signed. It counts principals, not signatures: each identity once.
#[derive(Clone, Debug)]
pub struct Quorum {
    required: BTreeSet<Identity>,
    threshold: usize,
}

/// A threshold that every image meets, or none.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected 1 to {most}, found {found}")]
pub struct OutOfReach {
    /// The threshold.
    pub found: usize,
    /// The number of principals.
    pub most: usize,
}

impl Quorum {
    /// All of `required`, and `threshold` distinct principals in all.
    ///
    /// # Errors
    /// The threshold is 0, or more than there are principals.
    pub fn new(
        required: BTreeSet<Identity>,
        threshold: usize,
        principals: &Principals,
    ) -> Result<Self, OutOfReach> {
        match (1..=principals.len()).contains(&threshold) {
            true => Ok(Self {
                required,
                threshold,
            }),
            false => Err(OutOfReach {
                found: threshold,
                most: principals.len(),
            }),
        }
    }

    /// The number of distinct principals that must have signed, at least 1.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// Those who must have signed and are not in `signers`.
    pub fn missing<'a>(
        &'a self,
        signers: &'a BTreeSet<Identity>,
    ) -> impl Iterator<Item = &'a Identity> {
        self.required.difference(signers)
    }

    /// Whether there are as many signers as the threshold demands.
    pub fn is_reached(&self, signers: &BTreeSet<Identity>) -> bool {
        signers.len() >= self.threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::tests::principal;
    use signature::PrivateKey;

    #[test]
    fn a_threshold_is_within_reach() {
        let keys = [(); 2].map(|()| PrivateKey::generate().unwrap());
        let [one, two] = &keys;
        let principals = vec![principal("one", one), principal("two", two)];
        let principals = Principals::new(principals).unwrap();
        let [one, two] = keys.each_ref().map(|key| Identity::from(key.public()));
        let required = BTreeSet::from([one.clone()]);
        for found in [0, 3] {
            let refused = Quorum::new(required.clone(), found, &principals).unwrap_err();
            assert_eq!(refused, OutOfReach { found, most: 2 });
        }
        let quorum = Quorum::new(required, 2, &principals).unwrap();
        let signers = BTreeSet::from([two.clone()]);
        assert_eq!(quorum.missing(&signers).collect::<Vec<_>>(), [&one]);
        assert!(!quorum.is_reached(&signers));
        let signers = BTreeSet::from([one, two]);
        assert_eq!(quorum.missing(&signers).count(), 0);
        assert!(quorum.is_reached(&signers));
    }
}
