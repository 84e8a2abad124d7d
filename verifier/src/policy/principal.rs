//! `[[principal]]`: who may sign, by a key or by the subject of certificates.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use console::at::At;
use keyless::Signer;
use serde::Deserialize;
use signature::PublicKey;
use trust::{Means, Principal};

use super::InvalidPolicy;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    name: String,
    key: Option<PathBuf>,
    pem: Option<String>,
    algorithm: Option<String>,
    issuer: Option<String>,
    subject: Option<String>,
}

impl Entry {
    pub(super) fn resolve(
        &self,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Principal, InvalidPolicy> {
        let name = self.name.clone();
        let means = match (&self.issuer, &self.subject) {
            (None, None) => Means::Key(self.key(read_file)?),
            (Some(issuer), Some(subject)) if self.has_no_key() => {
                Means::Keyless(signer(&name, issuer, subject)?)
            }
            _ => return Err(self.ambiguous()),
        };
        Ok(Principal { name, means })
    }

    fn has_no_key(&self) -> bool {
        self.key.is_none() && self.pem.is_none() && self.algorithm.is_none()
    }

    fn ambiguous(&self) -> InvalidPolicy {
        let name = &self.name;
        InvalidPolicy(format!(
            "principal `{name}`: expected one of `key` and `pem`, or `issuer` with `subject`"
        ))
    }

    fn key(
        &self,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<PublicKey, InvalidPolicy> {
        let name = &self.name;
        let wrong = |error: &dyn Display| InvalidPolicy(format!("key of `{name}`: {error}"));
        let pem = match (&self.key, &self.pem) {
            (Some(path), None) => {
                let text = read_file(path).and_then(|bytes| {
                    String::from_utf8(bytes).map_err(|error| {
                        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
                    })
                });
                let text = text.map_err(At::reading(path));
                text.map_err(|at| wrong(&at))?
            }
            (None, Some(pem)) => pem.clone(),
            _ => return Err(self.ambiguous()),
        };
        let key = PublicKey::from_pem(&pem).map_err(|error| wrong(&error))?;
        let key = match &self.algorithm {
            Some(algorithm) => algorithm.parse().and_then(|only| key.with_algorithm(only)),
            None => Ok(key),
        };
        key.map_err(|error| wrong(&error))
    }
}

/// Neither may be empty, and neither is a pattern.
fn signer(name: &str, issuer: &str, subject: &str) -> Result<Signer, InvalidPolicy> {
    if issuer.is_empty() || subject.is_empty() {
        let empty = format!("principal `{name}`: `issuer` or `subject` is empty");
        return Err(InvalidPolicy(empty));
    }
    Ok(Signer {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
    })
}
