//! The key: purpose, primary version and protection level.

use super::what::What;
use grant::live::Key;
use grant::{Grant, inspect};

pub(super) fn check(key: &Key, grant: &Grant) -> What {
    match inspect::key(grant, key) {
        Some(finding) => What::Differs(finding),
        None => What::KeyUsable {
            protection: key.protection.clone(),
        },
    }
}
