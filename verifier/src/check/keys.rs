//! The public keys of the command line.

use std::path::{Path, PathBuf};

use console::at;
use console::hint::Hinted;
use content::limits;
use keyless::{Reason, Refusal};
use signature::{Algorithm, PublicKey};

use super::Judgement;
use crate::Error;

const HINT: &str = "pass a public key in PEM, as `builder keygen`, cosign and openssl write it";
/// How public keys in PEM begin.
const LABELS: [&str; 2] = [
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN RSA PUBLIC KEY-----",
];
const ALGORITHM: &str = "omit --algorithm, or name one of the key's type";

/// The public keys of the command line.
pub(super) struct Keys {
    usable: Vec<PublicKey>,
    /// Why the first file that is labelled as a public key has no usable key.
    damaged: Option<Refusal>,
}

impl Keys {
    /// Reads public keys in PEM. An algorithm replaces those of each key's type.
    pub(super) fn read(paths: &[PathBuf], only: Option<Algorithm>) -> Result<Self, Error> {
        let mut keys = Self {
            usable: Vec::new(),
            damaged: None,
        };
        for path in paths {
            match (read_one(path)?, only) {
                (Ok(key), None) => keys.usable.push(key),
                (Ok(key), Some(only)) => {
                    let key = key.with_algorithm(only);
                    keys.usable.push(key.map_err(|error| invalid(path, error))?);
                }
                (Err(refusal), _) => {
                    keys.damaged.get_or_insert(refusal);
                }
            }
        }
        Ok(keys)
    }

    /// Whether one of the keys fits. A key that is damaged fits nothing.
    pub(super) fn any(&self, fits: impl FnMut(&PublicKey) -> bool) -> bool {
        self.usable.iter().any(fits)
    }

    /// The refusal of what none of the keys signed: because one of them is damaged, or else for the reason that `because`
    /// makes of the keys and how their signatures are read.
    pub(super) fn refusal(self, because: impl FnOnce(&str) -> String) -> Judgement {
        match self.damaged {
            Some(refusal) => Judgement::RefusedBy(refusal),
            None => Judgement::Refused(because(&described(&self.usable))),
        }
    }
}

/// Reads a public key in PEM. The refusal is of a file that says it is a public key and has none that is read: no signature
/// can be verified with it.
pub(super) fn read_one(path: &Path) -> Result<Result<PublicKey, Refusal>, Error> {
    let text = text(path)?;
    match PublicKey::from_pem(&text) {
        Ok(key) => Ok(Ok(key)),
        Err(error) if is_labelled(&text) => Ok(Err(Refusal {
            reason: Reason::Key,
            detail: format!("reading key {}: {error}", at::shown(path)),
        })),
        Err(error) => Err(invalid(path, error)),
    }
}

/// Whether a file says that it is one public key.
fn is_labelled(text: &str) -> bool {
    let labels = LABELS.map(|label| text.matches(label).count());
    labels.iter().sum::<usize>() == 1
}

fn text(path: &Path) -> Result<String, Error> {
    let bytes = at::read(path, limits::KEY)?;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| lossy(error.as_bytes())))
}

fn invalid(path: &Path, error: signature::Error) -> Error {
    let hint = match error {
        signature::Error::Algorithm(_) => ALGORITHM,
        _ => HINT,
    };
    let doing = format!("reading key {}", at::shown(path));
    Hinted::doing(doing, error).hinting(hint).into()
}

fn described(keys: &[PublicKey]) -> String {
    let keys = keys.iter().map(|key| {
        let names: Vec<_> = key.algorithms().map(|name| name.to_string()).collect();
        format!("key {} ({})", key.key_id().hex(), names.join(" or "))
    });
    keys.collect::<Vec<_>>().join(", or ")
}
