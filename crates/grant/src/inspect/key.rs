//! Whether a key can be used as a grant says.

use super::finding::Finding;
use crate::document::Grant;
use crate::live::Key;

/// What is wrong with the grant's key: it must be for decryption, have a primary version that is enabled, and be protected as the
/// grant says.
pub fn key(grant: &Grant, key: &Key) -> Option<Finding> {
    let primary = key.primary.as_deref().unwrap_or("no primary version");
    if key.purpose != "ENCRYPT_DECRYPT" || primary != "ENABLED" {
        return Some(Finding::KeyUnusable {
            purpose: key.purpose.clone(),
            primary: primary.to_owned(),
        });
    }
    let expected = grant.protection()?.name();
    (expected != key.protection).then(|| Finding::Protection {
        expected: expected.to_owned(),
        found: key.protection.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
protection_level = "HSM"
"#;

    #[test]
    fn a_key_must_decrypt_and_be_protected_as_granted() {
        let grant = Grant::parse(GRANT.as_bytes()).unwrap();
        for (purpose, protection, primary, expected) in [
            ("ENCRYPT_DECRYPT", "HSM", Some("ENABLED"), None),
            ("MAC", "HSM", Some("ENABLED"), Some("key-unusable")),
            ("ENCRYPT_DECRYPT", "HSM", None, Some("key-unusable")),
            (
                "ENCRYPT_DECRYPT",
                "HSM",
                Some("DISABLED"),
                Some("key-unusable"),
            ),
            (
                "ENCRYPT_DECRYPT",
                "SOFTWARE",
                Some("ENABLED"),
                Some("protection-level"),
            ),
        ] {
            let live = Key {
                purpose: purpose.to_owned(),
                protection: protection.to_owned(),
                primary: primary.map(str::to_owned),
            };
            let found = key(&grant, &live);
            assert_eq!(found.as_ref().map(Finding::code), expected, "{live:?}");
        }
    }
}
