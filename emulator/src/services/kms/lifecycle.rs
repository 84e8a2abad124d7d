//! Key rings, keys and versions: listed, rotated, disabled and destroyed. Rings and keys cannot be deleted.

use std::collections::BTreeMap;

use google::Location;
use google::kms::{Key, KeyRing, KeyVersion};

use super::keys::{KeyMaterial, Keys, VersionState};
use super::{Kms, Purpose};
use crate::services::Context;
use crate::status::Status;

/// What is shown of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyDescription {
    /// Its name.
    pub name: Key,
    /// Its purpose.
    pub purpose: Purpose,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// The version that encrypts.
    pub primary: VersionDescription,
}

/// What is shown of a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionDescription {
    /// Its name.
    pub name: KeyVersion,
    /// The purpose of its key.
    pub purpose: Purpose,
    /// Its state.
    pub state: VersionState,
    /// When it was created, in Unix seconds.
    pub created: u64,
}

/// A change of a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum VersionChange {
    /// To enable it.
    Enable,
    /// To disable it.
    Disable,
    /// To destroy it after some time.
    Destroy,
    /// Not to destroy it.
    Restore,
}

pub(super) fn version_of(key: &Key, number: u64) -> Result<KeyVersion, Status> {
    let name = format!("{key}/cryptoKeyVersions/{number}");
    name.parse().map_err(|_| Status::internal())
}

