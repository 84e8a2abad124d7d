//! Instances: created, read, changed and deleted.

use std::sync::Arc;

use serde_json::Value;

use super::error;
use super::metadata::Metadata;
use super::plan::{self, Plan};
use super::{Compute, Context, Instance, Operation, Scope, State, lock, network, new_id};
use crate::legacy_error::LegacyError;
use crate::services::accounts::Caller;

/// An instance with its name, as `projects/P/zones/Z/instances/N`.
pub type Named = (String, Instance);

impl Compute {
    /// `instances.insert`: makes an instance, and starts it.
    ///
    /// # Errors
    /// The caller lacks a permission, the request is invalid, what it names does not exist, the instance exists already, or another
    /// machine runs.
    pub fn insert(
        self: &Arc<Self>,
        context: &Context,
        scope: &Scope,
        body: Value,
    ) -> Result<Operation, LegacyError> {
        self.demand(context, "compute.instances.create", scope)?;
        let plan = Plan::read(&body, scope.name())?;
        self.check_plan(context, scope, &plan)?;
        let path = format!("{scope}/instances/{}", plan.name);
        let instance = Instance {
            id: new_id()?,
            created: context.now,
            started: context.now,
            stopped: 0,
            state: State::Terminated,
            body,
            changes: 0,
            serial: Vec::new(),
        };
        let mut machines = lock(&self.machines);
        self.fleet.change(|fleet| {
            if fleet.instances.contains_key(&path) {
                return Err(error::exists(&path));
            }
            fleet.instances.insert(path.clone(), instance);
            Ok(())
        })?;
        if let Err(error) = self.boot(&mut machines, scope, &path) {
            self.fleet.change(|fleet| {
                fleet.instances.remove(&path);
                Ok::<_, LegacyError>(())
            })?;
            return Err(error);
        }
        self.done(context, scope, "insert", &path)
    }

    fn check_plan(&self, context: &Context, scope: &Scope, plan: &Plan) -> Result<(), LegacyError> {
        let project = &scope.project;
        if let Some(url) = plan.network.network() {
            self.find_network(project, url)?;
        }
        if let Some(url) = &plan.network.subnetwork {
            let path = network::path(project, url);
            let is_known = self.fleet.look(|fleet| fleet.networks.contains_key(&path));
            is_known
                .then_some(())
                .ok_or_else(|| error::not_found(&path))?;
        }
        match &plan.account {
            Some(account) => self.check_account(context, scope, &account.email),
            None => Ok(()),
        }
    }

    /// The caller must be allowed to act as the service account, which must be of the same project (IAM, "Attach service accounts to
    /// resources": another project's is refused by default).
    fn check_account(
        &self,
        context: &Context,
        scope: &Scope,
        email: &str,
    ) -> Result<(), LegacyError> {
        let email = self.account(&scope.project, email);
        let caller = match &context.caller {
            Caller::ServiceAccount(email) => email.clone(),
            Caller::Federated(federated) => federated.subject.clone(),
        };
        let refused = || error::account(&email, &caller);
        if self.accounts.home_of(&email).as_ref() != Some(&scope.project) {
            return Err(refused());
        }
        let resource = format!("projects/{}/serviceAccounts/{email}", scope.project);
        let allowed = self
            .iam
            .demand(context, "iam.serviceAccounts.actAs", &[&resource]);
        allowed.map_err(|_| refused())
    }

    /// The address of a service account: `default` is that of Compute Engine.
    pub(super) fn account(&self, project: &str, email: &str) -> String {
        match (email, self.accounts.number(project)) {
            ("default", Some(number)) => format!("{number}-compute@developer.gserviceaccount.com"),
            _ => email.to_owned(),
        }
    }

    /// `instances.get`.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such instance.
    pub fn instance(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Named, LegacyError> {
        self.find(context, "compute.instances.get", scope, name)
    }

    pub(super) fn find(
        &self,
        context: &Context,
        permission: &str,
        scope: &Scope,
        name: &str,
    ) -> Result<Named, LegacyError> {
        self.demand(context, permission, scope)?;
        let path = format!("{scope}/instances/{name}");
        let found = self.fleet.look(|fleet| fleet.instances.get(&path).cloned());
        match found {
            Some(instance) => Ok((path, instance)),
            None => Err(error::not_found(&path)),
        }
    }

    /// `instances.list` and `instances.aggregatedList`: those in a place, or in all zones of the project if the place is `global`.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn instances(&self, context: &Context, scope: &Scope) -> Result<Vec<Named>, LegacyError> {
        self.demand(context, "compute.instances.list", scope)?;
        let prefix = match scope.place.as_str() {
            "global" => format!("projects/{}/zones/", scope.project),
            _ => format!("{scope}/instances/"),
        };
        Ok(self.fleet.look(|fleet| {
            let all = fleet.instances.iter();
            let here = all.filter(|(path, _)| path.starts_with(&prefix));
            here.map(|(path, one)| (path.clone(), one.clone()))
                .collect()
        }))
    }

    /// `instances.setMetadata`: a running workload sees the new attributes; the launcher reads its own at the next start.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such instance, or the metadata are invalid or were changed meanwhile.
    pub fn set_metadata(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
        metadata: &Value,
    ) -> Result<Operation, LegacyError> {
        let permission = "compute.instances.setMetadata";
        let (path, _) = self.find(context, permission, scope, name)?;
        let metadata: Metadata = plan::message(metadata)?;
        metadata.items()?;
        self.fleet.change(|fleet| {
            let instance = fleet.instances.get_mut(&path);
            let instance = instance.ok_or_else(|| error::not_found(&path))?;
            let known = metadata.fingerprint.as_ref();
            if known.is_some_and(|known| *known != instance.fingerprint()) {
                return Err(error::condition());
            }
            instance.body["metadata"] = metadata.shown();
            instance.changes += 1;
            Ok(())
        })?;
        self.done(context, scope, "setMetadata", &path)
    }

    /// `instances.getSerialPortOutput` from a position on: the position of the first byte, and the bytes.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such instance.
    pub fn serial(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
        start: u64,
    ) -> Result<(String, u64, Vec<u8>), LegacyError> {
        let permission = "compute.instances.getSerialPortOutput";
        let (path, instance) = self.find(context, permission, scope, name)?;
        let machines = lock(&self.machines);
        let (position, bytes) = match machines.get(&path) {
            Some(running) => running.serial.read(start),
            None => crate::machine::Serial::of(&instance.serial).read(start),
        };
        Ok((path, position, bytes))
    }
}

impl Instance {
    /// What a change of the metadata names as known.
    pub fn fingerprint(&self) -> String {
        use base64::Engine as _;
        let bytes = self.changes.to_be_bytes();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, key: &str) -> Option<String> {
        let items = self.body["metadata"]["items"].as_array()?;
        let item = items.iter().find(|item| item["key"] == key)?;
        Some(item["value"].as_str().unwrap_or_default().to_owned())
    }
}
