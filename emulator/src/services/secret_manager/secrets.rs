//! The stored secrets.

use std::collections::BTreeMap;

use google::secret as names;
use google::{Project, ProjectNumber};
use serde::{Deserialize, Serialize};

use super::message::{
    Accessed, Checked, Notes, Replication, Secret, SecretUpdate, State, Version, VersionName,
};
use crate::status::Status;

/// Secrets by name.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Secrets(BTreeMap<names::Secret, Kept>);

#[derive(Clone, Deserialize, Serialize)]
struct Kept {
    created: u64,
    replication: Replication,
    #[serde(default)]
    notes: Notes,
    /// How often the secret was updated.
    #[serde(default)]
    updates: u64,
    /// The versions; the first is number 1.
    versions: Vec<KeptVersion>,
}

#[derive(Clone, Deserialize, Serialize)]
struct KeptVersion {
    created: u64,
    destroyed: Option<u64>,
    state: State,
    checked: Checked,
    #[serde(with = "crate::state::base64")]
    data: Vec<u8>,
}

impl Secrets {
    pub(super) fn create(
        &mut self,
        name: &names::Secret,
        replication: Replication,
        notes: Notes,
        now: u64,
    ) -> Result<Secret, Status> {
        if self.0.contains_key(name) {
            return Err(Status::exists(format!("Secret [{name}] already exists.")));
        }
        let kept = Kept {
            created: now,
            replication,
            notes,
            updates: 0,
            versions: Vec::new(),
        };
        let made = kept.describe(name);
        self.0.insert(name.clone(), kept);
        Ok(made)
    }

    pub(super) fn get(&self, name: &names::Secret) -> Result<Secret, Status> {
        Ok(self.find(name)?.describe(name))
    }

    pub(super) fn list(&self, project: ProjectNumber) -> Vec<Secret> {
        let project = Project::Number(project);
        let own = self.0.iter().filter(|(name, _)| *name.project() == project);
        own.map(|(name, kept)| kept.describe(name)).collect()
    }

    pub(super) fn update(
        &mut self,
        name: &names::Secret,
        update: SecretUpdate,
        etag: &str,
    ) -> Result<Secret, Status> {
        self.find(name)?.check_etag(name, etag)?;
        let kept = self.0.get_mut(name).ok_or_else(|| unknown(name))?;
        let SecretUpdate {
            labels,
            annotations,
        } = update;
        if let Some(labels) = labels {
            kept.notes.labels = labels;
        }
        if let Some(annotations) = annotations {
            kept.notes.annotations = annotations;
        }
        kept.updates += 1;
        Ok(kept.describe(name))
    }

    pub(super) fn delete(&mut self, name: &names::Secret, etag: &str) -> Result<(), Status> {
        self.find(name)?.check_etag(name, etag)?;
        self.0.remove(name).map(drop).ok_or_else(|| unknown(name))
    }

    pub(super) fn add(
        &mut self,
        name: &names::Secret,
        data: Vec<u8>,
        checked: Checked,
        now: u64,
    ) -> Result<Version, Status> {
        let kept = self.0.get_mut(name).ok_or_else(|| unknown(name))?;
        let version = KeptVersion {
            created: now,
            destroyed: None,
            state: State::Enabled,
            checked,
            data,
        };
        kept.versions.push(version);
        self.version(&VersionName {
            secret: name.clone(),
            version: "latest".to_owned(),
        })
    }

    pub(super) fn version(&self, name: &VersionName) -> Result<Version, Status> {
        let (name, kept) = self.find_version(name)?;
        Ok(kept.describe(name))
    }

    pub(super) fn versions(&self, name: &names::Secret) -> Result<Vec<Version>, Status> {
        let numbered = self.find(name)?.versions.iter().zip(1..);
        let described =
            numbered.filter_map(|(kept, number)| Some(kept.describe(name.version(number)?)));
        let mut described: Vec<_> = described.collect();
        described.reverse();
        Ok(described)
    }

    pub(super) fn access(&self, name: &VersionName) -> Result<Accessed, Status> {
        let (name, kept) = self.find_version(name)?;
        match kept.state {
            State::Enabled => Ok(Accessed {
                name,
                data: kept.data.clone(),
            }),
            state => Err(Status::precondition(format!(
                "Secret Version [{name}] is in {} state.",
                state.name()
            ))),
        }
    }

    pub(super) fn set_state(
        &mut self,
        name: &VersionName,
        state: State,
        now: u64,
    ) -> Result<Version, Status> {
        let (name, found) = self.find_version(name)?;
        if found.state == State::Destroyed {
            return Err(Status::precondition(format!(
                "Secret Version [{name}] is in DESTROYED state."
            )));
        }
        let kept = self.0.get_mut(name.secret());
        let kept = kept.and_then(|kept| kept.versions.get_mut(place(name.number())));
        let kept =
            kept.ok_or_else(|| Status::not_found(format!("Secret Version [{name}] not found.")))?;
        kept.state = state;
        if state == State::Destroyed {
            kept.data.clear();
            kept.destroyed = Some(now);
        }
        Ok(kept.describe(name))
    }

    fn find(&self, name: &names::Secret) -> Result<&Kept, Status> {
        self.0.get(name).ok_or_else(|| unknown(name))
    }

    fn find_version(
        &self,
        name: &VersionName,
    ) -> Result<(names::SecretVersion, &KeptVersion), Status> {
        let versions = &self.find(&name.secret)?.versions;
        let last = u64::try_from(versions.len()).unwrap_or(u64::MAX);
        let number = match name.version.parse() {
            Ok(number) => number,
            Err(_) if last > 0 => last,
            Err(_) => return Err(unknown(&name.secret)),
        };
        let found = versions.get(place(number)).zip(name.secret.version(number));
        let unknown = || Status::not_found(format!("Secret Version [{name}] not found."));
        let (kept, version) = found.ok_or_else(unknown)?;
        Ok((version, kept))
    }
}

/// The place of a version in the list.
fn place(number: u64) -> usize {
    usize::try_from(number).map_or(usize::MAX, |number| number.wrapping_sub(1))
}

fn unknown(name: &names::Secret) -> Status {
    Status::not_found(format!("Secret [{name}] not found or has no versions."))
}

impl Kept {
    fn describe(&self, name: &names::Secret) -> Secret {
        Secret {
            name: name.clone(),
            created: self.created,
            replication: self.replication.clone(),
            notes: self.notes.clone(),
            etag: self.etag(),
        }
    }

    /// The time of its creation in microseconds, to which each update adds one; in quotes, as at Google.
    fn etag(&self) -> String {
        let time = self.created.saturating_mul(1_000_000);
        format!("\"{:x}\"", time.saturating_add(self.updates))
    }

    /// Checks the etag in a request; an empty one is that of any state.
    fn check_etag(&self, name: &names::Secret, etag: &str) -> Result<(), Status> {
        match etag.is_empty() || etag == self.etag() {
            true => Ok(()),
            false => Err(Status::precondition(format!(
                "The etag {etag} does not match the current etag of Secret [{name}], which was changed since it was read."
            ))),
        }
    }
}

impl KeptVersion {
    fn describe(&self, name: names::SecretVersion) -> Version {
        Version {
            name,
            created: self.created,
            destroyed: self.destroyed,
            state: self.state,
            checked: self.checked,
        }
    }
}
