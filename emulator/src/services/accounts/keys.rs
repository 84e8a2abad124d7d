//! Keys of service accounts, with which they sign in (IAM v1, `projects.serviceAccounts.keys`).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use content::Digest;

use super::Accounts;
use super::account_key::AccountKey;
use super::files::credentials;
use crate::status::Status;

/// The largest number of keys of one account (IAM quotas).
const KEYS: usize = 10;

impl Accounts {
    /// Makes a key of an account that was created; returns its ID and the text of a key file.
    ///
    /// # Errors
    /// The account does not exist or has too many keys, or the state cannot be written.
    pub fn add_key(&self, address: &str, now: u64) -> Result<(String, String), Status> {
        let account = self.found(address)?;
        let project = account.project().parse().map_err(|_| Status::internal())?;
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Status::internal())?;
        let public_key = key.public_key().as_ref().to_vec();
        let private: Pkcs8V1Der<'_> = key.as_der().map_err(|_| Status::internal())?;
        let id = Digest::of(&public_key).hex()[..40].to_owned();
        let file = credentials(&project, address, &id, private.as_ref(), &self.token_uri);
        self.state.change(|state| {
            let own = state.keys.values().filter(|key| key.address == address);
            if own.count() >= KEYS {
                let message = format!("Maximum number of keys on account {address} reached.");
                return Err(Status::exhausted(message));
            }
            let key = AccountKey {
                address: address.to_owned(),
                public_key,
                created: now,
            };
            state.keys.insert(id.clone(), key);
            Ok((id, file))
        })
    }

    /// The keys of an account by ID.
    ///
    /// # Errors
    /// The account does not exist.
    pub fn keys(&self, address: &str) -> Result<Vec<(String, AccountKey)>, Status> {
        self.found(address)?;
        Ok(self.state.look(|state| {
            let own = state.keys.iter().filter(|(_, key)| key.address == address);
            own.map(|(id, key)| (id.clone(), key.clone())).collect()
        }))
    }

    /// Removes a key of an account. Access tokens that were issued for it stay.
    ///
    /// # Errors
    /// The account has no such key.
    pub fn delete_key(&self, address: &str, id: &str) -> Result<(), Status> {
        self.state.change(|state| {
            let is_own = state.keys.get(id).is_some_and(|key| key.address == address);
            match is_own {
                true => drop(state.keys.remove(id)),
                false => {
                    return Err(Status::not_found(format!(
                        "Service account key {id} does not exist."
                    )));
                }
            }
            Ok(())
        })
    }

    /// The address and the public key of the account with this key: an owner's, or one that was created.
    pub(super) fn by_key(&self, id: &str) -> Option<(String, Vec<u8>)> {
        let owner = self.projects.values().find(|project| project.key_id == id);
        if let Some(project) = owner {
            return Some((project.owner.clone(), project.public_key.clone()));
        }
        let key = self.state.look(|state| state.keys.get(id).cloned())?;
        Some((key.address, key.public_key))
    }

    /// Removes an account with its keys and access tokens.
    ///
    /// # Errors
    /// The account does not exist.
    pub fn delete_service_account(&self, address: &str) -> Result<(), Status> {
        self.found(address)?;
        self.state.change(|state| {
            state.service_accounts.remove(address);
            state.keys.retain(|_, key| key.address != address);
            state.issued.retain(|_, issued| !issued.is_of(address));
            Ok(())
        })
    }

    fn found(&self, address: &str) -> Result<super::ServiceAccount, Status> {
        let found = self.service_account(address);
        found.ok_or_else(|| Status::not_found(format!("Unknown service account {address}")))
    }
}
