//! Changes of pools and providers that exist: updates, deletion, and its revocation within 30 days (IAM v1, `patch`, `delete`,
//! `undelete`). What is deleted keeps its ID, and is kept for ever here.

use std::collections::BTreeMap;

use google::identity;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Pool, Pools, Provider, check_provider, check_texts};
use crate::protojson;
use crate::status::Status;

/// A change of a pool or of a provider.
#[derive(Clone, Debug, PartialEq)]
pub enum Alteration {
    /// The fields of the mask get the values of the message.
    Patch {
        /// The names of fields, separated by commas.
        mask: String,
        /// The message.
        message: Map<String, Value>,
    },
    /// It is deleted.
    Delete,
    /// It is deleted no longer.
    Undelete,
}

/// Whether a pool or a provider is deleted (`State`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existence {
    /// It is not deleted.
    Active,
    /// It is deleted, and can be undeleted.
    Deleted,
}

/// Providers of a pool by ID.
pub type Providers = BTreeMap<String, (Provider, Existence)>;

impl Existence {
    /// The name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Deleted => "DELETED",
        }
    }

    fn of(is_deleted: bool) -> Self {
        match is_deleted {
            true => Self::Deleted,
            false => Self::Active,
        }
    }
}

impl Pools {
    /// Whether a pool is deleted.
    pub fn pool_existence(&self, name: &identity::Pool) -> Existence {
        Existence::of(self.pools.get(name).is_some_and(|kept| kept.deleted))
    }

    /// Whether a provider is deleted.
    pub fn provider_existence(&self, name: &identity::Provider) -> Existence {
        let kept = self.pools.get(name.pool());
        Existence::of(kept.is_some_and(|kept| kept.deleted_providers.contains(name.id())))
    }

    /// Whether identities of a pool are admitted: a pool that is disabled or deleted also stops tokens that were issued.
    pub fn admits(&self, name: &identity::Pool) -> bool {
        let kept = self.pools.get(name);
        kept.is_some_and(|kept| !kept.deleted && !kept.pool.disabled)
    }

    /// The providers of a pool by ID, also those that are disabled or deleted; `None` if the pool does not exist.
    pub fn all_providers(&self, pool: &identity::Pool) -> Option<Providers> {
        let kept = self.pools.get(pool)?;
        let providers = kept.providers.iter().map(|(id, provider)| {
            let existence = Existence::of(kept.deleted_providers.contains(id));
            (id.clone(), (provider.clone(), existence))
        });
        Some(providers.collect())
    }

    /// Changes a pool.
    ///
    /// # Errors
    /// It does not exist, is deleted or not, or the change is invalid.
    pub fn alter_pool(&mut self, name: &identity::Pool, change: &Alteration) -> Result<(), Status> {
        let kept = self.pools.get_mut(name).ok_or_else(not_found)?;
        match change {
            Alteration::Patch { mask, message } if !kept.deleted => {
                let pool: Pool = patched(&kept.pool, mask, message)?;
                check_texts(&pool.display_name, &pool.description)?;
                kept.pool = pool;
            }
            Alteration::Delete if !kept.deleted => kept.deleted = true,
            Alteration::Undelete if kept.deleted => kept.deleted = false,
            _ => return Err(wrong_state()),
        }
        Ok(())
    }

    /// Changes a provider.
    ///
    /// # Errors
    /// As [`Self::alter_pool`].
    pub fn alter_provider(
        &mut self,
        name: &identity::Provider,
        change: &Alteration,
    ) -> Result<(), Status> {
        let kept = self.pools.get_mut(name.pool()).ok_or_else(not_found)?;
        let provider = kept.providers.get_mut(name.id()).ok_or_else(not_found)?;
        let is_deleted = kept.deleted_providers.contains(name.id());
        match change {
            Alteration::Patch { mask, message } if !is_deleted => {
                let new: Provider = patched(provider, mask, message)?;
                check_provider(&new)?;
                *provider = new;
            }
            Alteration::Delete if !is_deleted => {
                kept.deleted_providers.insert(name.id().to_owned());
            }
            Alteration::Undelete if is_deleted => {
                kept.deleted_providers.remove(name.id());
            }
            _ => return Err(wrong_state()),
        }
        Ok(())
    }
}

/// `old` with the fields of the mask as in `message`. A field that the message does not have is cleared.
fn patched<T: Serialize + DeserializeOwned>(
    old: &T,
    mask: &str,
    message: &Map<String, Value>,
) -> Result<T, Status> {
    let message = Value::Object(message.clone());
    let mut new = json!(old);
    for field in mask
        .split(',')
        .map(str::trim)
        .filter(|field| !field.is_empty())
    {
        let path: Vec<_> = field.split('.').map(camel_case).collect();
        let found = path
            .iter()
            .fold(&message, |value, name| &value[name.as_str()]);
        let target = path.iter().try_fold(&mut new, |value, name| {
            let members = value.as_object_mut()?;
            Some(members.entry(name.clone()).or_insert(Value::Null))
        });
        let target =
            target.ok_or_else(|| Status::invalid(format!("Invalid update mask: {field}.")))?;
        *target = found.clone();
    }
    if let Some(members) = new.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    protojson::parse(new.to_string().as_bytes())
}

/// The name in JSON of a name in a `.proto` file.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let mut letters = part.chars();
        let head = letters.next().map(|letter| letter.to_ascii_uppercase());
        text + &head.into_iter().chain(letters).collect::<String>()
    })
}

fn not_found() -> Status {
    Status::not_found("Requested entity was not found.")
}

fn wrong_state() -> Status {
    Status::precondition("Precondition check failed.")
}
