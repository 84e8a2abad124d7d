//! Key rings, keys and their versions. None is ever removed: a version that is destroyed keeps its name, and loses its secret.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, RandomizedNonceKey};
use google::kms::{Key, KeyRing, KeyVersion};
use serde::{Deserialize, Serialize};

use super::algorithm::SigningAlgorithm;
use super::message::Purpose;
use super::{Holder, no_version};
use crate::random;
use crate::status::Status;

/// The time between the order to destroy a version and its end, in seconds (Cloud KMS, `destroy_scheduled_duration`).
const SCHEDULED: u64 = 30 * 24 * 3600;

/// Key rings and keys by name.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Keys {
    /// When each was created, in Unix seconds.
    pub(super) rings: BTreeMap<KeyRing, u64>,
    pub(super) keys: BTreeMap<Key, KeyMaterial>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(super) struct KeyMaterial {
    pub(super) purpose: Purpose,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) created: u64,
    /// The version that encrypts.
    pub(super) primary: u64,
    pub(super) versions: BTreeMap<u64, Version>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Version {
    pub(super) state: VersionState,
    pub(super) created: u64,
    /// `None` once the version is destroyed.
    secret: Option<Secret>,
}

/// The state of a key version (`CryptoKeyVersionState`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum VersionState {
    /// It can be used.
    Enabled,
    /// It cannot be used until it is enabled.
    Disabled,
    /// It is destroyed at this time, in Unix seconds, unless it is restored before.
    DestroyScheduled(u64),
}

impl VersionState {
    /// The name in the API at a time, in Unix seconds.
    pub fn name(self, now: u64) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
            Self::DestroyScheduled(at) if now < at => "DESTROY_SCHEDULED",
            Self::DestroyScheduled(_) => "DESTROYED",
        }
    }
}

/// The secret bytes of a key, which are never shown: 32 for encryption, PKCS #8 for signatures.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Secret(#[serde(with = "crate::state::base64")] pub(super) Vec<u8>);

impl Keys {
    pub(super) fn has(&self, holder: &Holder) -> bool {
        match holder {
            Holder::Ring(ring) => self.rings.contains_key(ring),
            Holder::Key(key) => self.keys.contains_key(key),
        }
    }

    /// Whether [`Self::destroy_due`] has anything to do.
    pub(super) fn is_any_due(&self, now: u64) -> bool {
        let mut versions = self.keys.values().flat_map(|key| key.versions.values());
        versions.any(|version| version.is_due(now))
    }

    /// Removes the secrets of the versions whose time has come.
    pub(super) fn destroy_due(&mut self, now: u64) {
        let versions = self
            .keys
            .values_mut()
            .flat_map(|key| key.versions.values_mut());
        for version in versions.filter(|version| version.is_due(now)) {
            version.secret = None;
        }
    }

    pub(super) fn key(&self, name: &Key) -> Result<&KeyMaterial, Status> {
        let found = self.keys.get(name);
        found.ok_or_else(|| Status::not_found(format!("CryptoKey {name} not found.")))
    }

    pub(super) fn version_mut(&mut self, name: &KeyVersion) -> Result<&mut Version, Status> {
        let key = self.keys.get_mut(name.key());
        let version = key.and_then(|key| key.versions.get_mut(&name.number()));
        version.ok_or_else(|| no_version(name))
    }

    /// The number of the version that encrypts with a key.
    pub(super) fn primary(&self, name: &Key) -> Result<u64, Status> {
        Ok(self.key(name)?.primary)
    }

    /// A version that encrypts, and is enabled.
    pub(super) fn symmetric(
        &self,
        name: &KeyVersion,
        now: u64,
    ) -> Result<RandomizedNonceKey, Status> {
        let key = self.key(name.key())?;
        if key.purpose != Purpose::EncryptDecrypt {
            let key = name.key();
            return Err(Status::precondition(format!(
                "{key} is not for encryption."
            )));
        }
        let secret = key.usable(name, now)?;
        RandomizedNonceKey::new(&AES_256_GCM, &secret.0).map_err(|_| Status::internal())
    }

