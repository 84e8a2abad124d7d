//! Serves all services on loopback, each on its own port.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use content::at::{self, At};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::StartError;
use crate::launch;
use crate::registry;
use crate::rest;
use crate::rest::artifact_registry::Users;
use crate::services::accounts::{Accounts, Files, Hierarchy, Parent, Project, ProjectId};
use crate::services::{Addresses, Clock, Services};

/// The file in the state folder that the running emulator holds locked.
const LOCK: &str = "emulator.lock";

/// The addresses of all services and the credentials of all projects, printed once all services listen.
#[derive(Clone, Debug, Serialize)]
pub struct Endpoints {
    registry: String,
    attestation: String,
    sts: String,
    oauth2: String,
    iam: String,
    kms: String,
    pubsub: String,
    secret_manager: String,
    storage: String,
    compute: String,
    logging: String,
    resource_manager: String,
    artifact_registry: String,
    projects: BTreeMap<String, Owner>,
}

#[derive(Clone, Debug, Serialize)]
struct Owner {
    number: String,
    #[serde(flatten)]
    files: Files,
}

/// Running services, which stop when this is dropped.
pub struct Serving {
    /// The addresses of the services.
    pub endpoints: Endpoints,
    services: Arc<Services>,
    tasks: JoinSet<io::Result<()>>,
    _held: Held,
}

impl Serving {
    /// Ends all machines, and closes all ports. Without this, they end with the process.
    pub async fn end(mut self) {
        self.services.compute.end().await;
        self.tasks.shutdown().await;
    }
}

/// What the services are started with.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The folder with all state.
    pub folder: &'a Path,
    /// The projects.
    pub projects: &'a [ProjectId],
    /// What projects are in; others are in no folder and no organisation.
    pub parents: &'a [Parent],
    /// Who may use the registry.
    pub users: Users,
    /// Where the services listen.
    pub ports: Ports,
    /// Where the metadata server of a machine listens, on loopback.
    pub metadata: SocketAddr,
}

/// The ports of the services on loopback.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Ports {
    /// Any free ports.
    #[default]
    Free,
    /// This one, and those after it, in the order of [`SERVICES`].
    From(u16),
}

/// The services, in the order of their ports. New ones come at the end, so that no port changes.
pub const SERVICES: [&str; 13] = [
    "registry",
    "attestation",
    "sts",
    "oauth2",
    "iam",
    "kms",
    "pubsub",
    "secret_manager",
    "storage",
    "compute",
    "logging",
    "resource_manager",
    "artifact_registry",
];

/// The largest port after which there are ports for all services.
pub const LAST_BASE: i64 = u16::MAX as i64 + 1 - SERVICES.len() as i64;

/// Starts all services.
///
/// # Errors
/// No port is free, or not the one that was chosen; the folder cannot be used, or another emulator uses it.
pub async fn serve(settings: Settings<'_>, clock: Clock) -> Result<Serving, StartError> {
    let folder = settings.folder;
    std::fs::create_dir_all(folder).map_err(At::writing(folder))?;
    let folder = &folder.canonicalize().map_err(At::reading(folder))?;
    let held = hold(folder)?;
    let mut listeners = Listeners::open(settings.ports).await?;
    // Key files and machines name the addresses of these two.
    let addresses = Addresses {
        token_uri: format!("{}/token", listeners.address("oauth2")?),
        attestation: listeners.url("attestation")?,
        metadata: settings.metadata,
    };
    let projects = (settings.projects, hierarchy(&settings)?);
    let services = Services::open(folder, projects, &addresses, clock)?;
    let services = Arc::new(services);
    let registry = registry::router(folder.join("registry"));
    let registry = settings.users.of(registry, services.clone());
    let mut tasks = JoinSet::new();
    let endpoints = start_all(&services, registry, &mut listeners, &mut tasks)?;
    Ok(Serving {
        endpoints,
        services,
        tasks,
        _held: held,
    })
}

fn hierarchy(settings: &Settings<'_>) -> Result<Hierarchy, StartError> {
    Hierarchy::new(settings.parents, settings.projects).map_err(|fault| {
        let hint = "give each project one --parent, and each folder one place";
        StartError::refused("arranging projects", fault, hint)
    })
}

