//! Whether a key can be used as a grant says.

use super::finding::Finding;
use crate::document::Grant;
use crate::live::Key;

/// The grant's key must be for decryption, have a primary version that is enabled, and be protected as the grant says.
pub(super) fn check(grant: &Grant, key: &Key) -> Finding {
    let primary = key.primary.as_deref().unwrap_or("no primary version");
    let found = key.protection.clone();
    match grant.protection().map(|level| level.name()) {
        _ if key.purpose != "ENCRYPT_DECRYPT" || primary != "ENABLED" => Finding::KeyUnusable {
            purpose: key.purpose.clone(),
            primary: primary.to_owned(),
        },
        Some(expected) if expected != found => Finding::Protection {
            expected: expected.to_owned(),
            found,
        },
        _ => Finding::KeyUsable { protection: found },
    }
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
            ("ENCRYPT_DECRYPT", "HSM", Some("ENABLED"), "key-usable"),
            ("MAC", "HSM", Some("ENABLED"), "key-unusable"),
            ("ENCRYPT_DECRYPT", "HSM", None, "key-unusable"),
            ("ENCRYPT_DECRYPT", "HSM", Some("DISABLED"), "key-unusable"),
            (
                "ENCRYPT_DECRYPT",
                "SOFTWARE",
                Some("ENABLED"),
                "protection-level",
            ),
        ] {
            let live = Key {
                purpose: purpose.to_owned(),
                protection: protection.to_owned(),
                primary: primary.map(str::to_owned),
            };
            assert_eq!(check(&grant, &live).code(), expected, "{live:?}");
        }
    }
}