    /// A version that signs, and is enabled.
    pub(super) fn signing(
        &self,
        name: &KeyVersion,
        now: u64,
    ) -> Result<(SigningAlgorithm, Secret), Status> {
        let key = self.keys.get(name.key());
        let key = key.ok_or_else(|| no_version(name))?;
        key.version(name)?;
        match key.purpose {
            Purpose::AsymmetricSign(algorithm) => Ok((algorithm, key.usable(name, now)?.clone())),
            Purpose::EncryptDecrypt => Err(Status::precondition(format!(
                "{name} is not for signatures."
            ))),
        }
    }
}

impl KeyMaterial {
    /// A key with one version.
    pub(super) fn new(
        purpose: Purpose,
        labels: BTreeMap<String, String>,
        now: u64,
    ) -> Result<Self, Status> {
        let mut key = Self {
            purpose,
            labels,
            created: now,
            primary: 1,
            versions: BTreeMap::new(),
        };
        key.add(now)?;
        Ok(key)
    }

    /// Adds a version, and returns its number.
    pub(super) fn add(&mut self, now: u64) -> Result<u64, Status> {
        let secret = match self.purpose {
            Purpose::EncryptDecrypt => random::bytes().map_err(|_| Status::internal())?.to_vec(),
            Purpose::AsymmetricSign(algorithm) => algorithm.generate()?,
        };
        let number = self.versions.len() as u64 + 1;
        let version = Version {
            state: VersionState::Enabled,
            created: now,
            secret: Some(Secret(secret)),
        };
        self.versions.insert(number, version);
        Ok(number)
    }

    fn usable(&self, name: &KeyVersion, now: u64) -> Result<&Secret, Status> {
        let version = self.version(name)?;
        check_enabled(name, version.state, now)?;
        version.secret.as_ref().ok_or_else(Status::internal)
    }

    pub(super) fn version(&self, name: &KeyVersion) -> Result<&Version, Status> {
        let version = self.versions.get(&name.number());
        version.ok_or_else(|| no_version(name))
    }
}

/// Checks that a version can be used.
fn check_enabled(name: &KeyVersion, state: VersionState, now: u64) -> Result<(), Status> {
    match state {
        VersionState::Enabled => Ok(()),
        state => Err(Status::precondition(format!(
            "{name} is not enabled, current state is: {}.",
            state.name(now)
        ))),
    }
}

impl Version {
    /// Whether the time of its end has come, and its secret is still there.
    fn is_due(&self, now: u64) -> bool {
        let is_over = matches!(self.state, VersionState::DestroyScheduled(at) if at <= now);
        is_over && self.secret.is_some()
    }

    /// Orders the end of the version.
    pub(super) fn destroy(&mut self, name: &KeyVersion, now: u64) -> Result<(), Status> {
        match self.state {
            VersionState::Enabled | VersionState::Disabled => {
                self.state = VersionState::DestroyScheduled(now + SCHEDULED);
                Ok(())
            }
            state => Err(wrong_state(name, state, now)),
        }
    }

    /// Takes the order to destroy the version back. It is disabled then.
    pub(super) fn restore(&mut self, name: &KeyVersion, now: u64) -> Result<(), Status> {
        match self.state {
            VersionState::DestroyScheduled(at) if now < at => {
                self.state = VersionState::Disabled;
                Ok(())
            }
            state => Err(wrong_state(name, state, now)),
        }
    }

    /// Enables or disables the version.
    pub(super) fn set(
        &mut self,
        name: &KeyVersion,
        state: VersionState,
        now: u64,
    ) -> Result<(), Status> {
        match self.state {
            VersionState::Enabled | VersionState::Disabled => {
                self.state = state;
                Ok(())
            }
            state => Err(wrong_state(name, state, now)),
        }
    }
}

fn wrong_state(name: &KeyVersion, state: VersionState, now: u64) -> Status {
    Status::precondition(format!(
        "{name} cannot be changed in this way in its current state {}.",
        state.name(now)
    ))
}