fn start_all(
    services: &Arc<Services>,
    registry: Router,
    listeners: &mut Listeners,
    tasks: &mut JoinSet<io::Result<()>>,
) -> Result<Endpoints, StartError> {
    let shared = || services.clone();
    let mut start = |name: &'static str, router: &dyn Fn(&str) -> Router| {
        let address = listeners.address(name)?;
        let (listener, router) = (listeners.take(name)?, router(&address));
        tasks.spawn(async move { axum::serve(listener, router).await });
        Ok::<_, StartError>(address)
    };
    Ok(Endpoints {
        registry: start("registry", &|_| registry.clone())?.replace("http://", ""),
        attestation: start("attestation", &|at| rest::attestation::router(at, shared()))?,
        oauth2: start("oauth2", &|at| rest::oauth::oauth2(at, shared()))?,
        sts: start("sts", &|_| rest::oauth::sts(shared()))?,
        iam: start("iam", &|_| rest::iam::router(shared()))?,
        kms: start("kms", &|_| rest::kms::router(shared()))?,
        pubsub: start("pubsub", &|_| rest::pubsub::router(shared()))?,
        secret_manager: start(
            "secret_manager",
            &|_| rest::secret_manager::router(shared()),
        )?,
        storage: start("storage", &|at| rest::storage::router(at, shared()))?,
        compute: start("compute", &|at| rest::compute::router(at, shared()))?,
        logging: start("logging", &|_| rest::logging::router(shared()))?,
        resource_manager: start("resource_manager", &|_| {
            rest::resource_manager::router(shared())
        })?,
        artifact_registry: start("artifact_registry", &|_| {
            rest::artifact_registry::router(shared())
        })?,
        projects: owners(&services.accounts),
    })
}

fn owners(accounts: &Accounts) -> BTreeMap<String, Owner> {
    let owner = |project: &Project| Owner {
        number: project.number.clone(),
        files: project.files.clone(),
    };
    let projects = accounts.projects();
    projects
        .map(|(id, project)| (id.to_owned(), owner(project)))
        .collect()
}

/// The locked state folder.
struct Held(File);

impl Drop for Held {
    /// A child process between fork and exec also has the file open, and would keep it locked.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Locks the state folder: a second emulator would replace the owners' credentials.
fn hold(folder: &Path) -> Result<Held, StartError> {
    let mut options = File::options();
    let lock = options.create(true).truncate(false).write(true);
    let held = lock.open(folder.join(LOCK)).map_err(At::writing(folder))?;
    match held.try_lock() {
        Ok(()) => Ok(Held(held)),
        Err(TryLockError::WouldBlock) => Err(StartError::refused(
            format!("using {}", at::shown(folder)),
            "another emulator is using the folder",
            "choose another folder, or stop the other emulator",
        )),
        Err(TryLockError::Error(source)) => Err(At::writing(folder)(source).into()),
    }
}

/// A listener for each service.
struct Listeners(BTreeMap<&'static str, TcpListener>);

impl Listeners {
    async fn open(ports: Ports) -> Result<Self, StartError> {
        let mut all = BTreeMap::new();
        for (name, after) in SERVICES.into_iter().zip(0..) {
            let port = match ports {
                Ports::Free => 0,
                Ports::From(first) => first.checked_add(after).ok_or_else(|| {
                    let fault = format!("there is no port {after} after {first}");
                    let hint = "choose a smaller port with --port-base";
                    StartError::refused("listening on loopback", fault, hint)
                })?,
            };
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let listener = TcpListener::bind(address).await;
            all.insert(
                name,
                listener.map_err(|error| StartError::listen(address, error))?,
            );
        }
        Ok(Self(all))
    }

    fn address(&self, name: &'static str) -> Result<String, StartError> {
        let listener = self.0.get(name).ok_or(io::ErrorKind::NotFound);
        let address = listener
            .map_err(io::Error::from)
            .and_then(TcpListener::local_addr);
        Ok(format!("http://{}", address.map_err(StartError::start)?))
    }

    fn url(&self, name: &'static str) -> Result<launch::Address, StartError> {
        let url = self.address(name)?.parse();
        url.map_err(|error| StartError::start(io::Error::other(error)))
    }

    fn take(&mut self, name: &'static str) -> Result<TcpListener, StartError> {
        let listener = self.0.remove(name).ok_or(io::ErrorKind::NotFound);
        listener.map_err(|kind| StartError::start(kind.into()))
    }
}
