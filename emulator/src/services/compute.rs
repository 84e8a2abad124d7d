//! Compute Engine v1, as far as it launches Confidential Space: an instance is a machine that runs the launcher.

mod catalogue;
pub mod error;
mod instances;
mod metadata;
mod network;
mod operation;
mod plan;
mod power;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::catalogue::{check_image, zones};
pub use self::network::Kind;
use self::operation::Operations;
pub use self::operation::{Operation, Progress};
pub use self::state::State;
use self::state::{Event, Next};
use super::accounts::Accounts;
use super::iam::Iam;
use super::logging::Logging;
use super::{Addresses, Clock, Context};
use crate::launch;
use crate::legacy_error::LegacyError;
use crate::machine::{Machine, Serial};
use crate::random;
use crate::state::Stored;
use crate::status::Status;

/// Compute Engine.
pub struct Compute {
    fleet: Stored<Fleet>,
    operations: Mutex<Operations>,
    /// The machines that run, by the name of their instance. Held during each change of the state of an instance, so that one follows
    /// another.
    machines: Mutex<Machines>,
    accounts: Arc<Accounts>,
    iam: Arc<Iam>,
    logging: Arc<Logging>,
    clock: Clock,
    /// The address of the attestation service.
    attestation: launch::Address,
    /// The address of the metadata server.
    metadata: SocketAddr,
}

type Machines = BTreeMap<String, Running>;

/// What was created, by name.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Fleet {
    networks: BTreeMap<String, Value>,
    instances: BTreeMap<String, Instance>,
}

/// An instance.
#[derive(Clone, Deserialize, Serialize)]
pub struct Instance {
    /// Its ID.
    pub id: String,
    /// When it was created, in Unix seconds.
    pub created: u64,
    /// When it was started and stopped, in Unix seconds.
    pub started: u64,
    /// When it was last off; 0 if it never was.
    pub stopped: u64,
    /// The state of the machine.
    pub state: State,
    /// The fields of the request.
    pub body: Value,
    /// The number of changes of its metadata.
    pub changes: u64,
    /// The serial port of a machine that is off.
    #[serde(with = "crate::state::base64")]
    serial: Vec<u8>,
}

struct Running {
    machine: Machine,
    serial: Arc<Serial>,
}

/// Where a resource is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scope {
    /// The project, by ID.
    pub project: String,
    /// `global`, `zones/Z` or `regions/R`.
    pub place: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "projects/{}/{}", self.project, self.place)
    }
}

impl Scope {
    /// A place in a project, which is named by ID.
    ///
    /// # Errors
    /// There is no such zone or region.
    pub fn read(project: &str, place: &str) -> Result<Self, LegacyError> {
        match place.split_once('/') {
            Some(("zones", zone)) => catalogue::zone(project, zone).map(drop)?,
            Some(("regions", region)) => catalogue::region(project, region)?,
            None if place == "global" => {}
            _ => return Err(LegacyError::no_method()),
        }
        Ok(Self {
            project: project.to_owned(),
            place: place.to_owned(),
        })
    }

    /// The last part: the name of the zone or region.
    pub fn name(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or_default()
    }
}

impl Fleet {
    /// Changes the state of an instance, if the instance is ready for that.
    fn apply(&mut self, path: &str, event: Event) {
        let state = self.instances.get(path).map(|instance| instance.state);
        match state.and_then(|state| state.after(event)) {
            Some(Next::State(state)) => {
                if let Some(instance) = self.instances.get_mut(path) {
                    instance.state = state;
                }
            }
            Some(Next::Gone) => drop(self.instances.remove(path)),
            None => {}
        }
    }
}

impl Compute {
    /// A service with these instances. Those that ran when the emulator ended are off.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn new(
        fleet: Stored<Fleet>,
        (accounts, iam, logging): (Arc<Accounts>, Arc<Iam>, Arc<Logging>),
        addresses: &Addresses,
        clock: Clock,
    ) -> Result<Self, Status> {
        fleet.change(|fleet| {
            let paths: Vec<_> = fleet.instances.keys().cloned().collect();
            paths.iter().for_each(|path| fleet.apply(path, Event::Off));
            Ok::<_, Status>(())
        })?;
        Ok(Self {
            fleet,
            operations: Mutex::default(),
            machines: Mutex::default(),
            accounts,
            iam,
            logging,
            clock,
            attestation: addresses.attestation.clone(),
            metadata: addresses.metadata,
        })
    }

    /// Checks a permission on the project of a scope.
    ///
    /// # Errors
    /// The caller lacks the permission.
    pub fn demand(
        &self,
        context: &Context,
        permission: &str,
        scope: &Scope,
    ) -> Result<(), LegacyError> {
        let resource = format!("projects/{}", scope.project);
        self.iam
            .demand(context, permission, &[&resource])
            .map_err(|_| error::denied(permission, &resource))
    }

    /// The ID of a project that is named by ID or number.
    ///
    /// # Errors
    /// There is no such project.
    pub fn project(&self, name: &str) -> Result<String, LegacyError> {
        Ok(self.iam.project_id(name)?)
    }

    /// The number of a project.
    ///
    /// # Errors
    /// There is no such project.
    pub fn project_number(&self, name: &str) -> Result<String, LegacyError> {
        Ok(self.iam.project(name)?.to_string())
    }

    /// An operation.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such operation.
    pub fn operation(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Operation, LegacyError> {
        self.demand(context, "compute.zoneOperations.get", scope)?;
        lock(&self.operations).get(scope, name)
    }

    fn done(
        &self,
        context: &Context,
        scope: &Scope,
        kind: &'static str,
        target: &str,
    ) -> Result<Operation, LegacyError> {
        self.begin(context, scope, (kind, target), Progress::Done(context.now))
    }

    fn begin(
        &self,
        context: &Context,
        scope: &Scope,
        (kind, target): (&'static str, &str),
        progress: Progress,
    ) -> Result<Operation, LegacyError> {
        let id = new_id()?;
        let operation = Operation {
            name: format!("operation-{id}"),
            id,
            kind,
            scope: scope.clone(),
            target: target.to_owned(),
            inserted: context.now,
            progress,
        };
        lock(&self.operations).add(operation.clone());
        Ok(operation)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number of 19 digits.
fn new_id() -> Result<String, Status> {
    let bytes = random::bytes().map_err(|_| Status::internal())?;
    let (first, _) = bytes.split_at(8);
    let number = first
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok((1_000_000_000_000_000_000 + number % 8_000_000_000_000_000_000).to_string())
}
