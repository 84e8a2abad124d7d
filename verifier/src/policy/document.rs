//! The policy as a document, and the keys of the names in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use attest::{Predicate, Provenance};
use console::at::At;
use oci::Repository;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use signature::PublicKey;
use trust::{Identity, Principal, Principals, Quorum};

use crate::commit::Commit;

use super::{Demand, POLICY_PARAMETERS, PolicyError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    repository: String,
    pub(super) verifier: Option<Verifier>,
    pub(super) builder: Builder,
    pub(super) source: Source,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Value>,
    principal: Vec<Named>,
    signatures: Signers,
    attestations: Attestations,
    rebuild: Rebuild,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verifier {
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Builder {
    pub(super) id: String,
    pub(super) build_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) uri: String,
    #[serde(default = "workload")]
    pub(super) directory: String,
    commit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    key: Option<PathBuf>,
    pem: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signers {
    require: Vec<String>,
    threshold: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attestations {
    require: Vec<Required>,
    by: Vec<String>,
}

/// A predicate that describes an image, by its name.
struct Required(Predicate);

impl<'de> Deserialize<'de> for Required {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Predicate::descriptions().find(|predicate| predicate.name == name);
        found.map(Self).ok_or_else(|| {
            let known = Predicate::descriptions().map(|predicate| format!("`{}`", predicate.name));
            let known = known.collect::<Vec<_>>().join(", ");
            D::Error::custom(format!(
                "unknown predicate `{name}`, expected one of {known}"
            ))
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rebuild {
    require: bool,
}

fn workload() -> String {
    "workload".to_owned()
}

impl Document {
    pub(super) fn repository(&self) -> Result<Repository, PolicyError> {
        let parsed = self.repository.parse();
        parsed.map_err(|source| PolicyError::Repository {
            found: self.repository.clone(),
            source: Box::new(source),
        })
    }

    pub(super) fn principals(
        &self,
        read_key: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Principals, PolicyError> {
        let principals = self.principal.iter().map(|named| named.resolve(read_key));
        Ok(Principals::new(principals.collect::<Result<_, _>>()?)?)
    }

    pub(super) fn signatures(&self, known: &Principals) -> Result<Quorum, PolicyError> {
        let required = keys("signatures.require", &self.signatures.require, known)?;
        let threshold = self.signatures.threshold.unwrap_or(required.len());
        Ok(Quorum::new(required, threshold, known)?)
    }

    pub(super) fn attesters(&self, known: &Principals) -> Result<BTreeSet<Identity>, PolicyError> {
        let attesters = keys("attestations.by", &self.attestations.by, known)?;
        if attesters.is_empty() && !self.attestations.require.is_empty() {
            return Err(PolicyError::NobodyAttests);
        }
        Ok(attesters)
    }

    pub(super) fn attestations(&self) -> Result<BTreeSet<Predicate>, PolicyError> {
        let wanted = self.attestations.require.iter();
        let wanted = wanted.map(|Required(predicate)| (predicate.name, *predicate));
        once("attestations.require", wanted)
    }

    /// A threshold alone does not say who must have signed. A policy must require a named signer, an
    /// attestation or a rebuild.
    pub(super) fn require_something(&self) -> Result<(), PolicyError> {
        let is_signed = !self.signatures.require.is_empty();
        let is_attested = !self.attestations.require.is_empty();
        match is_signed || is_attested || self.rebuild.require {
            true => Ok(()),
            false => Err(PolicyError::AdmitsAny),
        }
    }

    pub(super) fn commit(&self) -> Result<Option<Commit>, PolicyError> {
        let Some(text) = &self.source.commit else {
            return Ok(None);
        };
        let commit = text.parse()?;
        let mut attested = self.attestations.require.iter();
        let is_attested = attested.any(|Required(predicate)| *predicate == Provenance::PREDICATE);
        match is_attested || self.rebuild.require {
            true => Ok(Some(commit)),
            false => Err(PolicyError::UnusedCommit),
        }
    }

    pub(super) fn rebuild(&self) -> Demand {
        match self.rebuild.require {
            true => Demand::Required,
            false => Demand::Unasked,
        }
    }

    pub(super) fn parameters(&self) -> Result<BTreeMap<String, serde_json::Value>, PolicyError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in &self.parameters {
            let fixed = POLICY_PARAMETERS.contains(&name.as_str());
            let value = serde_json::to_value(value).ok().filter(|_| !fixed);
            let value = value.ok_or_else(|| PolicyError::Parameter { name: name.clone() })?;
            parameters.insert(name.clone(), value);
        }
        Ok(parameters)
    }
}

impl Named {
    fn resolve(
        &self,
        read_key: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Principal, PolicyError> {
        let principal = self.name.clone();
        let pem = match (&self.key, &self.pem) {
            (Some(path), None) => {
                let text = read_key(path).and_then(|bytes| {
                    String::from_utf8(bytes).map_err(|error| {
                        std::io::Error::new(std::io::ErrorKind::InvalidData, error)
                    })
                });
                let text = text.map_err(At::reading(path));
                text.map_err(|source| PolicyError::KeyFile {
                    principal: principal.clone(),
                    source,
                })?
            }
            (None, Some(pem)) => pem.clone(),
            _ => return Err(PolicyError::KeySource { principal }),
        };
        match PublicKey::from_pem(&pem) {
            Ok(key) => Ok(Principal {
                name: principal,
                key,
            }),
            Err(source) => Err(PolicyError::Key { principal, source }),
        }
    }
}

fn keys(
    field: &'static str,
    names: &[String],
    known: &Principals,
) -> Result<BTreeSet<Identity>, PolicyError> {
    let mut found = Vec::new();
    for name in names {
        let principal = known.named(name).ok_or_else(|| PolicyError::Stranger {
            field,
            found: name.clone(),
        })?;
        found.push((name.as_str(), principal.identity()));
    }
    once(field, found)
}

/// A list that names something twice was probably meant to name something else.
fn once<'a, T: Ord>(
    field: &'static str,
    named: impl IntoIterator<Item = (&'a str, T)>,
) -> Result<BTreeSet<T>, PolicyError> {
    let mut set = BTreeSet::new();
    for (name, value) in named {
        if !set.insert(value) {
            let found = name.to_owned();
            return Err(PolicyError::Repeated { field, found });
        }
    }
    Ok(set)
}