impl Kms {
    /// `ListKeyRings` of a location, with the time at which each was created.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn rings(
        &self,
        context: &Context,
        location: &Location,
    ) -> Result<Vec<(KeyRing, u64)>, Status> {
        let parent = location.to_string();
        self.iam
            .demand(context, "cloudkms.keyRings.list", &[&parent])?;
        Ok(self.keys.look(|keys| {
            let here = keys
                .rings
                .iter()
                .filter(|(ring, _)| ring.location() == location);
            here.map(|(ring, created)| (ring.clone(), *created))
                .collect()
        }))
    }

    /// `GetKeyRing`: when it was created, in Unix seconds.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such ring.
    pub fn ring(&self, context: &Context, ring: &KeyRing) -> Result<u64, Status> {
        self.iam
            .demand(context, "cloudkms.keyRings.get", &[&ring.to_string()])?;
        let found = self.keys.look(|keys| keys.rings.get(ring).copied());
        found.ok_or_else(|| Status::not_found(format!("KeyRing {ring} not found.")))
    }

    /// `ListCryptoKeys` of a ring.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such ring.
    pub fn list(&self, context: &Context, ring: &KeyRing) -> Result<Vec<KeyDescription>, Status> {
        self.iam
            .demand(context, "cloudkms.cryptoKeys.list", &[&ring.to_string()])?;
        self.keys.look(|keys| {
            if !keys.rings.contains_key(ring) {
                return Err(Status::not_found(format!("KeyRing {ring} not found.")));
            }
            let here = keys.keys.keys().filter(|key| key.ring() == ring);
            here.map(|key| keys.describe(key)).collect()
        })
    }

    /// `GetCryptoKey`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn key(&self, context: &Context, name: &Key) -> Result<KeyDescription, Status> {
        self.demand(context, "cloudkms.cryptoKeys.get", name)?;
        self.described(name)
    }

    /// `UpdateCryptoKey`, of which labels are emulated.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn label(
        &self,
        context: &Context,
        name: &Key,
        labels: BTreeMap<String, String>,
    ) -> Result<KeyDescription, Status> {
        self.demand(context, "cloudkms.cryptoKeys.update", name)?;
        self.keys.change(|keys| {
            keys.key(name)?;
            if let Some(key) = keys.keys.get_mut(name) {
                key.labels = labels;
            }
            Ok::<_, Status>(())
        })?;
        self.described(name)
    }

    /// `UpdateCryptoKeyPrimaryVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not encrypt, or the version does not exist or is not enabled.
    pub fn set_primary(
        &self,
        context: &Context,
        name: &Key,
        number: u64,
    ) -> Result<KeyDescription, Status> {
        self.demand(context, "cloudkms.cryptoKeys.update", name)?;
        let version = version_of(name, number)?;
        self.keys.change(|keys| {
            keys.symmetric(&version, context.now)?;
            if let Some(key) = keys.keys.get_mut(name) {
                key.primary = number;
            }
            Ok::<_, Status>(())
        })?;
        self.described(name)
    }

    /// `ListCryptoKeyVersions`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn versions(
        &self,
        context: &Context,
        name: &Key,
    ) -> Result<Vec<VersionDescription>, Status> {
        self.demand(context, "cloudkms.cryptoKeyVersions.list", name)?;
        let numbers = self.keys.look(|keys| {
            let versions = keys.key(name)?.versions.keys();
            Ok::<Vec<_>, Status>(versions.copied().collect())
        })?;
        numbers
            .into_iter()
            .map(|number| self.described_version(&version_of(name, number)?))
            .collect()
    }

    /// `GetCryptoKeyVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the version does not exist.
    pub fn version(
        &self,
        context: &Context,
        name: &KeyVersion,
    ) -> Result<VersionDescription, Status> {
        self.demand(context, "cloudkms.cryptoKeyVersions.get", name.key())?;
        self.described_version(name)
    }

    /// `CreateCryptoKeyVersion`. It is not the primary one.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn add_version(&self, context: &Context, name: &Key) -> Result<VersionDescription, Status> {
        self.demand(context, "cloudkms.cryptoKeyVersions.create", name)?;
        let number = self.keys.change(|keys| {
            keys.key(name)?;
            match keys.keys.get_mut(name) {
                Some(key) => key.add(context.now),
                None => Err(Status::internal()),
            }
        })?;
        self.described_version(&version_of(name, number)?)
    }

    /// `UpdateCryptoKeyVersion`, `DestroyCryptoKeyVersion` and `RestoreCryptoKeyVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, the version does not exist, or it cannot be changed in this way.
    pub fn change_version(
        &self,
        context: &Context,
        name: &KeyVersion,
        change: VersionChange,
    ) -> Result<VersionDescription, Status> {
        let permission = match change {
            VersionChange::Enable | VersionChange::Disable => "cloudkms.cryptoKeyVersions.update",
            VersionChange::Destroy => "cloudkms.cryptoKeyVersions.destroy",
            VersionChange::Restore => "cloudkms.cryptoKeyVersions.restore",
        };
        self.demand(context, permission, name.key())?;
        let now = context.now;
        self.keys.change(|keys| {
            let version = keys.version_mut(name)?;
            match change {
                VersionChange::Enable => version.set(name, VersionState::Enabled, now),
                VersionChange::Disable => version.set(name, VersionState::Disabled, now),
                VersionChange::Destroy => version.destroy(name, now),
                VersionChange::Restore => version.restore(name, now),
            }
        })?;
        self.described_version(name)
    }

    fn described(&self, name: &Key) -> Result<KeyDescription, Status> {
        self.keys.look(|keys| keys.describe(name))
    }

    fn described_version(&self, name: &KeyVersion) -> Result<VersionDescription, Status> {
        self.keys
            .look(|keys| keys.key(name.key())?.describe(name.clone()))
    }
}

impl Keys {
    /// What is shown of a key.
    pub(super) fn describe(&self, name: &Key) -> Result<KeyDescription, Status> {
        let key = self.key(name)?;
        Ok(KeyDescription {
            name: name.clone(),
            purpose: key.purpose,
            labels: key.labels.clone(),
            created: key.created,
            primary: key.describe(version_of(name, key.primary)?)?,
        })
    }
}

impl KeyMaterial {
    /// What is shown of a version.
    fn describe(&self, name: KeyVersion) -> Result<VersionDescription, Status> {
        let version = self.version(&name)?;
        Ok(VersionDescription {
            name,
            purpose: self.purpose,
            state: version.state,
            created: version.created,
        })
    }
}
