//! The keys that are trusted to sign a package index. They are pinned in this program, because locks and the keyrings that
//! are published with images are untrusted.

use std::collections::BTreeSet;

use crate::lock::signature::Fingerprint;

/// Keys that sign Debian's archives of bookworm (12) and trixie (13), main and security: the signing
/// subkeys of the automatic keys, and the release keys. Read from `debian-archive-keyring.gpg` of the Debian
/// package debian-archive-keyring, version 2023.3+deb12u2, with
/// `gpg --show-keys --with-subkey-fingerprint`.
const DEBIAN: [&str; 6] = [
    // Debian Archive Automatic Signing Key (12/bookworm), signing subkey
    "4CB50190207B4758A3F73A796ED0E7B82643E131",
    // Debian Security Archive Automatic Signing Key (12/bookworm), signing subkey
    "B0CAB9266E8C3929798B3EEEBDE6D2B9216EC7A8",
    // Debian Stable Release Key (12/bookworm)
    "4D64FEC119C2029067D6E791F8D2585B8783D481",
    // Debian Archive Automatic Signing Key (13/trixie), signing subkey
    "B8E5F13176D2A7A75220028078DBA3BC47EF2265",
    // Debian Security Archive Automatic Signing Key (13/trixie), signing subkey
    "89C87ACEA5DD6B8E6A7068808E9F831205B4BA95",
    // Debian Stable Release Key (13/trixie)
    "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
];

/// The trusted keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signers(BTreeSet<Fingerprint>);

impl Signers {
    /// Debian's keys, and those that the user names.
    pub fn with(more: &[Fingerprint]) -> Self {
        let debian = DEBIAN.iter().filter_map(|digits| digits.parse().ok());
        Self(debian.chain(more.iter().cloned()).collect())
    }

    /// Whether `key` is trusted.
    pub fn contains(&self, key: &Fingerprint) -> bool {
        self.0.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::signature::InvalidFingerprint;

    #[test]
    fn fingerprints_are_read_as_gpg_prints_them() {
        let spaced = "4cb5 0190 207b 4758 a3f7  3a79 6ed0 e7b8 2643 e131";
        assert_eq!(
            spaced.parse::<Fingerprint>().unwrap().to_string(),
            DEBIAN[0]
        );
        for wrong in ["", "6ED0E7B82643E131", &DEBIAN[0][1..], &"G".repeat(40)] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(InvalidFingerprint));
        }
    }

    #[test]
    fn trusts_debians_keys_and_named_keys() {
        let own: Fingerprint = "A".repeat(40).parse().unwrap();
        for digits in DEBIAN {
            assert!(Signers::with(&[]).contains(&digits.parse().unwrap()));
        }
        assert!(!Signers::with(&[]).contains(&own));
        assert!(Signers::with(std::slice::from_ref(&own)).contains(&own));
    }
}
