//! Serves all services on loopback, each on its own free port.

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
use crate::registry;
use crate::rest;
use crate::rest::writers::Writers;
use crate::services::accounts::{Accounts, Files, Project, ProjectId};
use crate::services::{Clock, Services};

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
    _tasks: JoinSet<io::Result<()>>,
    _held: Held,
}

/// Starts all services with these projects. All state is below `folder`.
///
/// # Errors
/// No port is free, the folder cannot be used, or another emulator uses it.
pub async fn serve(
    folder: &Path,
    projects: &[ProjectId],
    writers: Writers,
    clock: Clock,
) -> Result<Serving, StartError> {
    std::fs::create_dir_all(folder).map_err(At::writing(folder))?;
    let folder = &folder.canonicalize().map_err(At::reading(folder))?;
    let held = hold(folder)?;
    // Key files and answers contain the addresses of these two.
    let (oauth2, attestation) = (listen().await?, listen().await?);
    let token_uri = format!("{}/token", address(&oauth2)?);
    let services = Arc::new(Services::open(folder, projects, &token_uri, clock)?);
    let registry = registry::router(folder.join("registry"));
    let registry = writers.of(registry, services.clone());
    let mut tasks = JoinSet::new();
    let endpoints = start_all(&services, registry, [oauth2, attestation], &mut tasks).await?;
    Ok(Serving {
        endpoints,
        _tasks: tasks,
        _held: held,
    })
}

async fn start_all(
    services: &Arc<Services>,
    registry: Router,
    [oauth2, attestation]: [TcpListener; 2],
    tasks: &mut JoinSet<io::Result<()>>,
) -> Result<Endpoints, StartError> {
    let granting = rest::oauth::oauth2(&address(&oauth2)?, services.clone());
    let attesting = rest::attestation::router(&address(&attestation)?, services.clone());
    let registry = start(tasks, listen().await?, registry)?;
    // Answers contain links to objects.
    let storage = listen().await?;
    let storage_address = address(&storage)?;
    Ok(Endpoints {
        registry: registry.replace("http://", ""),
        attestation: start(tasks, attestation, attesting)?,
        oauth2: start(tasks, oauth2, granting)?,
        sts: start(tasks, listen().await?, rest::oauth::sts(services.clone()))?,
        iam: start(tasks, listen().await?, rest::iam::router(services.clone()))?,
        kms: start(tasks, listen().await?, rest::kms::router(services.clone()))?,
        pubsub: start(
            tasks,
            listen().await?,
            rest::pubsub::router(services.clone()),
        )?,
        secret_manager: start(
            tasks,
            listen().await?,
            rest::secret_manager::router(services.clone()),
        )?,
        storage: start(
            tasks,
            storage,
            rest::storage::router(&storage_address, services.clone()),
        )?,
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

async fn listen() -> Result<TcpListener, StartError> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    TcpListener::bind(free).await.map_err(StartError::listen)
}

fn address(listener: &TcpListener) -> Result<String, StartError> {
    Ok(format!(
        "http://{}",
        listener.local_addr().map_err(StartError::listen)?
    ))
}

fn start(
    tasks: &mut JoinSet<io::Result<()>>,
    listener: TcpListener,
    router: Router,
) -> Result<String, StartError> {
    let address = address(&listener)?;
    tasks.spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
