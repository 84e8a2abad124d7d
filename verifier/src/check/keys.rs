//! The public keys of the command line.

use std::path::{Path, PathBuf};

use console::at;
use console::hint::Hinted;
use content::limits;
use signature::{Algorithm, PublicKey};

use crate::Error;

const HINT: &str = "pass a public key in PEM, as `builder keygen`, cosign and openssl write it";
/// How a public key in PEM begins.
const LABEL: &str = "-----BEGIN PUBLIC KEY-----";
const ALGORITHM: &str = "omit --algorithm, or name one of the key's type";

/// Reads public keys in PEM. An algorithm replaces those of each key's type.
pub(super) fn read(paths: &[PathBuf], only: Option<Algorithm>) -> Result<Vec<PublicKey>, Error> {
    let keys = paths.iter().map(|path| read_one(path, only));
    keys.collect()
}

fn read_one(path: &Path, only: Option<Algorithm>) -> Result<PublicKey, Error> {
    let key = PublicKey::from_pem(&text(path)?).map_err(|error| invalid(path, error))?;
    match only {
        Some(algorithm) => key
            .with_algorithm(algorithm)
            .map_err(|error| invalid(path, error)),
        None => Ok(key),
    }
}

/// Reads a public key in PEM. The inner error is why a file that says it is a public key is none: nobody can have signed
/// with it.
pub(super) fn read_labelled(path: &Path) -> Result<Result<PublicKey, String>, Error> {
    let text = text(path)?;
    match PublicKey::from_pem(&text) {
        Ok(key) => Ok(Ok(key)),
        Err(error) if text.matches(LABEL).count() == 1 => Ok(Err(error.to_string())),
        Err(error) => Err(invalid(path, error)),
    }
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes = at::read(path, limits::KEY)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn invalid(path: &Path, error: signature::Error) -> Error {
    let hint = match error {
        signature::Error::Algorithm(_) => ALGORITHM,
        _ => HINT,
    };
    let doing = format!("reading key {}", at::shown(path));
    Hinted::doing(doing, error).hinting(hint).into()
}

/// The keys and how their signatures are read, for the reason of a refusal.
pub(super) fn described(keys: &[PublicKey]) -> String {
    let keys = keys.iter().map(|key| {
        let names: Vec<_> = key.algorithms().map(|name| name.to_string()).collect();
        format!("key {} ({})", key.key_id().hex(), names.join(" or "))
    });
    keys.collect::<Vec<_>>().join(", or ")
}
