//! Who signed: principals are keys, and a key counts once however often it signed.

use std::collections::BTreeSet;

use content::Digest;

/// Somebody who signs, known by the digest of the public key (SPKI in DER).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Principal(pub Digest);

/// How many different principals there are among `signers`.
pub fn distinct(signers: impl IntoIterator<Item = Principal>) -> usize {
    signers.into_iter().collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_a_key_once() {
        let [a, b] = [b"a", b"b"].map(|key| Principal(Digest::of(key)));
        assert_eq!(distinct([a, b, a]), 2);
    }
}
