//! The policy as a TOML document; its names are resolved to keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};

use attest::provenance::{BUILD_TYPE, IMAGE};
use attest::{ImageName, InvalidImageName, Predicate, Provenance};
use console::at::At;
use content::Digest;
use keyless::TrustRoot;
use oci::{Evidence, Repository};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use trust::{Identity, Principal, Principals, Quorum};

use crate::commit::{Commit, InvalidCommit};

use super::names::{keys, once};
use super::{
    Demand, InvalidPolicy, POLICY_PARAMETERS, advisories, attestation, countersigners, principal,
    signatures,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    repository: String,
    pub(super) verifier: Option<Verifier>,
    pub(super) builder: Builder,
    pub(super) source: Source,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Value>,
    keyless: Option<Keyless>,
    principal: Vec<principal::Entry>,
    pub(super) signatures: signatures::Entry,
    countersignatures: Option<countersigners::Entry>,
    #[serde(default)]
    evidence: Evidence,
    attestations: Attestations,
    #[serde(default)]
    attestation: Vec<attestation::Entry>,
    advisories: Option<advisories::Entry>,
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
    directory: String,
    image: Option<String>,
    commit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keyless {
    trusted_root: PathBuf,
    digest: Option<Digest>,
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
    pub(super) fn repository(&self) -> Result<Repository, InvalidPolicy> {
        let parsed = self.repository.parse();
        parsed.map_err(|error| {
            let found = &self.repository;
            InvalidPolicy(format!("repository `{found}`: {error}"))
        })
    }

    pub(super) fn principals(
        &self,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Principals, InvalidPolicy> {
        let principals = self.principal.iter().map(|named| named.resolve(read_file));
        Principals::new(principals.collect::<Result<_, _>>()?).map_err(InvalidPolicy::of)
    }

    /// Adds the trusted root, and its digest. Principals who sign with certificates need one.
    pub(super) fn with_root(
        &self,
        principals: Principals,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<(Principals, Option<Digest>), InvalidPolicy> {
        let Some(keyless) = &self.keyless else {
            let mut all = principals.iter();
            return match all.find(|principal| principal.signer().is_some()) {
                Some(Principal { name, .. }) => Err(InvalidPolicy(format!(
                    "principal `{name}` signs with certificates, but keyless.trusted_root is missing"
                ))),
                None => Ok((principals, None)),
            };
        };
        let (root, digest) = keyless.read(read_file)?;
        Ok((principals.with_root(root), Some(digest)))
    }

    pub(super) fn quorum(&self, known: &Principals) -> Result<Option<Quorum>, InvalidPolicy> {
        let attestations = match self.is_attested() {
            true => Demand::Required,
            false => Demand::NotRequired,
        };
        self.signatures.resolve(known, attestations)
    }

    /// Whether an attestation is required.
    fn is_attested(&self) -> bool {
        !self.attestations.require.is_empty() || !self.attestation.is_empty()
    }

    pub(super) fn countersigners(
        &self,
        known: &Principals,
    ) -> Result<Option<countersigners::Countersigners>, InvalidPolicy> {
        let entry = self.countersignatures.as_ref();
        entry.map(|entry| entry.resolve(known)).transpose()
    }

    pub(super) fn evidence(&self) -> Result<Evidence, InvalidPolicy> {
        let own = self.repository()?;
        let beside = self.evidence.clone().beside(&own);
        beside.map_err(InvalidPolicy::of)
    }

    pub(super) fn attesters(
        &self,
        known: &Principals,
    ) -> Result<BTreeSet<Identity>, InvalidPolicy> {
        let attesters = keys("attestations.by", &self.attestations.by, known)?;
        if attesters.is_empty() && !self.attestations.require.is_empty() {
            return Err(InvalidPolicy::of(
                "attestations.by is empty, but attestations.require is not",
            ));
        }
        Ok(attesters)
    }

    pub(super) fn attestations(&self) -> Result<BTreeSet<Predicate>, InvalidPolicy> {
        let wanted = self.attestations.require.iter();
        let wanted = wanted.map(|Required(predicate)| (predicate.name, *predicate));
        once("attestations.require", wanted)
    }

    /// The entries `[[attestation]]`.
    pub(super) fn required(
        &self,
        known: &Principals,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Vec<attestation::Required>, InvalidPolicy> {
        let entries = self.attestation.iter();
        entries
            .map(|entry| entry.resolve(known, read_file))
            .collect()
    }

    /// The entry `[advisories]`. Something must list the packages.
    pub(super) fn advisories(
        &self,
        known: &Principals,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<Option<advisories::Advisories>, InvalidPolicy> {
        let Some(entry) = &self.advisories else {
            return Ok(None);
        };
        let mut attested = self.attestations.require.iter();
        let has_bill = attested.any(|Required(predicate)| *predicate == attest::Sbom::PREDICATE);
        match has_bill || self.rebuild.require {
            true => entry.resolve(known, read_file).map(Some),
            false => Err(InvalidPolicy::of(
                "[advisories] needs \"sbom\" in attestations.require, or rebuild.require = true: otherwise nothing lists \
                 the packages",
            )),
        }
    }

    /// A threshold alone does not say who must have signed. A policy must require a named signer, an
    /// attestation or a rebuild.
    pub(super) fn require_something(&self) -> Result<(), InvalidPolicy> {
        let is_signed = !self.signatures.require.is_empty();
        match is_signed || self.is_attested() || self.rebuild.require {
            true => Ok(()),
            false => Err(InvalidPolicy::of(
                "it admits any image: expected signers in signatures.require, predicates in \
                 attestations.require, an [[attestation]], or rebuild.require = true",
            )),
        }
    }

    pub(super) fn commit(&self) -> Result<Option<Commit>, InvalidPolicy> {
        let Some(text) = &self.source.commit else {
            return Ok(None);
        };
        let commit = text.parse();
        let commit = commit
            .map_err(|error: InvalidCommit| InvalidPolicy(format!("source.commit: {error}")))?;
        self.check_compared("commit")?;
        Ok(Some(commit))
    }

    /// Refuses an entry of `[source]` that nothing would be compared with.
    fn check_compared(&self, entry: &str) -> Result<(), InvalidPolicy> {
        let mut attested = self.attestations.require.iter();
        let is_attested = attested.any(|Required(predicate)| *predicate == Provenance::PREDICATE);
        match is_attested || self.rebuild.require {
            true => Ok(()),
            false => Err(InvalidPolicy(format!(
                "source.{entry} is compared with provenance and with the rebuild, and the policy requires neither"
            ))),
        }
    }

    pub(super) fn rebuild(&self) -> Demand {
        match self.rebuild.require {
            true => Demand::Required,
            false => Demand::NotRequired,
        }
    }

    /// The directory as provenance names it: the top of the source has an empty name.
    pub(super) fn directory(&self) -> String {
        match self.source.directory.as_str() {
            "." => String::new(),
            directory => directory.to_owned(),
        }
    }

    /// The name of the image, as an entry of `[source]` or as a parameter. Another type of build may have a parameter `image` that means
    /// something else.
    pub(super) fn image(&self) -> Result<Option<ImageName>, InvalidPolicy> {
        let (entry, name) = match (&self.source.image, self.parameters.get(IMAGE)) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(InvalidPolicy::of(
                    "source.image and parameters.image are the same: write one of them",
                ));
            }
            (Some(name), None) => {
                self.check_compared(IMAGE)?;
                ("source.image", Some(name.as_str()))
            }
            (None, Some(_)) if !self.is_built_here() => return Ok(None),
            (None, Some(value)) => ("parameters.image", value.as_str()),
        };
        let wrong = |fault: &dyn Display| InvalidPolicy(format!("{entry}: {fault}"));
        let name = name.ok_or_else(|| wrong(&"expected a string"))?;
        let name = name.parse();
        name.map(Some)
            .map_err(|error: InvalidImageName| wrong(&error))
    }

    /// Whether the builder of this project builds the image.
    fn is_built_here(&self) -> bool {
        self.rebuild.require || self.builder.build_type == BUILD_TYPE
    }

    /// The external parameters that are fixed, with the name of the image.
    pub(super) fn parameters(
        &self,
        image: Option<&ImageName>,
    ) -> Result<BTreeMap<String, serde_json::Value>, InvalidPolicy> {
        let mut parameters = BTreeMap::new();
        for (name, value) in &self.parameters {
            let fixed = POLICY_PARAMETERS.contains(&name.as_str());
            let value = serde_json::to_value(value).ok().filter(|_| !fixed);
            let value = value
                .ok_or_else(|| InvalidPolicy(format!("parameters.{name} cannot be set here")))?;
            parameters.insert(name.clone(), value);
        }
        if let Some(image) = image {
            parameters.insert(IMAGE.to_owned(), image.as_str().into());
        }
        Ok(parameters)
    }
}

impl Keyless {
    fn read(
        &self,
        read_file: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<(TrustRoot, Digest), InvalidPolicy> {
        let wrong = |error: &dyn Display| InvalidPolicy(format!("keyless.trusted_root: {error}"));
        let bytes = read_file(&self.trusted_root).map_err(At::reading(&self.trusted_root));
        let bytes = bytes.map_err(|at| wrong(&at))?;
        let found = Digest::of(&bytes);
        if let Some(expected) = self.digest.filter(|expected| *expected != found) {
            return Err(wrong(&format!("expected {expected}, found {found}")));
        }
        let root = TrustRoot::parse(&bytes).map_err(|refusal| wrong(&refusal))?;
        Ok((root, found))
    }
}
