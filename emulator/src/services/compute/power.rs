//! Switches machines on and off.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Weak};
use std::time::Duration;

use remote::Transport;

use super::error;
use super::plan::{self, Account, Plan};
use super::{
    Compute, Context, Event, Instance, Machines, Operation, Progress, Running, Scope, State, lock,
};
use crate::launch::{self, Facts, LaunchSpec, Metadata, Options};
use crate::legacy_error::LegacyError;
use crate::machine::{self, Boot, Console, Machine, Serial};
use crate::services::Clock;
use crate::services::accounts::{Accounts, Caller, Service};
use crate::status::Status;

/// The lifetime of the access tokens of a machine's account, in seconds.
const TOKEN: u64 = 3600;
/// How long the end of the emulator waits for machines that are killed.
const PATIENCE: Duration = Duration::from_secs(5);

impl Compute {
    /// `instances.start`; nothing happens to a machine that runs.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such instance, it is being switched off, or another machine runs.
    pub fn start(
        self: &Arc<Self>,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Operation, LegacyError> {
        let mut machines = lock(&self.machines);
        let (path, instance) = self.find(context, "compute.instances.start", scope, name)?;
        ready(&path, &instance, Event::Start)?;
        if !machines.contains_key(&path) {
            self.boot(&mut machines, scope, &path)?;
        }
        self.done(context, scope, "start", &path)
    }

    /// `instances.stop`: the workload gets SIGTERM, and 90 seconds.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such instance, or it is being deleted.
    pub fn stop(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Operation, LegacyError> {
        let machines = lock(&self.machines);
        let (path, instance) = self.find(context, "compute.instances.stop", scope, name)?;
        ready(&path, &instance, Event::Stop)?;
        let progress = self.switch_off(&machines, (&path, &instance), Event::Stop)?;
        self.begin(context, scope, ("stop", &path), progress)
    }

    /// `instances.reset`: the machine boots again at once.
    ///
    /// # Errors
    /// The caller lacks the permission, there is no such instance, or it does not run.
    pub fn reset(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Operation, LegacyError> {
        let machines = lock(&self.machines);
        let (path, instance) = self.find(context, "compute.instances.reset", scope, name)?;
        ready(&path, &instance, Event::Reset)?;
        if let Some(running) = machines.get(&path) {
            running.machine.reset();
        }
        self.done(context, scope, "reset", &path)
    }

    /// `instances.delete`: the machine is stopped before.
    ///
    /// # Errors
    /// The caller lacks the permission, or there is no such instance.
    pub fn delete(
        &self,
        context: &Context,
        scope: &Scope,
        name: &str,
    ) -> Result<Operation, LegacyError> {
        let machines = lock(&self.machines);
        let (path, instance) = self.find(context, "compute.instances.delete", scope, name)?;
        if instance.body["deletionProtection"] == true {
            let why = format!(
                "Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. {path}'."
            );
            return Err(LegacyError::bad_request(why));
        }
        ready(&path, &instance, Event::Delete)?;
        let progress = self.switch_off(&machines, (&path, &instance), Event::Delete)?;
        self.begin(context, scope, ("delete", &path), progress)
    }

    /// Stops the machine of an instance, if it runs, and says when that is done.
    fn switch_off(
        &self,
        machines: &Machines,
        (path, instance): (&str, &Instance),
        event: Event,
    ) -> Result<Progress, LegacyError> {
        self.fleet.change(|fleet| {
            fleet.apply(path, event);
            // There is no machine to wait for: its end may be missing in a state that could not be written.
            if !machines.contains_key(path) {
                fleet.apply(path, Event::Off);
            }
            Ok::<_, LegacyError>(())
        })?;
        Ok(match machines.get(path) {
            Some(running) => {
                // A second request would end the workload at once.
                if instance.state == State::Running {
                    running.machine.stop();
                }
                Progress::Awaits(path.to_owned())
            }
            None => Progress::Done((self.clock)()),
        })
    }

    /// Switches an instance on that is off.
    pub(super) fn boot(
        self: &Arc<Self>,
        machines: &mut Machines,
        scope: &Scope,
        path: &str,
    ) -> Result<(), LegacyError> {
        let instance = self.fleet.look(|fleet| fleet.instances.get(path).cloned());
        let instance = instance.ok_or_else(|| error::not_found(path))?;
        let plan = Plan::read(&instance.body, scope.name())?;
        let listener = self.listen(machines)?;
        let serial = Arc::new(Serial::default());
        let machine = self.machine(scope, &plan, &instance)?;
        let boot = self.boot_of(path, &plan, machine, (listener, serial.clone()));
        self.fleet.change(|fleet| {
            fleet.apply(path, Event::Start);
            if let Some(instance) = fleet.instances.get_mut(path) {
                instance.started = (self.clock)();
            }
            Ok::<_, LegacyError>(())
        })?;
        let started = Machine::start(&plan.name, boot, self.off(path));
        match started {
            Ok(machine) => {
                machines.insert(path.to_owned(), Running { machine, serial });
                Ok(())
            }
            Err(_) => {
                self.fleet.change(|fleet| {
                    fleet.apply(path, Event::Off);
                    Ok::<_, LegacyError>(())
                })?;
                Err(Status::internal().into())
            }
        }
    }

    /// Listens for the metadata server of a machine. All machines have the network of the emulator's host, so that a second one would
    /// use the server, and thus the service account, of the first.
    fn listen(&self, machines: &Machines) -> Result<Arc<TcpListener>, LegacyError> {
        if let Some(other) = machines.keys().next() {
            return Err(error::one_machine(self.metadata, other));
        }
        launch::listen_for_metadata(self.metadata)
            .map_err(|error| error::no_metadata_server(&error))
    }

    /// What is done when the machine of an instance is off.
    fn off(self: &Arc<Self>, path: &str) -> impl FnOnce() + Send + use<> {
        let (weak, path) = (Arc::downgrade(self), path.to_owned());
        move || {
            if let Some(compute) = weak.upgrade() {
                compute.is_off(&path);
            }
        }
    }

    fn machine(
        &self,
        scope: &Scope,
        plan: &Plan,
        instance: &Instance,
    ) -> Result<launch::Machine, LegacyError> {
        let email = |account: &Account| self.account(&scope.project, &account.email);
        Ok(launch::Machine {
            project: scope.project.clone(),
            project_number: self.project_number(&scope.project)?,
            zone: scope.name().to_owned(),
            name: plan.name.clone(),
            id: instance.id.clone(),
            hardware: plan.hardware,
            image: plan.image,
            service_accounts: plan.account.iter().map(email).collect(),
        })
    }

    fn boot_of(
        self: &Arc<Self>,
        path: &str,
        plan: &Plan,
        machine: launch::Machine,
        (listener, serial): (Arc<TcpListener>, Arc<Serial>),
    ) -> Boot {
        let scopes = plan
            .account
            .iter()
            .flat_map(|account| account.scopes.clone());
        let scopes: Vec<_> = scopes.collect();
        let email = machine.service_accounts.first().cloned();
        let logs = email
            .clone()
            .filter(|_| Service::Logging.is_within(&scopes));
        let console = Arc::new(Console {
            serial,
            logging: self.logging.clone(),
            account: logs.map(Caller::ServiceAccount),
            clock: self.clock,
            machine: machine.clone(),
        });
        let image = plan.image;
        let (weak, asked) = (Arc::downgrade(self), path.to_owned());
        let spec = move || {
            let compute = weak.upgrade();
            let metadata = compute.map(|compute| compute.metadata(&asked));
            LaunchSpec::read(&metadata.unwrap_or_default(), image)
        };
        let maker = Launches {
            listener,
            account: email.map(|email| account(&self.accounts, email, &scopes, self.clock)),
            scopes,
            attestation: self.attestation.clone(),
            compute: Arc::downgrade(self),
            path: path.to_owned(),
            console: console.clone(),
            machine,
        };
        Boot {
            console,
            spec: Box::new(spec),
            options: Box::new(move |spec| maker.options(spec)),
            image,
        }
    }

    fn metadata(&self, path: &str) -> BTreeMap<String, String> {
        let body = self
            .fleet
            .look(|fleet| fleet.instances.get(path).map(|one| one.body.clone()));
        plan::metadata(&body.unwrap_or_default()).unwrap_or_default()
    }

    /// A machine has ended.
    fn is_off(&self, path: &str) {
        let mut machines = lock(&self.machines);
        let serial = machines
            .remove(path)
            .map(|running| running.serial.read(0).1);
        let now = (self.clock)();
        // If the state cannot be written, the instance is off after the next start.
        let _ = self.fleet.change(|fleet| {
            fleet.apply(path, Event::Off);
            if let Some(instance) = fleet.instances.get_mut(path) {
                instance.stopped = now;
                instance.serial = serial.unwrap_or_default();
            }
            Ok::<_, LegacyError>(())
        });
        lock(&self.operations).finish(path, now);
    }

    /// Ends all machines.
    pub async fn end(&self) {
        let ended: Vec<_> = {
            let machines = lock(&self.machines);
            machines.values().for_each(|running| running.machine.kill());
            machines
                .values()
                .map(|running| running.machine.ended())
                .collect()
        };
        let all = async {
            for one in ended {
                one.await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }
}

fn ready(path: &str, instance: &Instance, event: Event) -> Result<(), LegacyError> {
    match instance.state.after(event) {
        Some(_) => Ok(()),
        None => Err(error::not_ready(path)),
    }
}

fn account(
    accounts: &Arc<Accounts>,
    email: String,
    scopes: &[String],
    clock: Clock,
) -> launch::Account {
    let (accounts, scopes) = (accounts.clone(), scopes.to_owned());
    Arc::new(move || {
        let token = accounts
            .act_as(&email, scopes.clone(), clock(), TOKEN)
            .ok()?;
        Some((token.text, token.lifetime))
    })
}

/// Makes the options of each launch of a machine.
struct Launches {
    compute: Weak<Compute>,
    path: String,
    console: Arc<Console>,
    machine: launch::Machine,
    scopes: Vec<String>,
    account: Option<launch::Account>,
    attestation: launch::Address,
    /// The metadata server's.
    listener: Arc<TcpListener>,
}

impl Launches {
    fn options(&self, spec: &LaunchSpec) -> Options {
        Options {
            image: spec.image.clone(),
            transport: Transport::Https { extra_ca: None },
            attestation: self.attestation.clone(),
            machine: self.machine.clone(),
            signed_image_repos: spec.signed_image_repos.clone(),
            metadata: Some(self.metadata()),
            request: spec.request.clone(),
            share: None,
            report: machine::report(self.console.clone()),
            output: self.console.output(spec.log_redirect),
            restart: spec.restart,
            grace: Duration::from_secs(launch::GRACE),
            caller: match &self.account {
                Some(account) => launch::Caller::Account(account.clone()),
                None => launch::Caller::NoAccount,
            },
        }
    }

    fn metadata(&self) -> Metadata {
        let (compute, path) = (self.compute.clone(), self.path.clone());
        let attributes = move |key: &str| {
            let compute = compute.upgrade()?;
            let found = |fleet: &super::Fleet| fleet.instances.get(&path)?.attribute(key);
            compute.fleet.look(found)
        };
        Metadata {
            listener: self.listener.clone(),
            attributes: Arc::new(attributes),
            facts: Some(Facts {
                machine: self.machine.clone(),
                scopes: self.scopes.clone(),
                account: self.account.clone(),
            }),
        }
    }
}
