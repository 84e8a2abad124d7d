//! Key rings, keys and versions: listed, rotated, disabled and destroyed. Rings and keys cannot be deleted.

use std::collections::BTreeMap;

use google::Location;
use google::kms::{Key, KeyRing, KeyVersion};

use super::keys::{KeyMaterial, Keys, VersionState};
use super::{Kms, Purpose, no_version};
use crate::services::Context;
use crate::status::Status;

/// A key, as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyShown {
    /// Its name.
    pub name: Key,
    /// Its purpose.
    pub purpose: Purpose,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// The version that encrypts.
    pub primary: VersionShown,
}

/// A version, as it is shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VersionShown {
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
    pub fn list(&self, context: &Context, ring: &KeyRing) -> Result<Vec<KeyShown>, Status> {
        self.iam
            .demand(context, "cloudkms.cryptoKeys.list", &[&ring.to_string()])?;
        self.keys.look(|keys| {
            if !keys.rings.contains_key(ring) {
                return Err(Status::not_found(format!("KeyRing {ring} not found.")));
            }
            let here = keys.keys.keys().filter(|key| key.ring() == ring);
            here.map(|key| show(keys, key)).collect()
        })
    }

    /// `GetCryptoKey`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn key(&self, context: &Context, name: &Key) -> Result<KeyShown, Status> {
        self.demand_key(context, "cryptoKeys.get", name)?;
        self.show(name)
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
    ) -> Result<KeyShown, Status> {
        self.demand_key(context, "cryptoKeys.update", name)?;
        self.keys.change(|keys| {
            keys.key(name)?;
            if let Some(key) = keys.keys.get_mut(name) {
                key.labels = labels;
            }
            Ok::<_, Status>(())
        })?;
        self.show(name)
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
    ) -> Result<KeyShown, Status> {
        self.demand_key(context, "cryptoKeys.update", name)?;
        let version = version_of(name, number)?;
        self.keys.change(|keys| {
            keys.symmetric(&version, context.now)?;
            if let Some(key) = keys.keys.get_mut(name) {
                key.primary = number;
            }
            Ok::<_, Status>(())
        })?;
        self.show(name)
    }

    /// `ListCryptoKeyVersions`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn versions(&self, context: &Context, name: &Key) -> Result<Vec<VersionShown>, Status> {
        self.demand_key(context, "cryptoKeyVersions.list", name)?;
        let numbers = self.keys.look(|keys| {
            let versions = keys.key(name)?.versions.keys();
            Ok::<Vec<_>, Status>(versions.copied().collect())
        })?;
        numbers
            .into_iter()
            .map(|number| self.show_version(&version_of(name, number)?))
            .collect()
    }

    /// `GetCryptoKeyVersion`.
    ///
    /// # Errors
    /// The caller lacks the permission, or the version does not exist.
    pub fn version(&self, context: &Context, name: &KeyVersion) -> Result<VersionShown, Status> {
        self.demand_key(context, "cryptoKeyVersions.get", name.key())?;
        self.show_version(name)
    }

    /// `CreateCryptoKeyVersion`. It is not the primary one.
    ///
    /// # Errors
    /// The caller lacks the permission, or the key does not exist.
    pub fn add_version(&self, context: &Context, name: &Key) -> Result<VersionShown, Status> {
        self.demand_key(context, "cryptoKeyVersions.create", name)?;
        let number = self.keys.change(|keys| {
            keys.key(name)?;
            match keys.keys.get_mut(name) {
                Some(key) => key.add(context.now),
                None => Err(Status::internal()),
            }
        })?;
        self.show_version(&version_of(name, number)?)
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
    ) -> Result<VersionShown, Status> {
        let permission = match change {
            VersionChange::Enable | VersionChange::Disable => "cryptoKeyVersions.update",
            VersionChange::Destroy => "cryptoKeyVersions.destroy",
            VersionChange::Restore => "cryptoKeyVersions.restore",
        };
        self.demand_key(context, permission, name.key())?;
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
        self.show_version(name)
    }

    /// A key that the caller has just made.
    ///
    /// # Errors
    /// The key does not exist.
    pub fn shown(&self, name: &Key) -> Result<KeyShown, Status> {
        self.show(name)
    }

    fn show(&self, name: &Key) -> Result<KeyShown, Status> {
        self.keys.look(|keys| show(keys, name))
    }

    fn show_version(&self, name: &KeyVersion) -> Result<VersionShown, Status> {
        self.keys
            .look(|keys| shown(keys.key(name.key())?, name.clone()))
    }

    fn demand_key(&self, context: &Context, permission: &str, key: &Key) -> Result<(), Status> {
        let names = [key.to_string(), key.ring().to_string()];
        let names = names.each_ref().map(String::as_str);
        self.iam
            .demand(context, &format!("cloudkms.{permission}"), &names)
    }
}

fn show(keys: &Keys, name: &Key) -> Result<KeyShown, Status> {
    let key = keys.key(name)?;
    Ok(KeyShown {
        name: name.clone(),
        purpose: key.purpose,
        labels: key.labels.clone(),
        created: key.created,
        primary: shown(key, version_of(name, key.primary)?)?,
    })
}

fn shown(key: &KeyMaterial, name: KeyVersion) -> Result<VersionShown, Status> {
    let version = key.versions.get(&name.number());
    let version = version.ok_or_else(|| no_version(&name))?;
    Ok(VersionShown {
        name,
        purpose: key.purpose,
        state: version.state,
        created: version.created,
    })
}
