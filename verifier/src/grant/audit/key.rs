//! The key: purpose, primary version and protection level.

use super::what::What;
use grant::Grant;
use grant::live::Key;

pub(super) fn check(key: &Key, grant: &Grant) -> What {
    let primary = key.primary.as_deref().unwrap_or("no primary version");
    if key.purpose != "ENCRYPT_DECRYPT" || primary != "ENABLED" {
        return What::KeyUnusable {
            purpose: key.purpose.clone(),
            primary: primary.to_owned(),
        };
    }
    let expected = grant.protection().map(|level| level.name());
    match expected.filter(|expected| *expected != key.protection) {
        Some(expected) => What::Protection {
            expected: expected.to_owned(),
            found: key.protection.clone(),
        },
        None => What::KeyUsable {
            protection: key.protection.clone(),
        },
    }
}
