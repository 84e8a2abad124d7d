//! The public keys of the command line.

use std::path::{Path, PathBuf};

use console::at;
use console::hint::Hinted;
use content::limits;
use signature::{Algorithm, PublicKey};

use crate::Error;

const HINT: &str = "pass a public key in PEM, as `builder keygen`, cosign and openssl write it";
const ALGORITHM: &str = "omit --algorithm, or name one of the key's type";

/// Reads public keys in PEM. An algorithm replaces those of each key's type.
pub(super) fn read(paths: &[PathBuf], only: Option<Algorithm>) -> Result<Vec<PublicKey>, Error> {
    let keys = paths.iter().map(|path| read_one(path, only));
    keys.collect()
}

/// Reads a public key in PEM, as [`read`].
pub(super) fn read_one(path: &Path, only: Option<Algorithm>) -> Result<PublicKey, Error> {
    let bytes = at::read(path, limits::KEY)?;
    let invalid = |error| {
        let hint = match error {
            signature::Error::Algorithm(_) => ALGORITHM,
            _ => HINT,
        };
        let doing = format!("reading key {}", at::shown(path));
        Error::from(Hinted::doing(doing, error).hinting(hint))
    };
    let key = PublicKey::from_pem(&String::from_utf8_lossy(&bytes)).map_err(invalid)?;
    match only {
        Some(algorithm) => key.with_algorithm(algorithm).map_err(invalid),
        None => Ok(key),
    }
}

/// The keys and how their signatures are read, for the reason of a refusal.
pub(super) fn described(keys: &[PublicKey]) -> String {
    let keys = keys.iter().map(|key| {
        let names: Vec<_> = key.algorithms().map(|name| name.to_string()).collect();
        format!("key {} ({})", key.key_id().hex(), names.join(" or "))
    });
    keys.collect::<Vec<_>>().join(", or ")
}
